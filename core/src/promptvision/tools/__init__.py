"""Typed tools: operations, requirements and schemas for LLMs."""
