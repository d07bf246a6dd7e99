"""Compute on a device with modules whose weights stay in main memory.

The libraries that do it are imported at first use; plugins that load modules with them have installed them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from promptvision.errors import SetupError
from promptvision.models.placement import Placement

__all__ = ["stream"]


@contextmanager
def stream(modules: Sequence[Any], device: str, placement: Placement) -> Iterator[None]:
    """Move layers of torch modules to a device while they compute, and drop them there afterwards.

    With :attr:`~promptvision.models.placement.Placement.GROUP` the next layer is copied while one computes,
    on a GPU by a stream of its own; with ``SEQUENTIAL`` each layer waits for its copy. Weights are never
    copied back from a GPU.

    Args:
        modules: private views (:func:`~promptvision.models.copies.private_view`), which are used once.
        device: the device of computation.
        placement: ``GROUP`` or ``SEQUENTIAL``.

    Raises:
        SetupError: the library for the placement is not installed.

    Source: ``apply_group_offloading`` of diffusers, by leaf, and ``cpu_offload`` of accelerate.
    """
    if placement is Placement.GROUP:
        try:
            for module in modules:
                _stream_groups(module, device)
            yield
        finally:
            for module in modules:
                _drop(module)
        return
    try:
        from accelerate import cpu_offload  # type: ignore[import-untyped]
        from accelerate.hooks import remove_hook_from_module  # type: ignore[import-untyped]
    except ImportError as exc:
        raise _missing("accelerate") from exc
    try:
        for module in modules:
            cpu_offload(module, execution_device=device, offload_buffers=True)
        yield
    finally:
        for module in modules:
            remove_hook_from_module(module, recurse=True)


def _drop(module: Any) -> None:
    """Free what is on the device now: the hooks are in cycles, which the garbage collector finds later."""
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data = tensor.data.new_empty(0)


def _stream_groups(module: Any, device: str) -> None:
    try:
        from diffusers.hooks.group_offloading import apply_group_offloading
    except ImportError as exc:
        raise _missing("diffusers") from exc
    apply_group_offloading(
        module,
        onload_device=device,
        offload_device="cpu",
        offload_type="leaf_level",
        use_stream=device != "cpu",
    )


def _missing(library: str) -> SetupError:
    return SetupError(
        f"weights cannot be moved to the GPU in parts without {library}",
        hint="pip install 'promptvision[offload]'",
    )
