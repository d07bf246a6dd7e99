"""Peak memory of this process and of the GPU since it was last reset."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["PeakMemory"]

_PROC = Path("/proc/self")


class PeakMemory:
    """The highest memory in use while a tool runs.

    On Linux the peak counts from :meth:`reset`; on other systems from the start of the process.
    """

    def reset(self) -> None:
        """Begin to measure again."""
        with suppress(OSError):  # not Linux, or a container that forbids it
            (_PROC / "clear_refs").write_text("5")  # proc_pid_clear_refs(5): reset the peak
        if (cuda := _cuda()) is not None:
            cuda.reset_peak_memory_stats()

    def read(self) -> tuple[int, int]:
        """Bytes of this process, and bytes that PyTorch has allocated on the GPU."""
        cuda = _cuda()
        return _resident(), int(cuda.max_memory_allocated()) if cuda is not None else 0


def _resident() -> int:
    try:
        lines = (_PROC / "status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _cuda() -> Any:
    """``torch.cuda`` if a tool uses it; torch is not imported for this."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None
