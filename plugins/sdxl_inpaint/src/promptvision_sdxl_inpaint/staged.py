"""Running the stages of a painting on as much of a GPU as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from promptvision.plugin import (
    Placement,
    PromptvisionError,
    Stage,
    best_device,
    choose,
    choose_dtype,
    is_out_of_memory,
    release_cached,
    usable_bytes,
)
from promptvision_sdxl_inpaint.load import Denoiser, TextEncoder

if TYPE_CHECKING:
    from promptvision.plugin import ModelSpec, ToolContext

__all__ = ["StagedRunner", "first_placement", "stream"]

T = TypeVar("T")

_WORDS = {
    Placement.RESIDENT: "with all models on the GPU",
    Placement.COMPONENT: "component by component",
    Placement.SEQUENTIAL: "layer by layer",
    Placement.CPU: "on the CPU",
}
_LARGEST_LAYER_SHARE = 0.03
"""Of a model's bytes; SDXL's largest is a 1280 x 10240 projection, and accelerate moves one at a time."""


def first_placement(stages: Sequence[Sequence[ModelSpec]]) -> Placement:
    """The best placement that the memory measured now allows; CPU where there is no GPU.

    Args:
        stages: the models of each stage.
    """
    if best_device(("cuda", "cpu")) == "cpu":
        return Placement.CPU
    return choose([_stage(specs) for specs in stages], usable_bytes("cuda"))


def _stage(specs: Sequence[ModelSpec]) -> Stage:
    dtypes = {spec.id: choose_dtype(spec.dtypes, "cuda") for spec in specs}
    weights = {spec.id: spec.weight_bytes[dtypes[spec.id]] for spec in specs}
    return Stage(
        weights=weights,
        peak_bytes=max(spec.peak_bytes.get(dtypes[spec.id], 0) for spec in specs),
        largest_layer_bytes=int(_LARGEST_LAYER_SHARE * max(weights.values())),
    )


class StagedRunner:
    """Runs stages one after the other; one that runs out of memory is run again one placement lower.

    Later stages stay on the lower placement. Models are leased for their stage only: the pool keeps them on
    the GPU between stages and calls as long as nothing else needs the room.

    Args:
        context: of the call.
        placement: where to begin.
        gpu: name of the fast device.
    """

    def __init__(self, context: ToolContext, placement: Placement, gpu: str = "cuda") -> None:
        self.placement = placement
        self.notes: list[str] = []
        self._context = context
        self._gpu = gpu

    def run(self, what: str, models: Sequence[str], work: Callable[..., T]) -> T:
        """Lease the models of a stage and call ``work(device, *models)``.

        Args:
            what: the stage in words, for the note about running out of memory.
            models: ids.
            work: the stage; it may be called more than once.

        Raises:
            Exception: whatever ``work`` or the pool raises, unless it says that memory ran out and there is
                a lower placement.
        """
        while True:
            try:
                return self._attempt(models, work)
            except Exception as exc:
                lower = self.placement.lower
                if lower is None or not is_out_of_memory(exc):
                    raise
                cause = exc.message if isinstance(exc, PromptvisionError) else "the GPU's memory ran out"
            # Outside the except block: the traceback keeps the tensors of the failed stage alive.
            self.notes.append(f"While {what}, {cause}; went on {_WORDS[lower]}.")
            self.placement = lower
            self._context.free_memory()
            release_cached()

    def _attempt(self, models: Sequence[str], work: Callable[..., T]) -> T:
        on_gpu = self.placement <= Placement.COMPONENT
        leased = self._context.lease(*models, device=self._gpu if on_gpu else "cpu")
        loaded = (leased,) if len(models) == 1 else leased
        try:
            if self.placement is not Placement.SEQUENTIAL:
                return work(self._gpu if on_gpu else "cpu", *loaded)
            with stream([module_of(model) for model in loaded], self._gpu):
                return work(self._gpu, *loaded)
        finally:
            del leased, loaded
            self._context.release(*models)
            if self.placement is Placement.COMPONENT:
                self._context.free_memory()


def module_of(model: Any) -> torch.nn.Module:
    """The torch module in what a loader returned."""
    if isinstance(model, Denoiser):
        model = model.unet
    elif isinstance(model, TextEncoder):
        model = model.model
    module: torch.nn.Module = model
    return module


@contextmanager
def stream(modules: Sequence[torch.nn.Module], device: str) -> Iterator[None]:
    """Let modules whose weights lie on the CPU compute on a device, each layer brought there for its turn."""
    from accelerate import cpu_offload  # type: ignore[import-untyped]
    from accelerate.hooks import remove_hook_from_module  # type: ignore[import-untyped]

    try:
        for module in modules:
            cpu_offload(module, execution_device=torch.device(device), offload_buffers=True)
        yield
    finally:
        for module in modules:
            remove_hook_from_module(module, recurse=True)
