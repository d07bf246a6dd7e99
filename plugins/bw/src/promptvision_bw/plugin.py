"""Hook implementations of promptvision-bw."""

PLUGIN_API = 1
