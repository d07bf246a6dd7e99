"""Hook implementations of promptvision-s3."""

PLUGIN_API = 1
