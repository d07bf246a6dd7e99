"""Run the stages of a pipeline with as much of the models on the GPU as possible."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Self, TypeVar

from promptvision.errors import PromptvisionError, ToolFailed
from promptvision.models.copies import modules_of, private_view
from promptvision.models.devices import release_cached, usable_bytes
from promptvision.models.ledger import Reserved
from promptvision.models.offload import stream
from promptvision.models.placement import DoesNotFit, Placement, gigabytes, is_out_of_memory
from promptvision.models.placements import PlacementChoice
from promptvision.tools.context import ToolContext

__all__ = ["OutOfMemory", "StagedRunner"]

logger = logging.getLogger(__name__)

T = TypeVar("T")


class OutOfMemory(ToolFailed):
    """A stage ran out of memory with every placement.

    Args:
        what: description of the stage.
        device: where it ran last.
        needed: bytes that were reserved for it there, which were not enough.
        free: bytes that models may use there.
        peaks: what was tried, in order, with the bytes that were reserved for activations.
    """

    def __init__(self, what: str, device: str, needed: int, free: int, peaks: dict[str, int]) -> None:
        super().__init__(
            f"{what}: more than {gigabytes(needed)} needed on {device}, {gigabytes(free)} available; "
            f"tried: {', '.join(peaks)}",
            hint="close other programs, or use a smaller image or model",
        )
        self.needed_bytes = needed
        self.free_bytes = free
        self.peaks = peaks


@dataclass(frozen=True, kw_only=True)
class _Stage(Generic[T]):
    what: str
    models: tuple[str, ...]
    work: Callable[..., T]
    tiled: Callable[..., T] | None
    following: tuple[str, ...]
    peak_bytes: Callable[[str], int] | None
    shape: tuple[int, ...]
    passes: int


class _Refused(NamedTuple):
    """Bytes of a lease that the pool refused."""

    needed: int
    free: int

    @classmethod
    def of(cls, error: Exception) -> Self | None:
        return cls(error.needed_bytes, error.free_bytes) if isinstance(error, DoesNotFit) else None


class StagedRunner:
    """Runs stages one after the other; a stage that runs out of memory is tried again in other ways.

    They are, in order: with cached memory returned to the driver; with unused models evicted; in tiles, if
    the stage can; with each lower placement, which later stages then keep. Each is a note of the step.
    Finished stages do not run again. Models are leased for their stage only: the pool keeps them on the GPU
    between stages and calls until the memory is needed.

    Args:
        context: context of the call.
        placement: the initial placement, or the choice of it, whose reason becomes a note of the step.
        gpu: name of the fast device.
        view: makes a private view of a leased model, for hooks that move its layers.
    """

    def __init__(
        self,
        context: ToolContext,
        placement: Placement | PlacementChoice,
        gpu: str = "cuda",
        view: Callable[[Any], Any] = private_view,
    ) -> None:
        if isinstance(placement, PlacementChoice):
            context.note(f"Ran {placement.placement.words}: {placement.reason}.")
            placement = placement.placement
        self.placement = placement
        self.notes: list[str] = []
        self._context = context
        self._gpu = gpu
        self._view = view

    @property
    def device(self) -> str:
        """Type of the device that computes, with the current placement."""
        return "cpu" if self.placement is Placement.CPU else self._gpu

    def run(
        self,
        what: str,
        models: Sequence[str],
        work: Callable[..., T],
        *,
        following: Sequence[str] = (),
        peak_bytes: Callable[[str], int] | None = None,
        tiled: Callable[..., T] | None = None,
        shape: Sequence[int] = (),
        passes: int = 1,
    ) -> T:
        """Lease the models of a stage and call ``work(device, *models)``.

        Args:
            what: description of the stage, for notes; it names the stage in the table of measured memory.
            models: ids of the models.
            work: runs the stage; may be called more than once.
            following: models of the next stages, which are put on the GPU ahead while memory is free.
            peak_bytes: activation memory of the stage by dtype of the first model. Default: the peak of the
                specs.
            tiled: runs the stage in parts with less memory, and a result that may differ slightly.
            shape: sizes of the input, such as height and width.
            passes: how often the networks run.

        Raises:
            OutOfMemory: memory ran out in every way.
            Exception: any other exception of ``work`` or the pool.
        """
        stage = _Stage(
            what=what,
            models=tuple(models),
            work=work,
            tiled=tiled,
            following=tuple(following),
            peak_bytes=peak_bytes,
            shape=tuple(shape),
            passes=passes,
        )
        attempt = _Attempt(self._context, stage, self._gpu, self._view, self._note)
        levels = self._levels(attempt)
        initial, step = self.placement, self.placement.words
        peaks: dict[str, int] = {}
        while True:
            try:
                return attempt.run(self.placement)
            except Exception as exc:
                if not is_out_of_memory(exc):
                    raise
                attempt.refused = _Refused.of(exc)
                cause = exc.message if isinstance(exc, PromptvisionError) else _ran_out(self.device)
            # Outside the except block: the traceback keeps the tensors of the failed attempt alive.
            peaks[step] = attempt.reserved.peak
            if (level := next(levels, None)) is None:
                had = attempt.refused or _Refused(sum(attempt.reserved), usable_bytes(self.device))
                raise OutOfMemory(what, self.device, had.needed, had.free, peaks)
            step = level
            is_other = attempt.is_tiled or self.placement is not initial
            self._note(f"While {what}, {cause}; {step}.", is_degraded=is_other)

    def _levels(self, attempt: _Attempt[Any]) -> Iterator[str]:
        """Prepare the next attempt, and say how it differs from the one before."""
        if attempt.refused is None:
            release_cached()
            yield "tried again with cached memory released"
        if attempt.refused is None:
            self._context.free_memory(device=self.device)
            yield "tried again with unused models evicted"
        if attempt.stage.tiled is not None:
            attempt.is_tiled = True
            yield "continued in tiles"
        while (lower := self.placement.lower) is not None:
            self.placement = lower
            self._context.free_memory(device=self._gpu)
            yield f"continued {lower.words}"

    def _note(self, text: str, *, is_degraded: bool = True) -> None:
        logger.warning("%s", text)
        self.notes.append(text)
        self._context.note(text, is_degraded=is_degraded)


class _Attempt(Generic[T]):
    """Attempts of one stage.

    Args:
        context: leases the models.
        stage: what runs.
        gpu: name of the fast device.
        view: makes private views.
        note: records what is done differently.
    """

    def __init__(
        self,
        context: ToolContext,
        stage: _Stage[T],
        gpu: str,
        view: Callable[[Any], Any],
        note: Callable[[str], None],
    ) -> None:
        self.stage = stage
        self.is_tiled = False
        self.refused: _Refused | None = None
        self.reserved = Reserved()
        self._context = context
        self._gpu = gpu
        self._view = view
        self._note = note

    def run(self, placement: Placement) -> T:
        """Run the stage once."""
        stage, context = self.stage, self._context
        self.reserved = Reserved()
        leased = self._lease(placement)
        context.announce(*stage.following)  # now that nothing of this stage waits for a load
        loaded = (leased,) if len(stage.models) == 1 else leased
        failed = ran_out = False
        try:
            return self._work(placement, loaded)
        except Exception as exc:
            failed, ran_out = True, is_out_of_memory(exc)
            raise
        finally:
            del leased, loaded
            self.reserved = context.release(*stage.models, failed=failed, ran_out_of_memory=ran_out)

    def _work(self, placement: Placement, loaded: Sequence[Any]) -> T:
        work = self.stage.tiled if self.is_tiled and self.stage.tiled else self.stage.work
        if not placement.is_streamed:
            return work("cpu" if placement is Placement.CPU else self._gpu, *loaded)
        views = [self._view(model) for model in loaded]
        modules = [module for view in views for module in modules_of(view)]
        with stream(modules, self._gpu, placement):
            return work(self._gpu, *views)

    def _lease(self, placement: Placement) -> Any:
        """The models, with the memory of the whole stage if there is that much, else as specs declare."""
        stage = self.stage
        name = placement.operation(stage.what)
        if stage.peak_bytes is not None and placement is not Placement.CPU and not self.is_tiled:
            try:
                return self._lease_with(placement, name, stage.peak_bytes)
            except DoesNotFit as exc:
                if stage.tiled is not None:
                    self.is_tiled = True
                    self._note(f"While {stage.what}, {exc.message}; continued in tiles.")
        return self._lease_with(placement, f"{name}, tiled" if self.is_tiled else name, None)

    def _lease_with(
        self, placement: Placement, operation: str, peak_bytes: Callable[[str], int] | None
    ) -> Any:
        on_gpu = placement <= Placement.COMPONENT
        return self._context.lease(
            *self.stage.models,
            device=self._gpu if on_gpu else "cpu",
            compute_device=self._gpu if placement.is_streamed else None,
            peak_bytes=peak_bytes,
            operation=operation,
            shape=self.stage.shape,
            passes=self.stage.passes,
        )


def _ran_out(device: str) -> str:
    return "memory ran out" if device == "cpu" else "the GPU's memory ran out"
