"""Memory of one model on one device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from promptvision.models.spec import ModelSpec

__all__ = ["Key", "Slot"]

Key = tuple[str, str, str]
"""Model id, device and dtype."""


@dataclass(eq=False, kw_only=True)
class Slot:
    """Memory reserved for one model on one device, and the model once it is loaded.

    Args:
        spec: of the model.
        device: the device of the weights.
        dtype: of the weights.
        bytes: measured, or declared before the first load.
        leases: number of leases that hold it.
        used: rank of its last use among all uses.
        is_ready: whether ``model`` is loaded.
        model: the loaded model.
        load_s: duration of its load, in seconds.
        reload_s: predicted duration of a load after an eviction, in seconds; 0 if unknown.
    """

    spec: ModelSpec
    device: str
    dtype: str
    bytes: int
    leases: int = 0
    used: int = 0
    is_ready: bool = False
    model: Any = None
    load_s: float = 0.0
    reload_s: float = 0.0

    @property
    def key(self) -> Key:
        """The key of the slot in the ledger."""
        return self.spec.id, self.device, self.dtype
