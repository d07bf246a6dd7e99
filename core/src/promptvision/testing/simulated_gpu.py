"""A simulated GPU: a byte ledger, a clock that copies and computation advance, and another process.

It lets the policy of the model pool run without a GPU, deterministically and faster than real time.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Block", "SimulatedGpu", "Speeds"]


@dataclass(frozen=True, kw_only=True)
class Speeds:
    """Bandwidths in bytes per second.

    Args:
        pinned: from page-locked main memory to the device.
        pageable: from pageable main memory to the device.
        back: from the device to pageable main memory.
        disk: from the disk to main memory.
    """

    pinned: float = 24e9
    pageable: float = 8e9
    back: float = 6e9
    disk: float = 2e9


class Block:
    """Allocated memory; it is free again when the last reference to the block is gone."""

    def __init__(self, gpu: SimulatedGpu, size: int) -> None:
        self._gpu = gpu
        self.nbytes = size
        gpu.allocated_bytes += size

    def __del__(self) -> None:
        self._gpu.allocated_bytes -= self.nbytes
        self._gpu.let_other_process_grow()


class SimulatedGpu:
    """A device with its own memory.

    Args:
        total_bytes: all of its memory.
        speeds: of copies.

    Attributes:
        seconds: simulated time since the start.
        allocated_bytes: memory that this process holds.
        other_bytes: memory that another process holds.
        copied_to_bytes: copied from main memory to the device.
        copied_back_bytes: copied from the device to main memory.
        read_bytes: read from the disk.
        highest_bytes: the largest sum of this and the other process.
    """

    def __init__(self, total_bytes: int, speeds: Speeds | None = None) -> None:
        self.total_bytes = total_bytes
        self.speeds = speeds or Speeds()
        self.seconds = 0.0
        self.allocated_bytes = 0
        self.other_bytes = 0
        self.copied_to_bytes = 0
        self.copied_back_bytes = 0
        self.read_bytes = 0
        self.highest_bytes = 0
        self._wanted_by_other = 0

    @property
    def free_bytes(self) -> int:
        """Memory that no process holds."""
        return self.total_bytes - self.allocated_bytes - self.other_bytes

    def allocate(self, size: int) -> Block:
        """Take memory.

        Raises:
            MemoryError: less than ``size`` bytes are free.
        """
        if size > self.free_bytes:
            raise MemoryError(f"out of memory: {size} bytes wanted, {self.free_bytes} free")
        block = Block(self, size)
        self.highest_bytes = max(self.highest_bytes, self.allocated_bytes + self.other_bytes)
        return block

    def copy_to(self, size: int, *, is_pinned: bool) -> float:
        """Copy from main memory to the device; return the seconds it takes."""
        self.copied_to_bytes += size
        return self._pass(size / (self.speeds.pinned if is_pinned else self.speeds.pageable))

    def copy_back(self, size: int) -> float:
        """Copy from the device to main memory; return the seconds it takes."""
        self.copied_back_bytes += size
        return self._pass(size / self.speeds.back)

    def read(self, size: int) -> float:
        """Read from the disk to main memory; return the seconds it takes."""
        self.read_bytes += size
        return self._pass(size / self.speeds.disk)

    def compute(self, seconds: float) -> float:
        """Compute; return ``seconds``."""
        return self._pass(seconds)

    def start_other_process(self, wanted_bytes: int) -> None:
        """Let another process take memory: what is free now, and the rest as it becomes free."""
        self._wanted_by_other = wanted_bytes
        self.let_other_process_grow()

    def let_other_process_grow(self) -> None:
        """Allocate for the other process what it still needs, as far as memory is free."""
        if (more := min(self._wanted_by_other - self.other_bytes, self.free_bytes)) > 0:
            self.other_bytes += more

    def _pass(self, seconds: float) -> float:
        self.seconds += seconds
        return seconds
