"""The conversation contract on a real PostgreSQL, and what it promises when the server goes away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.errors import SetupError
from promptvision.testing.conversation_store import ConversationStoreContract
from promptvision.testing.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgres_server())
        except SetupError as exc:
            pytest.skip(str(exc))
        yield server


@pytest.fixture
def store(server: PostgresServer) -> Iterator[SQLConversationStore]:
    store = SQLConversationStore(server.url())
    yield store
    store.close()


class TestPostgresConversationStore(ConversationStoreContract):
    pass
