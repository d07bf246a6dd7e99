"""The conversation store for code on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import copy_context
from functools import partial

from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import Event, Turn
from promptvision.images.async_store import AsyncStore, make_async

__all__ = ["AsyncConversationStore"]


class AsyncConversationStore(AsyncStore[ConversationStore]):
    """A :class:`~promptvision.conversations.store.ConversationStore` whose methods are awaited."""

    add_image = make_async(ConversationStore.add_image)
    answers = make_async(ConversationStore.answers)
    claim_turn = make_async(ConversationStore.claim_turn)
    close_stale = make_async(ConversationStore.close_stale)
    conversation = make_async(ConversationStore.conversation)
    conversations = make_async(ConversationStore.conversations)
    delete = make_async(ConversationStore.delete)
    finish_turn = make_async(ConversationStore.finish_turn)
    find_turn = make_async(ConversationStore.find_turn)
    heartbeat = make_async(ConversationStore.heartbeat)
    history = make_async(ConversationStore.history)
    image_in_use = make_async(ConversationStore.image_in_use)
    images = make_async(ConversationStore.images)
    owns_image = make_async(ConversationStore.owns_image)
    record_answer = make_async(ConversationStore.record_answer)
    rename = make_async(ConversationStore.rename)
    turn = make_async(ConversationStore.turn)

    @property
    def is_immediate(self) -> bool:
        """Whether a write returns at once, so that batching has no benefit."""
        return not self.store.blocking

    def start_append(self, turn: Turn, events: Sequence[Event]) -> asyncio.Future[None] | None:
        """Start to append journal entries; None when the store is immediate and they are stored.

        Raises:
            LeaseLost: another process has the turn; only of an immediate store.
            StoreError: the entries cannot be stored; only of an immediate store.
        """
        if self.store.blocking:
            append = partial(copy_context().run, self.store.append, turn, events)
            return asyncio.get_running_loop().run_in_executor(None, append)
        self.store.append(turn, events)
        return None
