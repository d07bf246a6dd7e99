"""The messages that a planner is sent in one turn, with a running estimate of their size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from promptvision.llm.budget import CHARS_PER_TOKEN, MESSAGE_CHARS
from promptvision.llm.messages import Function, Message

__all__ = ["Transcript"]


class Transcript:
    """Messages of one turn, oldest first; each is measured once, when it is added.

    Args:
        functions: what each request offers beside the messages.
    """

    def __init__(self, functions: Sequence[Function]) -> None:
        self._messages: list[Message] = []
        self._chars = sum(function.chars for function in functions)

    def add(self, message: Message) -> None:
        """Add the newest message."""
        self._messages.append(message)
        self._chars += message.chars + MESSAGE_CHARS

    def extend(self, messages: Iterable[Message]) -> None:
        """Add several messages, oldest first."""
        for message in messages:
            self.add(message)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages so far."""
        return tuple(self._messages)

    @property
    def tokens(self) -> int:
        """Estimated tokens of a request; equal to :func:`~promptvision.llm.budget.estimate_tokens`."""
        return self._chars // CHARS_PER_TOKEN
