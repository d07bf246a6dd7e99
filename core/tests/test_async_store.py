"""Stores for code on an event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from promptvision.builtin.memory import MemoryConversationStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.conversations.async_store import AsyncConversationStore
from promptvision.conversations.turn import Event, EventKind, TurnKey
from promptvision.errors import NotFound, StoreError
from promptvision.images.async_store import AsyncImageStore


class Watched(MemoryImageStore):
    """Records the threads of its calls."""

    def __init__(self, *, blocking: bool) -> None:
        super().__init__()
        self.blocking = blocking
        self.threads: list[threading.Thread] = []

    def get(self, image_id: str) -> bytes:
        self.threads.append(threading.current_thread())
        return super().get(image_id)


@pytest.mark.parametrize("blocking", [False, True])
def test_only_a_store_that_may_block_is_called_in_a_thread(blocking: bool) -> None:
    store = Watched(blocking=blocking)
    image_id = store.put(b"bytes", "image/png").id
    assert asyncio.run(AsyncImageStore(store).get(image_id)) == b"bytes"
    assert (store.threads[0] is threading.main_thread()) is not blocking


@pytest.mark.parametrize("blocking", [False, True])
def test_errors_of_the_store_come_out_unchanged(blocking: bool) -> None:
    store = AsyncImageStore(Watched(blocking=blocking))
    with pytest.raises(NotFound):
        asyncio.run(store.get("0" * 64))


@pytest.mark.parametrize("blocking", [False, True])
def test_append_is_waited_for_only_where_the_store_blocks(blocking: bool) -> None:
    store = MemoryConversationStore()
    store.blocking = blocking
    key = TurnKey("ann", "c", "p")
    turn = store.claim_turn(key, prompt="x", fingerprint="f", owner="o", lease_s=60)
    conversations = AsyncConversationStore(store)
    assert conversations.is_immediate is not blocking

    async def append(seq: int) -> bool:
        event = Event(seq=seq, kind=EventKind.NOTE, data={"message": "x"})
        appending = conversations.start_append(turn, [event])
        if appending is not None:
            await appending
        return appending is None

    assert asyncio.run(append(1)) is not blocking
    with pytest.raises(StoreError):
        asyncio.run(append(7))


def test_methods_keep_their_names_and_documentation() -> None:
    assert AsyncConversationStore.history.__name__ == "history"
    assert "oldest first" in (AsyncConversationStore.history.__doc__ or "")
