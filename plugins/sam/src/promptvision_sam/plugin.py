"""Hook implementations of promptvision-sam."""

PLUGIN_API = 1
