"""A cache of results of earlier calls, keyed by content."""

from __future__ import annotations

import hashlib
import threading
from contextlib import suppress

from cachetools import LRUCache
from pydantic_core import to_json

from promptvision.runtime.call import CallOutput
from promptvision.tools.tool import Args, Tool

__all__ = ["ResultCache", "call_digest"]


def call_digest(tool: Tool, args: Args) -> str:
    """BLAKE2b-256 of everything that determines a call's result, in hexadecimal.

    It covers the tool with its owner and version and all arguments, defaults included. Images are represented
    by their ids, which are hashes of immutable bytes, so equal digests mean equal pixels.
    """
    what = "\0".join((tool.plugin, tool.name, tool.version, args.model_dump_json()))
    return hashlib.blake2b(what.encode(), digest_size=32).hexdigest()


class ResultCache:
    """The most recently used results, in memory. Safe across threads.

    Args:
        limit: maximum number of results.
        limit_bytes: maximum size of all results as JSON; images are in the image store and do not count.
    """

    def __init__(self, limit: int = 512, limit_bytes: int = 32 * 2**20) -> None:
        smallest = max(1, limit_bytes // limit)  # no more than ``limit`` fit
        self._kept: LRUCache[str, CallOutput] = LRUCache(
            limit_bytes, getsizeof=lambda output: max(smallest, len(to_json(output.result)))
        )
        self._lock = threading.Lock()

    def get(self, digest: str) -> CallOutput | None:
        """Return the result of an equal call, or None."""
        with self._lock:
            return self._kept.get(digest)

    def put(self, digest: str, value: CallOutput) -> None:
        """Keep a result."""
        with self._lock, suppress(ValueError):  # larger than all the space
            self._kept[digest] = value
