"""Conversations in an SQL database: an SQLite file by default, or PostgreSQL."""

from __future__ import annotations

from pathlib import Path

__all__ = ["default_sqlite_url"]


def default_sqlite_url(home: Path) -> str:
    """The URL of the default database: a file in PROMPTVISION_HOME."""
    return f"sqlite:///{home / 'conversations.db'}"
