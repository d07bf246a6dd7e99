"""Typed tools: what they are, what they need, and how their schema reads to an LLM."""
