"""``promptvision models status``, on the files that a pool of this process stored."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from promptvision.cli.models import models
from promptvision.models import devices
from promptvision.models.placements import StagePlan
from promptvision.models.pool import ModelPool
from promptvision.models.spec import ModelSpec
from promptvision.plugins.discovery import new_manager
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings

GB = 10**9


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(devices, "has_cuda", lambda: False)
    monkeypatch.setattr(devices, "total_bytes", lambda device: 32 * GB)
    monkeypatch.setattr(devices, "_host_bytes", lambda held: (20 * GB, 32 * GB))
    return Settings(home=tmp_path, model_headroom=2 * GB)


def status(settings: Settings, *args: str) -> str:
    done = CliRunner().invoke(models, ["status", *args], obj=Registry(settings, [], new_manager()))
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_new_installation_has_devices_only(settings: Settings) -> None:
    assert status(settings).splitlines() == [
        "cpu: 18.00 GB of 32.00 GB for models",
        "copies in main memory: at most 16.00 GB",
    ]


def test_choices_and_measured_peaks_of_other_processes_are_shown(settings: Settings) -> None:
    spec = ModelSpec(
        id="unet",
        source="s/s",
        revision="0",
        files=(),
        license="MIT",
        weight_bytes={"float16": 5 * GB},
        dtypes={"cuda": ("float16",), "cpu": ("float32",)},
    )
    pool = ModelPool({"unet": spec}, settings, device="cuda", usable_bytes=lambda device, held: 4 * GB)
    pool.choose_placement([StagePlan(name="painting", models=("unet",), passes=20)])
    pool.peaks.table.exceeded("decoding|cuda|40|float16|card", GB)
    for _ in range(3):
        pool.peaks.table.add("painting|cuda|40|float16|card", GB)
    pool.close()
    text = status(settings.model_copy(update={"model_memory": 9 * GB}))
    assert "PROMPTVISION_MODEL_MEMORY: at most 9.00 GB of weights" in text
    assert "\nunet: group (" in text
    assert "resident needs 5.00 GB" in text
    assert "  painting|cuda|40|float16|card: 1.10 GB (3 runs)" in text
    assert "  decoding|cuda|40|float16|card: not yet, more than 1.00 GB (0 runs)" in text
    found = SimpleNamespace(**json.loads(status(settings, "--json")))
    assert found.host_memory == 16 * GB
    assert found.placements[0]["models"] == ["unet"]
    assert found.placements[0]["placement"] == "group"
    assert set(found.placements[0]["predicted_s"]) == {"group", "sequential", "cpu"}
    assert [row["samples"] for row in found.peaks] == [0, 3]
