"""Hook implementations of promptvision-groq."""

PLUGIN_API = 1
