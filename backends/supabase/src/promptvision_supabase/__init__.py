"""Supabase as the conversation store of promptvision."""
