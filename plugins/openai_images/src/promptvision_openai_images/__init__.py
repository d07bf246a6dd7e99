"""Image editing, generation and questions with OpenAI-compatible hosts for promptvision."""
