"""Results of earlier calls, by content."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

from promptvision.runtime.context import SavedImage
from promptvision.tools.tool import Args, Result, Tool

__all__ = ["CachedResult", "ResultCache", "call_digest"]


@dataclass(frozen=True)
class CachedResult:
    """What a call returned and the images it made."""

    result: Result
    saved: tuple[SavedImage, ...]


def call_digest(tool: Tool, args: Args) -> str:
    """BLAKE2b-256 of all that decides a call's result, in hexadecimal.

    That is the tool with its owner and version and every argument, defaults included. Images count by
    their ids, which are hashes of immutable bytes, so equal digests mean equal pixels.
    """
    what = "\0".join((tool.plugin, tool.name, tool.version, args.model_dump_json()))
    return hashlib.blake2b(what.encode(), digest_size=32).hexdigest()


class ResultCache:
    """The last results in memory, least recently used out first. Safe across threads.

    Args:
        limit: how many results to keep.
    """

    def __init__(self, limit: int = 512) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, CachedResult] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str) -> CachedResult | None:
        """The result of an equal call, or None."""
        with self._lock:
            if (found := self._kept.get(digest)) is not None:
                self._kept.move_to_end(digest)
            return found

    def put(self, digest: str, value: CachedResult) -> None:
        """Keep a result."""
        with self._lock:
            self._kept[digest] = value
            self._kept.move_to_end(digest)
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)
