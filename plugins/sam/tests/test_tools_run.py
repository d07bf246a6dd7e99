"""The tool through ``promptvision tools run``, on each engine's tiny checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from promptvision.testing import cli


@pytest.fixture
def arguments(
    engine_name: str,
    checkpoints: dict[str, Path],
    sample: Image.Image,
    small_encoder: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """``segment_objects`` on an image file, in a folder with its own settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PROMPTVISION_MODEL_SAM2_1_L", str(checkpoints[engine_name]))
    sample.save("in.png")
    return ["tools", "run", "segment_objects", "-i", "in.png"]


def test_boxes_give_masks_of_the_images_size(arguments: list[str], sample: Image.Image) -> None:
    boxes = "bounding_boxes=[[30,40,130,140],[190,10,270,190]]"
    done = CliRunner().invoke(cli, [*arguments, "-a", boxes, "-o", "mask.png", "--json"])
    assert done.exit_code == 0, done.output
    (step,) = json.loads(done.stdout)["steps"]
    assert step["tool"] == "sam"
    assert len(step["result"]["mask_urls"]) == 2
    with Image.open("mask.png") as mask:
        assert (mask.size, mask.mode) == (sample.size, "L")
        assert set(np.unique(np.asarray(mask))) <= {0, 255}


def test_points_need_neither_boxes_nor_a_detector(arguments: list[str]) -> None:
    done = CliRunner().invoke(cli, [*arguments, "-a", "points=[[80,90]]", "--json"])
    assert done.exit_code == 0, done.output
    (step,) = json.loads(done.stdout)["steps"]
    assert len(step["result"]["mask_urls"]) == 1


def test_no_box_no_point_and_no_target_is_an_error(arguments: list[str]) -> None:
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code != 0
    assert "say what to look for, or give bounding_boxes" in " ".join(done.output.split())
