"""OpenAI-compatible models as the planner of promptvision."""
