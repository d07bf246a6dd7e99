"""Memory of one model on one device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from promptvision.models.spec import ModelSpec

__all__ = ["HOST", "Key", "Slot", "memory_of"]

Key = tuple[str, str, str]
"""Component, device and dtype."""

HOST = "host"
"""The device of a copy of a model in main memory from which the copy on the GPU is made. It is never run."""


def memory_of(device: str) -> str:
    """The device whose memory a slot takes: ``cpu`` for a copy on :data:`HOST`."""
    return "cpu" if device == HOST else device


@dataclass(eq=False, kw_only=True)
class Slot:
    """Memory reserved for one model on one device, and the model once it is loaded.

    Args:
        spec: of the model.
        component: names the weights; models with the same component share the slot. Default: the model's id.
        device: ``cuda``, ``cpu`` or :data:`HOST`.
        dtype: of the weights.
        bytes: measured, or declared before the first load.
        leases: number of leases that hold it.
        used: rank of its last use among all uses.
        is_ready: whether ``model`` is loaded.
        model: the loaded model.
        load_s: duration of its load from the disk, in seconds.
        reload_s: predicted duration of a load after an eviction, in seconds: from main memory while there is
            a copy, else :attr:`load_s`; 0 if unknown.
        ids: the models that were leased through this slot.
    """

    spec: ModelSpec
    component: str = ""
    device: str
    dtype: str
    bytes: int
    leases: int = 0
    used: int = 0
    is_ready: bool = False
    model: Any = None
    load_s: float = 0.0
    reload_s: float = 0.0
    ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.component = self.component or self.spec.id
        self.ids.add(self.spec.id)

    @property
    def key(self) -> Key:
        """The key of the slot in the ledger."""
        return self.component, self.device, self.dtype
