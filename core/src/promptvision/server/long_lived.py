"""Keep the objects of the server process that stay until its end out of garbage collection.

Start-up with all plugins creates some 100,000 objects that are never freed. Each full collection would
examine all of them, which stops the event loop and the threads of tools for 30 to 60 ms.
"""

from __future__ import annotations

import gc
from types import TracebackType
from typing import Self

__all__ = ["LongLived"]


class LongLived:
    """A context manager around the life of a server; only for a process that nothing else shares.

    Inside of it no collection runs before :meth:`freeze`, since little of what start-up creates is garbage.
    Afterwards objects are collected as before.
    """

    def __enter__(self) -> Self:
        self._was_enabled = gc.isenabled()
        gc.disable()
        return self

    def freeze(self) -> None:
        """Exclude all present objects from later collections, after a last one, and allow collections again.

        No model may be loaded yet: it may consist of reference cycles, which are then never freed.
        """
        gc.collect()
        gc.freeze()
        if self._was_enabled:
            gc.enable()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()
