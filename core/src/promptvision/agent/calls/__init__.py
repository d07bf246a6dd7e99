"""Tool calls: dispatch, validation, prerequisites, parallel groups and the artifacts they leave."""
