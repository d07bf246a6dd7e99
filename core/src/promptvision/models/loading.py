"""Run the loaders of models, one at a time in the whole process."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptvision.errors import PluginError, PromptvisionError, SetupError, ToolFailed
from promptvision.instruments import Activity
from promptvision.models.placement import is_out_of_memory
from promptvision.models.spec import ModelSpec

__all__ = ["ModelLoadActivity", "import_loader", "load_model", "require_all_weights"]

Loader = Callable[[Path, str, str], Any]

LOAD_LOCK = threading.Lock()
"""Held while any model loads: the loaders of transformers and diffusers patch torch's module class during a
load, so a second load in parallel would leave tensors without data (on ``meta``)."""

_POLL_S = 0.1


@dataclass(eq=False)
class ModelLoadActivity(Activity):
    """A model is loaded.

    Args:
        model: its id.
        device: where it is put.
    """

    model: str
    device: str


def import_loader(spec: ModelSpec) -> Loader:
    """Import the function that ``spec.load`` names.

    Raises:
        PluginError: it does not exist, or its module cannot be imported.
    """
    owner = spec.plugin or "model"
    module, _, name = spec.load.partition(":")
    try:
        loader = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as exc:
        raise PluginError(owner, f"model {spec.id!r}: loader {spec.load!r}: {exc}") from exc
    if not callable(loader):
        raise PluginError(owner, f"model {spec.id!r}: loader {spec.load!r} is not a function")
    return loader  # type: ignore[no-any-return]


def load_model(
    spec: ModelSpec,
    path: Path,
    device: str,
    dtype: str,
    *,
    check: Callable[[], None],
    free: Callable[[], object],
) -> tuple[Any, float]:
    """Load a model; if memory runs out, call ``free()`` and load it again.

    Args:
        spec: what to load.
        path: its folder or file.
        device: the device to load it on.
        dtype: of its weights.
        check: called while waiting for other loads; an exception ends the wait.
        free: frees memory that is not in use.

    Returns:
        The model, and the load time in seconds, without waiting for other loads.

    Raises:
        PluginError: the loader cannot be imported.
        ToolFailed: the loader failed. Errors of promptvision and out-of-memory errors are raised unchanged.
    """
    loader = import_loader(spec)
    with _one_at_a_time(check):
        started = time.monotonic()
        try:
            return _call(spec, loader, path, device, dtype), time.monotonic() - started
        except Exception as exc:
            if not is_out_of_memory(exc):
                raise
        free()  # outside the except block: the traceback keeps the partly loaded model alive
        started = time.monotonic()
        return _call(spec, loader, path, device, dtype), time.monotonic() - started


@contextmanager
def _one_at_a_time(check: Callable[[], None]) -> Iterator[None]:
    check()
    while not LOAD_LOCK.acquire(timeout=_POLL_S):
        check()
    try:
        yield
    finally:
        LOAD_LOCK.release()


def _call(spec: ModelSpec, loader: Loader, path: Path, device: str, dtype: str) -> Any:
    try:
        return loader(path, device, dtype)
    except PromptvisionError:
        raise
    except Exception as exc:
        if is_out_of_memory(exc):
            raise
        owner = spec.plugin or "model"
        raise ToolFailed(
            f"{owner}: model {spec.id!r} could not be loaded from {path}: {type(exc).__name__}: {exc}",
            hint=f"check its files with `promptvision models verify {spec.id}`",
        ) from exc


def require_all_weights(owner: str, path: Path, info: Mapping[str, Iterable[object]]) -> None:
    """Reject a checkpoint with missing weights, which the libraries would initialise randomly.

    Args:
        owner: the plugin.
        path: of the checkpoint.
        info: what ``from_pretrained(..., output_loading_info=True)`` of transformers and diffusers returns in
            addition to the model.

    Raises:
        SetupError: weights are missing or have another shape.
    """
    keys = sorted(str(key) for name in ("missing_keys", "mismatched_keys") for key in info.get(name, ()))
    if keys:
        more = ", ..." if len(keys) > 3 else ""
        raise SetupError(
            f"{owner}: {path} does not contain all weights of the model: "
            f"{len(keys)} missing or of another shape: {', '.join(keys[:3])}{more}",
            hint="download the model again, or name a folder with a complete checkpoint",
        )
