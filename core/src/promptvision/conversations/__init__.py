"""Conversations: turns, their journal, and the store protocol."""
