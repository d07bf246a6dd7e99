"""What the pool asks of a GPU: copies from main memory, and the allocator's figures."""

from __future__ import annotations

import sys
from typing import Any, Protocol

__all__ = ["Accelerator", "CudaAccelerator"]


class Accelerator(Protocol):
    """A device with a memory of its own. Tensors are those of torch."""

    def label(self) -> str:
        """The device and the versions that determine how much memory a call needs."""

    def allocated_bytes(self) -> int | None:
        """Bytes of live tensors on the device; None if nothing was ever put there."""

    def peak_bytes(self) -> int | None:
        """The largest :meth:`allocated_bytes` since :meth:`reset_peak`."""

    def reset_peak(self) -> None:
        """Start measuring the peak at what is allocated now."""

    def place(self, tensor: Any) -> Any:
        """A copy of a tensor in main memory on the device; it may still be under way when this returns."""

    def synchronize(self) -> None:
        """Wait for copies that are under way."""

    def pin(self, tensor: Any) -> Any:
        """A tensor in page-locked memory, from which copies to the device are fast."""


class CudaAccelerator:
    """The current CUDA device of torch. torch is imported by the loaders, never by this class."""

    def __init__(self) -> None:
        self._label = ""

    def label(self) -> str:
        """Name of the card and version of torch."""
        torch = sys.modules.get("torch")
        if not self._label and torch is not None and torch.cuda.is_available():
            self._label = f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
        return self._label

    def allocated_bytes(self) -> int | None:
        """The figure of ``torch.cuda.memory_allocated``."""
        return self._allocated("current")

    def peak_bytes(self) -> int | None:
        """The figure of ``torch.cuda.max_memory_allocated``."""
        return self._allocated("peak")

    def reset_peak(self) -> None:
        """``torch.cuda.reset_peak_memory_stats``."""
        torch = self._torch()
        if torch is not None:
            torch.cuda.reset_peak_memory_stats()

    def place(self, tensor: Any) -> Any:
        """Copy without blocking, which is asynchronous from page-locked memory."""
        return tensor.to("cuda", non_blocking=True)

    def synchronize(self) -> None:
        """``torch.cuda.synchronize``."""
        torch = self._torch()
        if torch is not None:
            torch.cuda.synchronize()

    def pin(self, tensor: Any) -> Any:
        """``Tensor.pin_memory``; the tensor itself if it is pinned."""
        return tensor.pin_memory()

    def _allocated(self, figure: str) -> int | None:
        """One figure of the allocator, without sorting all of them, which would take longer than a lease."""
        torch = self._torch()
        if torch is None:
            return None
        return int(torch.cuda.memory_stats_as_nested_dict()["allocated_bytes"]["all"][figure])

    @staticmethod
    def _torch() -> Any:
        """torch, if it has used the GPU."""
        torch = sys.modules.get("torch")
        return torch if torch is not None and torch.cuda.is_initialized() else None
