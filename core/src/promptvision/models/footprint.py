"""Measure the memory of a loaded model by duck typing, without importing a framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["measure_bytes"]

_DEPTH = 3


def measure_bytes(model: Any) -> int | None:
    """Bytes of a model's parameters and buffers; shared tensors count once.

    Looks into torch modules, arrays, containers, pipelines with ``components`` and plain objects that contain
    them. Other objects count with their integer ``nbytes``, so that a cache can reserve its maximum size.
    None if nothing can be measured.
    """
    parts = {id(part): (part, size) for part, size in _parts(model, _DEPTH)}
    return sum(size for _, size in parts.values()) if parts else None


def _parts(thing: Any, depth: int) -> Iterator[tuple[Any, int]]:
    """Parts with a size, and that size; a part may be yielded more than once."""
    if callable(getattr(thing, "parameters", None)) and callable(getattr(thing, "buffers", None)):
        for tensor in (*thing.parameters(), *thing.buffers()):
            yield tensor, tensor.numel() * tensor.element_size()
    elif isinstance(nbytes := getattr(thing, "nbytes", None), int):
        yield thing, nbytes
    elif depth:
        for inner in _inside(thing):
            yield from _parts(inner, depth - 1)


def _inside(thing: Any) -> Iterator[Any]:
    if isinstance(thing, str | bytes | type):
        return
    if isinstance(thing, Mapping):
        yield from thing.values()
    elif isinstance(thing, tuple | list):
        yield from thing
    elif isinstance(components := getattr(thing, "components", None), Mapping):
        yield from components.values()
    elif hasattr(thing, "__slots__"):
        yield from (getattr(thing, name, None) for name in thing.__slots__)
    elif hasattr(thing, "__dict__"):
        yield from list(vars(thing).values())
