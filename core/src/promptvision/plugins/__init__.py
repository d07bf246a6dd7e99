"""Hook specs, discovery and the registry of everything that is installed."""

PLUGIN_API = 1
"""Version of the plugin interface; a plugin states the one it was written for."""
