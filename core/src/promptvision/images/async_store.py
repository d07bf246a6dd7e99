"""Stores for code on an event loop: a call that may wait for a disk or a network runs in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from promptvision.images.store import ImageStore

__all__ = ["AsyncImageStore", "AsyncStore", "make_async"]

P = ParamSpec("P")
T = TypeVar("T")


class _Store(Protocol):
    blocking: bool


S = TypeVar("S", bound=_Store)


class AsyncStore(Generic[S]):
    """A store whose methods are awaited.

    Args:
        store: the wrapped store; code that may block can use it directly.
    """

    def __init__(self, store: S) -> None:
        self.store = store


def make_async(
    method: Callable[Concatenate[Any, P], T],
) -> Callable[Concatenate[AsyncStore[Any], P], Coroutine[Any, Any, T]]:
    """The awaitable form of a store method: same arguments, result and errors.

    Args:
        method: a method of the store's protocol; the wrapped store's implementation is called.
    """
    name = method.__name__

    async def call(store: AsyncStore[Any], /, *args: P.args, **kwargs: P.kwargs) -> T:
        bound: Callable[P, T] = getattr(store.store, name)
        if not store.store.blocking:
            return bound(*args, **kwargs)
        return await asyncio.to_thread(bound, *args, **kwargs)

    update_wrapper(call, method)
    return call


class AsyncImageStore(AsyncStore[ImageStore]):
    """An :class:`~promptvision.images.store.ImageStore` whose methods are awaited."""

    delete = make_async(ImageStore.delete)
    get = make_async(ImageStore.get)
    put = make_async(ImageStore.put)
    stat = make_async(ImageStore.stat)
    url = make_async(ImageStore.url)
