"""The conversation contract on SQLite, and what is particular to an SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from promptvision.builtin.sql import default_sqlite_url
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.testing.conversation_store import ConversationStoreContract


@pytest.fixture
def url(tmp_path: Path) -> str:
    return default_sqlite_url(tmp_path / "home")


@pytest.fixture
def store(url: str) -> Iterator[SQLConversationStore]:
    store = SQLConversationStore(url)
    yield store
    store.close()


class TestSQLiteConversationStore(ConversationStoreContract):
    pass
