"""Stages and their recovery levels, on models of this module and a CPU as a GPU of limited memory."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.models.placement import Placement
from promptvision.models.placements import PlacementChoice, StagePlan
from promptvision.models.pool import ModelPool
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.runtime.context import CallContext
from promptvision.runtime.image_cache import ImageCache
from promptvision.settings import Settings
from promptvision.tools import stages
from promptvision.tools.stages import OutOfMemory, StagedRunner


class Loaded:
    """Takes 100 bytes."""

    nbytes = 100

    def __init__(self, path: Path, device: str, dtype: str) -> None:
        self.device = device


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., CallContext]:
    monkeypatch.setattr(stages, "release_cached", lambda: None)
    monkeypatch.setattr("promptvision.models.devices.release_cached", lambda: None)

    def context(*, room: int = 1000) -> CallContext:
        specs = {}
        for name in ("encoder", "decoder"):
            (tmp_path / "weights" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "weights" / name / "w").write_text("")
            specs[name] = ModelSpec(
                id=name,
                source="s/s",
                revision="0",
                files=(WeightFile("w"),),
                license="MIT",
                weight_bytes={"float16": 100, "float32": 100},
                peak_bytes={"float16": 80, "float32": 80},
                dtypes={"cuda": ("float16",), "cpu": ("float32",)},
                load=f"{__name__}:Loaded",
            )
        settings = Settings(home=tmp_path)
        pool = ModelPool(
            specs,
            settings,
            device="cuda",
            usable_bytes=lambda device, held: room if device == "cuda" else 10_000,
        )
        return CallContext(images=ImageCache(MemoryImageStore()), pool=pool, settings=settings)

    return context


def devices_used(tried: list[str], failures: int) -> Callable[..., str]:
    """A stage that records its device, and runs out of memory a number of times."""

    def work(device: str, model: Loaded) -> str:
        tried.append(device)
        if len(tried) <= failures:
            raise RuntimeError("CUDA out of memory")
        return device

    return work


def test_a_stage_gets_its_device_and_models(make: Callable[..., CallContext]) -> None:
    runner = StagedRunner(make(), Placement.RESIDENT)
    assert runner.run("encoding", ("encoder",), lambda device, model: (device, model.device)) == (
        "cuda",
        "cuda",
    )
    both = runner.run("both", ("encoder", "decoder"), lambda device, *models: len(models))
    assert (both, runner.notes, runner.device) == (2, [], "cuda")


def test_the_reason_of_a_choice_is_a_detail_of_the_step(make: Callable[..., CallContext]) -> None:
    context = make()
    choice = context.choose_placement([StagePlan(name="encoding", models=("encoder",))])
    assert isinstance(choice, PlacementChoice)
    runner = StagedRunner(context, choice)
    assert runner.placement is Placement.RESIDENT
    assert context.notes == [f"Ran with all models on the GPU: {choice.reason}."]
    assert runner.notes == []


def test_a_lease_on_the_cpu_without_memory_on_the_gpu_is_a_detail_too(
    make: Callable[..., CallContext],
) -> None:
    context = make(room=50)
    assert context.lease("encoder").device == "cpu"
    assert context.lease("decoder", device="cpu").device == "cpu"
    assert context.notes == ["encoder on the CPU: not enough memory on the GPU."]


def test_a_stage_that_can_tile_does_so_before_it_leaves_the_gpu(make: Callable[..., CallContext]) -> None:
    context = make()
    tried: list[str] = []
    runner = StagedRunner(context, Placement.RESIDENT)
    tiled = runner.run(
        "decoding", ("decoder",), devices_used(tried, 9), tiled=lambda device, model: f"tiles on {device}"
    )
    assert (tiled, tried) == ("tiles on cuda", ["cuda"] * 3)
    assert [note.rpartition("; ")[2] for note in context.notes] == [
        "tried again with cached memory released.",
        "tried again with unused models evicted.",
        "continued in tiles.",
    ]
    assert runner.placement is Placement.RESIDENT
    assert context.is_degraded


def test_only_a_way_that_may_change_the_result_is_degraded(make: Callable[..., CallContext]) -> None:
    again, lower = make(), make()
    StagedRunner(again, Placement.RESIDENT).run("decoding", ("decoder",), devices_used([], 2))
    StagedRunner(lower, Placement.RESIDENT).run("decoding", ("decoder",), devices_used([], 3))
    assert (again.is_degraded, lower.is_degraded) == (False, True)


def test_a_stage_that_does_not_fit_whole_runs_in_tiles_at_once(make: Callable[..., CallContext]) -> None:
    """100 of weights and 1.25 x 800 of activations do not fit in 1000; the declared 80 do."""
    runner = StagedRunner(make(), Placement.RESIDENT)
    made = runner.run(
        "decoding",
        ("decoder",),
        lambda device, model: "whole",
        tiled=lambda device, model: "tiles",
        peak_bytes=lambda dtype: 800 if dtype == "float16" else 0,
    )
    assert made == "tiles"
    assert "needed on cuda" in runner.notes[0]
    assert runner.notes[0].endswith("continued in tiles.")


def test_models_that_do_not_fit_run_on_the_cpu_without_further_attempts(
    make: Callable[..., CallContext],
) -> None:
    runner = StagedRunner(make(room=50), Placement.RESIDENT)
    assert runner.run("encoding", ("encoder",), lambda device, model: device) == "cpu"
    assert runner.placement is Placement.CPU
    assert [note.rpartition("; ")[2] for note in runner.notes] == [
        f"continued {placement.words}." for placement in Placement if placement > Placement.RESIDENT
    ]


def test_finished_stages_do_not_run_again(make: Callable[..., CallContext]) -> None:
    runner = StagedRunner(make(), Placement.RESIDENT)
    first: list[str] = []
    second: list[str] = []
    runner.run("encoding", ("encoder",), devices_used(first, 0))
    runner.run("decoding", ("decoder",), devices_used(second, 2))
    assert (len(first), len(second)) == (1, 3)


def test_error_after_all_levels_says_what_was_tried(
    make: Callable[..., CallContext], caplog: pytest.LogCaptureFixture
) -> None:
    runner = StagedRunner(make(), Placement.CPU)
    with caplog.at_level(logging.WARNING), pytest.raises(OutOfMemory) as caught:
        runner.run("encoding", ("encoder",), devices_used([], 9))
    error = caught.value
    assert error.needed_bytes == 200
    assert error.free_bytes > 0
    assert error.peaks == {
        "on the CPU": 100,
        "tried again with cached memory released": 100,
        "tried again with unused models evicted": 100,
    }
    assert error.__cause__ is None
    assert error.__context__ is None  # the tensors of the failed attempts are free
    assert len(caplog.records) == 2


def test_other_errors_are_not_retried(make: Callable[..., CallContext]) -> None:
    tried: list[str] = []

    def work(device: str, model: Loaded) -> None:
        tried.append(device)
        raise ValueError("black")

    with pytest.raises(ValueError, match="black"):
        StagedRunner(make(), Placement.RESIDENT).run("encoding", ("encoder",), work)
    assert tried == ["cuda"]


def test_stages_announce_what_follows_and_record_their_seconds(
    make: Callable[..., CallContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make()
    pool: Any = context._pool
    announced: list[Any] = []
    monkeypatch.setattr(pool, "announce", lambda plan, ids: announced.append(list(ids)))
    runner = StagedRunner(context, Placement.RESIDENT)
    runner.run(
        "encoding", ("encoder",), lambda device, model: None, following=("decoder",), shape=(8, 8), passes=4
    )
    with context:
        pass
    assert announced == [["decoder"], []]
    row = pool.peaks.row("encoding", {"encoder"}, "cuda", (8, 8), {"float16"})
    assert pool.speeds.measured_pass_s(row) is not None
