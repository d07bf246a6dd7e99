"""The plugin that ships with the core: local stores, the offline planner and the thread executor."""
