"""Hook implementations of promptvision-opencv."""

PLUGIN_API = 1
