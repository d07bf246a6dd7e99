"""What callers of the pool get: leased models until the lease is closed, and a list of what is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from promptvision.models.ledger import Reserved

__all__ = ["HeldLease", "LeasedModels", "LoadedModel"]


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model in memory, for metrics and ``promptvision doctor``.

    Args:
        id: of its model spec; of the first one that was leased, if several name the same weights.
        device: its device; ``host`` for a copy in main memory from which that on the GPU is made.
        dtype: of its weights.
        bytes: measured, or declared when it cannot be measured.
        leases: number of calls that use it now.
        load_s: load time in seconds.
    """

    id: str
    device: str
    dtype: str
    bytes: int
    leases: int
    load_s: float


class LeasedModels(tuple[Any, ...]):
    """The models of a lease in the order in which they were named; ``ids`` are those of their specs."""

    ids: tuple[str, ...]


class HeldLease:
    """A lease until it is closed.

    Args:
        models: the models.
        reserved: bytes on the device of computation.
        is_second_choice: whether they are on the CPU although there is a GPU that they run on.
        end: called once, with whether the call failed and whether it ran out of memory.
    """

    def __init__(
        self,
        models: LeasedModels,
        reserved: Reserved,
        is_second_choice: bool,
        end: Callable[[bool, bool], None],
    ) -> None:
        self.models = models
        self.reserved = reserved
        self.is_second_choice = is_second_choice
        self._end: Callable[[bool, bool], None] | None = end

    def close(self, *, failed: bool = False, ran_out_of_memory: bool = False) -> None:
        """End the lease.

        Args:
            failed: whether the call did, so that its seconds say nothing.
            ran_out_of_memory: whether it did; its peak is then known to be larger than what it had.
        """
        end, self._end = self._end, None
        self.models = LeasedModels()
        if end is not None:
            end(failed or ran_out_of_memory, ran_out_of_memory)
