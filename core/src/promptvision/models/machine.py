"""The hardware of this machine, and which models fit in its memory."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from promptvision.models import devices
from promptvision.models.placement import PEAK_MARGIN
from promptvision.models.spec import ModelSpec

__all__ = ["Machine", "look"]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Memory and disk.

    Args:
        memory_bytes: main memory, of the container if there is one.
        gpu_bytes: memory of the GPU; 0 without one that torch can use.
        disk_bytes: free space where weights go.
    """

    memory_bytes: int
    gpu_bytes: int
    disk_bytes: int

    def device_for(self, spec: ModelSpec) -> str | None:
        """Where a model fits: ``cuda``, ``cpu``, or None."""
        room = {"cuda": self.gpu_bytes, "cpu": self.memory_bytes}
        return next((name for name in ("cuda", "cpu") if self._fits(spec, name, room[name])), None)

    def _fits(self, spec: ModelSpec, device: str, room: int) -> bool:
        return device in spec.dtypes and room > 0 and needed_bytes(spec, device) <= room


def needed_bytes(spec: ModelSpec, device: str) -> int:
    """Memory of a loaded model and one call on a device, as far as it is declared."""
    dtype = devices.choose_dtype(spec.dtypes, device)
    return int(spec.weight_bytes.get(dtype, 0) + PEAK_MARGIN * spec.peak_bytes.get(dtype, 0))


def look(folder: Path) -> Machine:
    """Look at this machine; torch is imported only if an NVIDIA driver is loaded.

    Args:
        folder: where weights go; it need not exist.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return Machine(
        memory_bytes=devices.total_bytes("cpu"),
        gpu_bytes=devices.total_bytes("cuda") if devices.has_cuda() else 0,
        disk_bytes=shutil.disk_usage(there).free,
    )
