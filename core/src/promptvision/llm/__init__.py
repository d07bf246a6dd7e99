"""What every LLM provider has in common: messages, requests, replies and the provider protocol."""
