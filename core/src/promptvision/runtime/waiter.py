"""A step that waits for its slot, and the steps that it can run with."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = ["Group", "Waiter", "group_key"]

Item = TypeVar("Item")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Group(Generic[Item, T]):
    """Steps that can run together in one slot.

    Args:
        key: equal for steps of one group.
        limit: maximum number of steps that run together.
        run: runs steps in a thread; returns a result or an exception for each, in their order.
    """

    key: Hashable
    limit: int
    run: Callable[[list[Item]], list[T | BaseException]]


class Waiter:
    """A step that waits for its slot.

    Args:
        user: whose step it is.
        group: the steps that it can run with.
        item: what the group runs.
    """

    def __init__(self, user: str, group: Group[Any, Any] | None = None, item: Any = None) -> None:
        self.begun = time.monotonic()
        self.user, self.group, self.item = user, group, item
        self.future: Future[None] = Future()
        self.outcome: Future[Any] = Future()
        """The result of a step of a group."""
        self.is_granted = False
        self.leader: Waiter | None = None
        """The step in whose slot this one runs; None if it has a slot of its own."""
        self.followers: list[Waiter] = []
        """The steps that run in the slot of this one."""


def group_key(waiter: Waiter) -> Hashable:
    """The key of the group of a step; that of no other step if it has no group."""
    return waiter if waiter.group is None else ("group", waiter.group.key)
