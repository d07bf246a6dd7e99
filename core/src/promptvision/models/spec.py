"""What one set of model weights is, where it comes from and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ModelSpec", "WeightFile"]


@dataclass(frozen=True)
class WeightFile:
    """One file of a model.

    Args:
        path: relative to the model's folder, with forward slashes.
        sha256: of its bytes; None when the source does not publish one.
        size: in bytes; 0 when unknown.
        url: where to get it when it is not on the hub.
    """

    path: str
    sha256: str | None = None
    size: int = 0
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One set of weights.

    Args:
        id: short name, such as ``sam2.1-l``; unique in one installation.
        source: hub repository id, such as ``IDEA-Research/grounding-dino-base``, or an https URL.
        revision: commit of the hub repository, pinned.
        files: what belongs to it; names may hold ``*`` for hub repositories.
        license: of the weights, as an SPDX id or a name.
        license_url: where its text is.
        weight_bytes: bytes by dtype name, such as ``{"float16": 447_000_000}``; a prior, measured at load.
        peak_bytes: activation memory on top of the weights for one usual call, by dtype; a prior.
        dtypes: device type (``cpu``, ``cuda``) to dtype names, best first. Its keys are the devices.
        load: ``"package.module:callable"``; gets ``(folder_or_file: Path, device: str, dtype: str)`` and
            returns the loaded model. Imported at the first lease.
        plugin: entry-point name of the owner; filled in by the registry.
    """

    id: str
    source: str
    revision: str
    files: tuple[WeightFile, ...]
    license: str
    license_url: str = ""
    weight_bytes: Mapping[str, int] = field(default_factory=dict)
    peak_bytes: Mapping[str, int] = field(default_factory=dict)
    dtypes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"cpu": ("float32",)})
    load: str = ""
    plugin: str = ""
