"""Measured speeds of this machine: copies to the GPU, and computation by device."""

from __future__ import annotations

import threading

__all__ = ["GPU_SPEEDUP", "PAGEABLE_SHARE", "Speeds"]

COPY_BYTES_PER_S = 12e9
"""Prior: page-locked memory over 16 lanes of PCIe 4.0, which carry 31.5 GB/s at most (PCI-SIG)."""

GPU_SPEEDUP = 20
"""Prior: how much slower a pass is on a CPU, at least, than its measured time on a GPU."""

PAGEABLE_SHARE = 0.35
"""Speed of copies from pageable memory relative to page-locked memory, a prior."""

COMPUTE_BYTES_PER_S = {"cuda": 5e10, "cpu": 3e8}
"""Prior: bytes of weights that one pass of a network uses in a second. An SDXL UNet (5.1 GB) takes about a
tenth of a second on a consumer GPU, and half a minute on a CPU."""

_NEW = 0.3
"""Weight of the newest measurement in the moving average."""

_MAX_KINDS = 256


class Speeds:
    """Moving averages. Safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._copy = COPY_BYTES_PER_S
        self._passes: dict[str, float] = {}
        self.copied_bytes = 0
        """Bytes copied from main memory to the GPU."""
        self.is_copy_measured = False

    @property
    def copy_bytes_per_s(self) -> float:
        """Speed of copies to the GPU from page-locked memory."""
        return self._copy

    def add_copy(self, size: int, seconds: float) -> None:
        """Record a copy to the GPU."""
        with self._lock:
            self.copied_bytes += size
            if seconds > 0 and size > 0:
                found = size / seconds
                self._copy = found if not self.is_copy_measured else self._mixed(self._copy, found)
                self.is_copy_measured = True

    def measured_pass_s(self, row: str) -> float | None:
        """Measured seconds of one pass of a kind of call, see ``Peaks.row``; None before the first."""
        with self._lock:
            return self._passes.get(row)

    def pass_s(self, device: str, row: str, weight_bytes: int, *, at_least: float = 0.0) -> float:
        """Seconds of one pass through the networks of a stage: measured, or by the size of the weights.

        Args:
            device: ``cuda`` or ``cpu``.
            row: the kind of call.
            weight_bytes: of the networks.
            at_least: lower bound of what is not measured.
        """
        found = self.measured_pass_s(row)
        return max(at_least, weight_bytes / COMPUTE_BYTES_PER_S[device]) if found is None else found

    def add_pass(self, row: str, seconds: float) -> None:
        """Record the seconds of one pass of a kind of call."""
        with self._lock:
            before = self._passes.pop(row, None)
            self._passes[row] = seconds if before is None else self._mixed(before, seconds)
            while len(self._passes) > _MAX_KINDS:
                del self._passes[next(iter(self._passes))]

    @staticmethod
    def _mixed(before: float, now: float) -> float:
        return before + _NEW * (now - before)
