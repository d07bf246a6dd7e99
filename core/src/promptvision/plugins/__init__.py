"""Hook specs, plugin discovery and the registry."""

PLUGIN_API = 1
"""Version of the plugin interface; a plugin states the one it was written for."""
