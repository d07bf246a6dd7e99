"""The tool through ``promptvision tools run``, on the tiny checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from promptvision.testing import cli


def test_a_mask_file_is_painted_in_and_the_rest_stays(
    folders: Any,
    tiny_sdxl: ModuleType,
    noise_image: Callable[..., Image.Image],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path / "home"))
    for name, value in tiny_sdxl.variables(folders.bases[9], folders.refiner).items():
        monkeypatch.setenv(name, value)
    image = noise_image((83, 61))
    image.save("in.png")
    mask = np.zeros((61, 83), np.uint8)
    mask[20:45, 10:60] = 255
    Image.fromarray(mask).save("mask.png")
    command = ["tools", "run", "inpaint_image", "-i", "in.png", "-o", "out.png", "--json"]
    values = {"mask_url": "mask.png", "prompt": "an orange cat", "seed": "1", "steps": "6"}
    done = CliRunner().invoke(cli, [*command, *(f"-a{name}={value}" for name, value in values.items())])
    assert done.exit_code == 0, done.output
    (step,) = json.loads(done.stdout)["steps"]
    assert step["tool"] == "sdxl_inpaint"
    with Image.open("out.png") as out:
        painted = np.asarray(out)
    changed = (painted != np.asarray(image)).any(axis=-1)
    assert not changed[mask == 0].any()
    assert changed[mask == 255].any()
