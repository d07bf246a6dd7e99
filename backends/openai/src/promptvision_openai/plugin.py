"""Hook implementations of promptvision-openai."""

PLUGIN_API = 1
