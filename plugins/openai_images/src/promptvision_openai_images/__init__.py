"""Image editing, generation and questions by OpenAI-compatible hosts for promptvision."""
