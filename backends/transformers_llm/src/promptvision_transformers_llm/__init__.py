"""A local LLM as the planner of promptvision, in-process through transformers."""
