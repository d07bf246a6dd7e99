"""Groq as the planner of promptvision."""
