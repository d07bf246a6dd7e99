"""Tool calls: dispatch, validation, prerequisites, parallel groups and artifacts."""
