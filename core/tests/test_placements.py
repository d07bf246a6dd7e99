"""Choices of placements for SDXL-sized specs, without a GPU: sizes and speeds are what counts."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from promptvision.models import devices
from promptvision.models.placement import Placement
from promptvision.models.placements import StagePlan, read_choices
from promptvision.models.pool import PLACEMENTS_FILE, ModelPool
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.settings import Settings

GB = 10**9
WEIGHTS = {"text": 1_640_000_000, "unet": 5_130_000_000, "vae": 170_000_000}
PLANS = (
    StagePlan(name="reading", models=("text",)),
    StagePlan(name="painting", models=("unet", "vae"), passes=30, shape=(1024, 1024)),
    StagePlan(name="decoding", models=("vae",), shape=(1024, 1024), can_tile=True),
)


def spec(id_: str, **options: Any) -> ModelSpec:
    size = WEIGHTS[id_]
    return ModelSpec(
        id=id_,
        source="s/s",
        revision="0",
        files=(WeightFile("w"),),
        license="MIT",
        weight_bytes={"float16": size, "float32": 2 * size},
        peak_bytes={"float16": 600_000_000} if id_ == "unet" else {},
        **{"dtypes": {"cuda": ("float16",), "cpu": ("float32",)}, "movable": True, **options},
    )


class Machine:
    """Pools on a machine with some free memory on its GPU."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.free = 24 * GB
        self.device = "cuda"

    def pool(self, **options: Any) -> ModelPool:
        return ModelPool(
            {id_: spec(id_) for id_ in WEIGHTS},
            Settings(home=self.home, **options),
            device=self.device,
            usable_bytes=lambda device, held: self.free,
        )


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(devices, "total_bytes", lambda device: 64 * GB)
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        (24, Placement.RESIDENT),
        (8, Placement.RESIDENT),
        (7, Placement.COMPONENT),
        (5, Placement.GROUP),
        (1, Placement.SEQUENTIAL),
        (0.3, Placement.CPU),
    ],
)
def test_measured_memory_determines_the_placement(machine: Machine, free: float, expected: Placement) -> None:
    machine.free = int(free * GB)
    choice = machine.pool().choose_placement(PLANS)
    assert choice.placement is expected
    assert choice.free_bytes == machine.free
    assert choice.needed_bytes["resident"] == 6_940_000_000 + 750_000_000
    assert min(choice.seconds, key=lambda name: choice.seconds[name]) == expected.name.lower()


def test_the_memory_setting_counts(machine: Machine) -> None:
    machine.free = 80 * GB
    assert machine.pool(model_memory=12 * GB).choose_placement(PLANS).placement is Placement.RESIDENT
    assert machine.pool(model_memory=6 * GB).choose_placement(PLANS).placement is Placement.COMPONENT


def test_without_page_locked_copies_nothing_is_streamed_in_groups(machine: Machine) -> None:
    machine.free = 5 * GB
    choice = machine.pool(model_host_memory=0).choose_placement(PLANS)
    assert choice.placement is Placement.SEQUENTIAL


@pytest.mark.parametrize("reason", ["no GPU", "a model for the CPU only"])
def test_without_a_gpu_for_all_the_cpu_is_used(machine: Machine, reason: str) -> None:
    specs = {id_: spec(id_) for id_ in WEIGHTS}
    if reason == "no GPU":
        machine.device = "cpu"
    else:
        specs["vae"] = spec("vae", dtypes={"cpu": ("float32",)})
    pool = ModelPool(specs, Settings(home=machine.home), device=machine.device)
    choice = pool.choose_placement(PLANS)
    assert (choice.placement, choice.reason) == (Placement.CPU, "there is no GPU for all the models")


def test_measured_seconds_decide_and_small_gains_change_nothing(machine: Machine) -> None:
    machine.free = 5 * GB
    pool = machine.pool()
    assert pool.choose_placement(PLANS).placement is Placement.GROUP

    def measured(pass_s: dict[str, float]) -> Placement:
        for mode, seconds in pass_s.items():
            row = pool.peaks.row(f"painting, {mode}", {"unet", "vae"}, "streamed", (1024, 1024), {"float16"})
            for _ in range(20):
                pool.speeds.add_pass(row, seconds)
        return pool.choose_placement(PLANS).placement

    assert measured({"group": 1.1, "sequential": 1.0}) is Placement.GROUP
    assert "kept, as no other saves more than 20%" in pool.placements()["text+unet+vae"].reason
    assert measured({"sequential": 0.5}) is Placement.SEQUENTIAL
    assert measured({"group": 0.45}) is Placement.SEQUENTIAL
    machine.free = 24 * GB
    assert pool.choose_placement(PLANS).placement is Placement.RESIDENT


def test_slow_pass_on_the_gpu_does_not_change_the_estimate_of_the_cpu(machine: Machine) -> None:
    pool = machine.pool()
    row = pool.peaks.row("painting", {"unet", "vae"}, "cuda", (1024, 1024), {"float16"})
    pool.speeds.add_pass(row, 1000.0)
    assert pool.choose_placement(PLANS).placement is Placement.RESIDENT


def test_a_measured_peak_and_a_failed_run_move_the_border(machine: Machine) -> None:
    machine.free = 8 * GB
    pool = machine.pool()
    row = pool.peaks.row("painting", {"unet", "vae"}, "cuda", (1024, 1024), {"float16"})
    pool.peaks.table.exceeded(row, 2 * GB)
    assert pool.choose_placement(PLANS).placement is Placement.COMPONENT
    for _ in range(3):
        pool.peaks.table.add(row, 3 * GB)
    assert pool.choose_placement(PLANS).placement is Placement.GROUP


def test_the_choice_is_logged_once_and_stored(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    pool = machine.pool()
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            pool.choose_placement(PLANS)
    assert [record.getMessage() for record in caplog.records] == [
        "text+unet+vae: with all models on the GPU: needs 7.69 GB of 24.00 GB, predicted 3.22 s"
    ]
    stored = read_choices(machine.home / PLACEMENTS_FILE)
    assert stored["text+unet+vae"].placement is Placement.RESIDENT
    assert stored.keys() == pool.placements().keys()
    machine.free = 7 * GB
    pool.choose_placement(PLANS)
    reason = read_choices(machine.home / PLACEMENTS_FILE)["text+unet+vae"].reason
    assert "resident needs 7.69 GB" in reason


def test_a_damaged_file_of_choices_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / PLACEMENTS_FILE
    path.write_text(json.dumps({"a": {"placement": 9}}))
    assert read_choices(path) == {}
