"""Common parts of LLM providers: messages, requests, replies and the provider protocol."""
