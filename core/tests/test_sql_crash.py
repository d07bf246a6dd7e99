"""Several processes on one SQLite file, some of them killed with -9."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.testing.shared_store import SharedStoreContract


class TestSQLiteSharedByProcesses(SharedStoreContract):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Iterator[Callable[[], SQLConversationStore]]:
        file = tmp_path / "conversations.db"
        yield lambda: SQLConversationStore(f"sqlite:///{file}")
        connection = sqlite3.connect(file)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
