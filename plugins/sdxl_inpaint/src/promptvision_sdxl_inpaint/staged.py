"""Run the stages of a painting with as much of the models on the GPU as possible."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
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
    peak_prior,
    release_cached,
    usable_bytes,
)
from promptvision_sdxl_inpaint.load import TEXT_LOCK, Denoiser, TextEncoder
from promptvision_sdxl_inpaint.plugin import SPECS

if TYPE_CHECKING:
    from promptvision.plugin import ModelSpec, ToolContext

__all__ = ["StagedRunner", "first_placement", "private_view", "stream"]

T = TypeVar("T")

_SPECS = {spec.id: spec for spec in SPECS}
_WORDS = {
    Placement.RESIDENT: "with all models on the GPU",
    Placement.COMPONENT: "component by component",
    Placement.SEQUENTIAL: "layer by layer",
    Placement.CPU: "on the CPU",
}
_LARGEST_LAYER_SHARE = 0.03
"""Share of the largest layer in a model: a 1280 x 10240 projection; accelerate moves one layer at a time."""


def first_placement(stages: Sequence[Sequence[ModelSpec]], limit: int | None = None) -> Placement:
    """The fastest placement that the free memory allows; CPU without a GPU.

    Args:
        stages: the models of each stage.
        limit: maximum bytes of weights in memory (``PROMPTVISION_MODEL_MEMORY``); None for no limit.
    """
    if best_device(("cuda", "cpu")) == "cpu":
        return Placement.CPU
    each = [_stage(specs) for specs in stages]
    weights = {name: size for stage in each for name, size in stage.weights.items()}
    all_fit = limit is None or sum(weights.values()) <= limit
    best = Placement.RESIDENT if all_fit else Placement.COMPONENT
    return choose(each, usable_bytes("cuda"), at_best=best)


def _stage(specs: Sequence[ModelSpec]) -> Stage:
    dtypes = {spec.id: choose_dtype(spec.dtypes, "cuda") for spec in specs}
    weights = {spec.id: spec.weight_bytes[dtypes[spec.id]] for spec in specs}
    return Stage(
        weights=weights,
        peak_bytes=max(spec.peak_bytes.get(dtypes[spec.id], 0) for spec in specs),
        largest_layer_bytes=int(_LARGEST_LAYER_SHARE * max(weights.values())),
    )


class StagedRunner:
    """Runs stages one after the other; a stage that runs out of memory is run again one placement lower.

    Later stages stay on the lower placement. Models are leased for their stage only: the pool keeps them on
    the GPU between stages and calls until the memory is needed.

    Args:
        context: context of the call.
        placement: the initial placement.
        gpu: name of the fast device.
    """

    def __init__(self, context: ToolContext, placement: Placement, gpu: str = "cuda") -> None:
        self.placement = placement
        self.notes: list[str] = []
        self._context = context
        self._gpu = gpu

    def run(
        self,
        what: str,
        models: Sequence[str],
        work: Callable[..., T],
        *,
        keep: Sequence[str] = (),
        peak_bytes: Callable[[str], int] | None = None,
    ) -> T:
        """Lease the models of a stage and call ``work(device, *models)``.

        Args:
            what: description of the stage, for the note about running out of memory.
            models: ids of the models.
            work: runs the stage; may be called more than once.
            keep: models that the next stage also uses; component by component, the others are dropped.
            peak_bytes: activation memory that the stage can use on the GPU, by dtype of the first model. It
                is reserved if the GPU has that much memory. Default: the peak of the specs.

        Raises:
            Exception: any exception of ``work`` or the pool, unless memory ran out and there is a lower
                placement.
        """
        while True:
            try:
                return self._attempt(models, work, keep, peak_bytes)
            except Exception as exc:
                lower = self.placement.lower
                if lower is None or not is_out_of_memory(exc):
                    raise
                cause = exc.message if isinstance(exc, PromptvisionError) else "the GPU's memory ran out"
            # Outside the except block: the traceback keeps the tensors of the failed stage alive.
            self.notes.append(f"While {what}, {cause}; continued {_WORDS[lower]}.")
            self.placement = lower
            self._context.free_memory(device=self._gpu)
            release_cached()

    def _attempt(
        self,
        models: Sequence[str],
        work: Callable[..., T],
        keep: Sequence[str],
        peak_bytes: Callable[[str], int] | None,
    ) -> T:
        is_on_gpu = self.placement <= Placement.COMPONENT
        streams = self.placement is Placement.SEQUENTIAL
        leased = self._context.lease(
            *models,
            device=self._gpu if is_on_gpu else "cpu",
            compute_device=self._gpu if streams else None,
            peak_bytes=self._reserve(models, peak_bytes),
        )
        loaded = (leased,) if len(models) == 1 else leased
        try:
            if not streams:
                return work(self._gpu if is_on_gpu else "cpu", *loaded)
            views = [private_view(model) for model in loaded]
            with stream([module_of(view) for view in views], self._gpu):
                return work(self._gpu, *views)
        finally:
            del leased, loaded
            self._context.release(*models)
            if self.placement is Placement.COMPONENT and (unneeded := set(models).difference(keep)):
                self._context.free_memory(*unneeded, device=self._gpu)

    def _reserve(self, models: Sequence[str], peak_bytes: Callable[[str], int] | None) -> int | None:
        """Activation memory to lease with the models; None for the peak of the specs."""
        if self.placement is Placement.CPU:
            return None
        stage = _stage([_SPECS[model] for model in models])
        layer = stage.largest_layer_bytes if self.placement is Placement.SEQUENTIAL else 0
        if peak_bytes is None:
            return stage.peak_bytes + layer
        first = _SPECS[models[0]]
        wanted = peak_bytes(choose_dtype(first.dtypes, self._gpu))
        weights = 0 if layer else sum(stage.weights.values())
        fits = weights + peak_prior(wanted + layer) <= usable_bytes(self._gpu)
        return layer + (wanted if fits else stage.peak_bytes)


def module_of(model: Any) -> torch.nn.Module:
    """The torch module of a loaded model."""
    if isinstance(model, Denoiser):
        model = model.unet
    elif isinstance(model, TextEncoder):
        model = model.model
    module: torch.nn.Module = model
    return module


def private_view(model: Any) -> Any:
    """A copy of a loaded model that shares its weights, for installing hooks while others use the model.

    Args:
        model: a :class:`Denoiser`, a :class:`TextEncoder` or a module.
    """
    module = module_of(model)
    shared = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    with TEXT_LOCK if isinstance(model, TextEncoder) else nullcontext():
        view = copy.deepcopy(module, dict(shared))
    if isinstance(model, Denoiser):
        return replace(model, unet=view)
    return replace(model, model=view) if isinstance(model, TextEncoder) else view


@contextmanager
def stream(modules: Sequence[torch.nn.Module], device: str) -> Iterator[None]:
    """Compute on a device with modules whose weights are on the CPU; layers are moved there one at a time.

    Args:
        modules: no other call may use them meanwhile; see :func:`private_view`.
        device: the device of computation.
    """
    from accelerate import cpu_offload  # type: ignore[import-untyped]
    from accelerate.hooks import remove_hook_from_module  # type: ignore[import-untyped]

    try:
        for module in modules:
            cpu_offload(module, execution_device=torch.device(device), offload_buffers=True)
        yield
    finally:
        for module in modules:
            remove_hook_from_module(module, recurse=True)
