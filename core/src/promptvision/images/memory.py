"""Return freed pixels to the operating system, with glibc.

glibc raises its mmap threshold each time a mapped block is freed, up to 32 MB; decoded images are then
allocated on its heap, which rarely shrinks.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

__all__ = ["return_freed_blocks", "trim_heap"]

_M_MMAP_THRESHOLD = -3  # malloc.h
_THRESHOLD = 1 << 20


def return_freed_blocks() -> None:
    """Map blocks of a megabyte and more separately, so that they are returned when they are freed.

    Setting the threshold also keeps glibc from raising it.
    """
    mallopt = _from_libc("mallopt")
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _THRESHOLD)


def trim_heap() -> None:
    """Return the free pages of the heap to the system."""
    trim = _from_libc("malloc_trim")
    if trim is not None:
        trim(0)


def _from_libc(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
