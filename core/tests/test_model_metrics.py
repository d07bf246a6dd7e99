"""Metrics of the model pool."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from promptvision.models.placements import StagePlan
from promptvision.models.pool import ModelPool
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.server.model_metrics import ModelMetrics
from promptvision.settings import Settings


class Loaded:
    """Takes 100 bytes."""

    nbytes = 100

    def __init__(self, path: Path, device: str, dtype: str) -> None:
        pass


def test_memory_copies_and_placements(tmp_path: Path) -> None:
    (tmp_path / "w").write_text("")
    spec = ModelSpec(
        id="unet",
        source="s/s",
        revision="0",
        files=(WeightFile("w"),),
        license="MIT",
        weight_bytes={"float16": 1000, "float32": 2000},
        dtypes={"cuda": ("float16",), "cpu": ("float32",)},
        load=f"{__name__}:Loaded",
    )
    settings = Settings.from_mapping(
        {"PROMPTVISION_HOME": str(tmp_path), "PROMPTVISION_MODEL_UNET": str(tmp_path / "w")}
    )
    pool = ModelPool({"unet": spec}, settings, device="cuda", usable_bytes=lambda device, held: 5000)
    registry = CollectorRegistry()
    registry.register(ModelMetrics(pool))
    assert "model_placement_seconds{" not in generate_latest(registry).decode()
    pool.choose_placement([StagePlan(name="painting", models=("unet",), passes=2)])
    pool.speeds.add_copy(700, 1.0)
    with pool.lease("unet", device="cpu"):
        text = generate_latest(registry).decode()
    assert 'promptvision_model_device_bytes{device="cpu"} 100.0' in text
    assert "promptvision_model_copied_bytes_total 700.0" in text
    assert 'promptvision_model_placement_seconds{models="unet",placement="resident",reason="needs' in text
