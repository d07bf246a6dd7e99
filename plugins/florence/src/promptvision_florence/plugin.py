"""Hook implementations of promptvision-florence."""

PLUGIN_API = 1
