"""Hook specs, discovery and the registry of everything that is installed."""
