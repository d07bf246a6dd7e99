"""The arms of ``benchmarks/gpu_pool.py``: our pool, and what diffusers and the usual recipe do."""

from __future__ import annotations

import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import diffusers
import torch
from accelerate import cpu_offload_with_hook  # type: ignore[import-untyped]
from accelerate.hooks import remove_hook_from_module  # type: ignore[import-untyped]
from diffusers.hooks.group_offloading import apply_group_offloading
from gpu_pool_chain import CHAIN, Part, Size, Stage, dtype_of

from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.models.accelerator import CudaAccelerator
from promptvision.models.copies import private_view
from promptvision.models.placements import StagePlan
from promptvision.models.pool import ModelPool
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.runtime.context import CallContext
from promptvision.runtime.image_cache import ImageCache
from promptvision.settings import Settings
from promptvision.tools.stages import StagedRunner

Work = Callable[..., None]


class Arm(ABC):
    """Decides where networks are while stages run.

    Args:
        parts: networks in main memory, which other arms use as well.
        device: the device of computation.
        size: of the networks.
    """

    def __init__(self, parts: dict[str, Part], device: str, size: Size) -> None:
        self.device = device
        self.size = size
        self.parts = {name: _view(part, device) for name, part in parts.items()}
        self.notes: list[str] = []

    @abstractmethod
    def run(self, stage: Stage, work: Work, following: Sequence[str]) -> None:
        """Run one stage."""

    def end_edit(self) -> None:  # noqa: B027  # most arms have nothing to do
        """After the last stage."""

    def placed_bytes(self) -> int:
        """Bytes copied to the device that the counter of this thread leaves out."""
        return 0

    def close(self) -> None:
        """Free everything."""
        self.parts.clear()


def _view(part: Part, device: str) -> Part:
    view: Part = private_view(part)
    view.compute_device = device
    return view


class AlwaysOffload(Arm):
    """Each stage's networks go to the device for it and back to main memory after it."""

    def run(self, stage: Stage, work: Work, following: Sequence[str]) -> None:
        """Move, run, move back."""
        parts = [self.parts[name] for name in stage.models]
        for part in parts:
            part.to(self.device)
        try:
            work(*parts)
        finally:
            for part in parts:
                part.to("cpu")


class AllResident(Arm):
    """Every network stays on the device from its first stage on."""

    def run(self, stage: Stage, work: Work, following: Sequence[str]) -> None:
        """Move if it is the first time, and run."""
        work(*(self.parts[name].to(self.device) for name in stage.models))


class ModelOffload(Arm):
    """The hooks of ``enable_model_cpu_offload``: one network at a time, all in main memory after an edit."""

    def __init__(self, parts: dict[str, Part], device: str, size: Size) -> None:
        super().__init__(parts, device, size)
        self._hooks: list[Any] = []
        for name in dict.fromkeys(name for stage in CHAIN for name in stage.models):
            before = self._hooks[-1] if self._hooks else None
            _, hook = cpu_offload_with_hook(self.parts[name], device, prev_module_hook=before)
            self._hooks.append(hook)

    def run(self, stage: Stage, work: Work, following: Sequence[str]) -> None:
        """Run; the hooks move."""
        work(*(self.parts[name] for name in stage.models))

    def end_edit(self) -> None:
        """As ``maybe_free_model_hooks``."""
        for hook in self._hooks:
            hook.offload()

    def close(self) -> None:
        """Remove the hooks."""
        for part in self.parts.values():
            remove_hook_from_module(part, recurse=True)
        self._hooks.clear()
        super().close()


class AutoOffload(Arm):
    """``ComponentsManager.enable_auto_cpu_offload`` with its default margin of 3 GB."""

    def __init__(self, parts: dict[str, Part], device: str, size: Size) -> None:
        super().__init__(parts, device, size)
        if device == "cpu":
            raise RuntimeError("needs a GPU")
        manager: Any = diffusers.ComponentsManager
        self._manager = manager()
        for name, part in self.parts.items():
            self._manager.add(name, part)
        self._manager.enable_auto_cpu_offload(device=device)

    def run(self, stage: Stage, work: Work, following: Sequence[str]) -> None:
        """Run; the hooks move."""
        work(*(self.parts[name] for name in stage.models))

    def close(self) -> None:
        """Remove the hooks."""
        self._manager.disable_auto_cpu_offload()
        super().close()


class GroupOffload(Arm):
    """``apply_group_offloading`` by leaf, with a stream for copies."""

    def __init__(self, parts: dict[str, Part], device: str, size: Size) -> None:
        super().__init__(parts, device, size)
        for part in self.parts.values():
            apply_group_offloading(
                part.network,
                onload_device=torch.device(device),
                offload_type="leaf_level",
                use_stream=device != "cpu",
            )

    def run(self, stage: Stage, work: Work, following: Sequence[str]) -> None:
        """Run; the hooks move."""
        work(*(self.parts[name] for name in stage.models))


PLACING = threading.local()
"""``is_on`` while our pool copies in this thread; its copies in all threads are counted by the arm."""


class CountingAccelerator(CudaAccelerator):
    """Counts the bytes of the pool's copies, also of those in its own thread."""

    def __init__(self) -> None:
        super().__init__()
        self.placed = 0

    def place(self, tensor: Any) -> Any:
        """Copy, and count."""
        PLACING.is_on = True
        try:
            self.placed += tensor.nbytes
            return super().place(tensor)
        finally:
            PLACING.is_on = False


class Ours(Arm):
    """The model pool and the stages of the product."""

    def __init__(self, parts: dict[str, Part], device: str, size: Size) -> None:
        super().__init__({}, device, size)
        SOURCES.update(parts)
        self._folder = tempfile.TemporaryDirectory()
        home = Path(self._folder.name)
        specs = [_spec(part, home, size) for part in parts.values()]
        self._accelerator = CountingAccelerator()
        settings = Settings(home=home)
        self._pool = ModelPool({spec.id: spec for spec in specs}, settings, accelerator=self._accelerator)
        context = CallContext(images=ImageCache(MemoryImageStore()), pool=self._pool, settings=settings)
        self._runner = StagedRunner(
            context, context.choose_placement([_plan(stage, size) for stage in CHAIN])
        )

    def run(self, stage: Stage, work: Work, following: Sequence[str]) -> None:
        """Run by the product's runner of stages."""

        def on_device(do: Work) -> Work:
            def run(device: str, *parts: Part) -> None:
                for part in parts:
                    part.compute_device = device
                do(*parts)

            return run

        tiled = stage.tiled
        self._runner.run(
            stage.name,
            stage.models,
            on_device(work),
            following=following,
            peak_bytes=lambda dtype: stage.peak,
            tiled=on_device(lambda *parts: tiled(self.size, *parts)) if tiled else None,
            shape=(self.size.pixels, self.size.pixels),
            passes=stage.passes(self.size),
        )
        self.notes += self._runner.notes
        self._runner.notes.clear()

    def placed_bytes(self) -> int:
        """What the pool copied."""
        return self._accelerator.placed

    def close(self) -> None:
        """Close the pool."""
        self._pool.close()
        SOURCES.clear()
        self._folder.cleanup()
        super().close()


def _plan(stage: Stage, size: Size) -> StagePlan:
    return StagePlan(
        name=stage.name,
        models=stage.models,
        passes=stage.passes(size),
        shape=(size.pixels, size.pixels),
        can_tile=stage.tiled is not None,
    )


SOURCES: dict[str, Part] = {}
"""What :func:`load` returns instead of reading files, by model id."""


def load(path: Path, device: str, dtype: str) -> Part:
    """The loader of our models: a view of a network in main memory."""
    return _view(SOURCES[path.name], device).to(device)


def _spec(part: Part, home: Path, size: Size) -> ModelSpec:
    folder = home / "weights" / part.name
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"1")
    dtype = dtype_of(part.name, size)
    return ModelSpec(
        id=part.name,
        source=f"benchmark/{part.name}",
        revision="0" * 40,
        files=(WeightFile("weights"),),
        license="none",
        weight_bytes={dtype: part.get_memory_footprint()},
        dtypes={"cuda": (dtype,), "cpu": (dtype,)},
        load="gpu_pool_arms:load",
        movable=True,
    )


ARMS: dict[str, type[Arm]] = {
    "ours": Ours,
    "all resident": AllResident,
    "always offload": AlwaysOffload,
    "diffusers model offload": ModelOffload,
    "diffusers ComponentsManager": AutoOffload,
    "diffusers group offload": GroupOffload,
}
