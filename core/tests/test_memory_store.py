"""The conversation contract on the store in memory."""

from __future__ import annotations

import pytest

from promptvision.builtin.memory import MemoryConversationStore
from promptvision.conversations.store import ConversationStore
from promptvision.errors import StoreError
from promptvision.testing.conversation_store import ConversationStoreContract
from promptvision.testing.turns import claim, note


class TestMemoryConversationStore(ConversationStoreContract):
    @pytest.fixture
    def store(self) -> ConversationStore:
        return MemoryConversationStore()


def test_gap_in_the_journal_is_refused() -> None:
    store = MemoryConversationStore()
    turn = claim(store, "ann")
    with pytest.raises(StoreError, match="entry 2 does not follow entry 0"):
        store.append(turn, [note(2)])
    with pytest.raises(StoreError):
        store.append(turn, [note(1), note(3)])
    assert store.history("ann", "c1", 1)[0].events == ()
