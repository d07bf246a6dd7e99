"""The key of a cached stage: everything that determines its arrays."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptvision.models.devices import choose_dtype
from promptvision.models.manifest import read_manifest
from promptvision.models.spec import ModelSpec
from promptvision.models.weights import effective_spec, require
from promptvision.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["pixel_digest", "stage_digest"]

_FORMAT = 1
"""Part of each key. It is incremented when the meaning of a key or the format of entries changes."""


def stage_digest(
    stage: str,
    *,
    version: str,
    specs: Sequence[ModelSpec],
    settings: Settings,
    device: str,
    pixels: Sequence[str],
    libraries: Sequence[str],
    parameters: Mapping[str, Any],
) -> str:
    """BLAKE2b-256 of everything that determines the arrays of a stage, in hexadecimal.

    Args:
        stage: its name, with that of the plugin.
        version: of the plugin's distribution.
        specs: the models that compute it.
        settings: location of their weights.
        device: the device type that computes it.
        pixels: :func:`pixel_digest` of each image.
        libraries: distributions that compute it; their major and minor versions count.
        parameters: everything else, as JSON values.

    Raises:
        TypeError: a parameter is not a JSON value.
        SetupError: weights are not downloaded.
    """
    parts = {
        "format": _FORMAT,
        "stage": stage,
        "version": version,
        "models": [_model(spec, settings, device) for spec in specs],
        "device": _device_class(device),
        "pixels": list(pixels),
        "libraries": {name: _release(name) for name in libraries},
        "parameters": parameters,
    }
    text = json.dumps(_exact(parts), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def pixel_digest(image: Image) -> str:
    """BLAKE2b-256 of a decoded image: its mode, size and pixels."""
    hasher = hashlib.blake2b(f"{image.mode} {image.width}x{image.height}\0".encode(), digest_size=32)
    hasher.update(image.tobytes())
    return hasher.hexdigest()


def _exact(value: Any) -> Any:
    """A JSON value in which each float is written as hexadecimal digits."""
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, Mapping):
        return {str(key): _exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(item) for item in value]
    return value


def _model(spec: ModelSpec, settings: Settings, device: str) -> list[Any]:
    path, wanted = require(spec, settings), effective_spec(spec, settings)
    manifest = read_manifest(path) if path.is_dir() else None
    if manifest is not None:
        files: list[Any] = [[file.path, file.sha256] for file in manifest.files]
        return [spec.id, manifest.source, manifest.commit, files, choose_dtype(spec.dtypes, device)]
    return [spec.id, wanted.source, wanted.revision, _state(path), choose_dtype(spec.dtypes, device)]


def _state(path: Path) -> list[Any]:
    """Names, sizes and times of files without a manifest: hashing gigabytes would cost more than a stage."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    stats = [(str(file), file.stat()) for file in files if file.is_file()]
    return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]


def _device_class(device: str) -> str:
    """The device type, and for a GPU its name: other hardware rounds differently."""
    torch = sys.modules.get("torch")
    if device.startswith("cuda") and torch is not None and torch.cuda.is_available():
        return f"cuda {torch.cuda.get_device_name()}"
    return device


@lru_cache(maxsize=64)
def _release(distribution: str) -> str:
    """The major and minor version of a distribution, such as ``2.9``; empty if it is not installed."""
    try:
        return ".".join(version(distribution).split(".")[:2])
    except PackageNotFoundError:
        return ""
