"""How a tool runs several calls at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from promptvision.declarations import IMPORT_STRING, check_type

__all__ = ["Batch"]


def _one_shape(_: Any) -> Hashable:
    return None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """How a tool runs several calls at once, which a device does faster than one after the other.

    A call runs at once unless an equal-shaped one of the tool is running. Calls that wait for it run together
    afterwards.

    Args:
        run: ``"package.module:callable"`` or the callable itself. It is called with a list of two or more
            ``(args, context)`` and returns a list of as many results, in their order; an exception in the
            place of a result is the error of that call alone. If it raises, each call is run by the tool
            itself.
        key: the shape of a call, from its validated arguments: only calls with equal shapes run together.
            Default: all calls of the tool have one shape. It must be fast.
        limit: maximum number of calls in a batch.

    Raises:
        TypeError: a field has the wrong type.
        ValueError: ``limit`` is less than 2, or ``run`` is not an import string.
    """

    run: str | Callable[..., Any]
    key: Callable[[Any], Hashable] = _one_shape
    limit: int = 8

    def __post_init__(self) -> None:
        check_type("Batch", "limit", self.limit, int, "an int")
        if self.limit < 2:
            raise ValueError(f"Batch: limit must be 2 or more, not {self.limit}")
        if isinstance(self.run, str) and not IMPORT_STRING.fullmatch(self.run):
            raise ValueError(f"Batch: run must have the form 'package.module:callable', not {self.run!r}")
        if not isinstance(self.run, str) and not callable(self.run):
            raise TypeError(f"Batch: run must be a function or an import string, not {self.run!r:.80}")
        if not callable(self.key):
            raise TypeError(f"Batch: key must be a function, not {self.key!r:.80}")

    def load(self) -> Callable[..., Any]:
        """Import and return the callable."""
        if callable(self.run):
            return self.run
        module, _, name = self.run.partition(":")
        loaded: Callable[..., Any] = getattr(import_module(module), name)
        return loaded
