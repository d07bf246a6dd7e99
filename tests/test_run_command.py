"""``promptvision run`` with the tools that need no weights: find the ball, cut it out, paint it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from promptvision.builtin.samples import still_life
from promptvision.testing.program import Program

Pixels = NDArray[np.int64]


def save(name: str, folder: Path) -> Path:
    """The still life as a file: a JPEG, a PNG, or a PNG with transparent corners."""
    image, file = still_life(), folder / name
    if name.startswith("alpha"):
        image.putalpha(ImageOps.expand(Image.new("L", (image.width - 80, image.height - 80), 255), 40, 0))
    image.save(file)
    return file


def pixels(file: str | Path) -> Pixels:
    with Image.open(str(file).removeprefix("file://")) as image:
        return np.asarray(image).astype(np.int64)


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "alpha.png"])
def test_change_of_colour_keeps_every_other_pixel(tmp_path: Path, name: str) -> None:
    photo = save(name, tmp_path)
    out = tmp_path / "out.png"
    ended = Program(tmp_path / "home").run("run", photo, "change the red ball to blue", "-o", out, "--json")
    assert ended.code == 0, ended.err
    document: dict[str, Any] = json.loads(ended.out)

    steps = [(step["operation"], step["status"]) for step in document["steps"]]
    assert steps == [("detect_objects", "done"), ("segment_objects", "done"), ("inpaint_image", "done")]
    assert document["prompt"] == "blue" or document["labels"] == ["red ball"]
    assert document["planner"] == "offline"

    before, after = pixels(photo), pixels(out)
    assert after.shape == before.shape, "an edit keeps the size and the transparency of the image"
    mask = pixels(document["merged_mask_url"]) > 0
    assert 0.02 < mask.mean() < 0.2
    assert (before[~mask] == after[~mask]).all()
    ball = after[mask].mean(axis=0)
    assert ball[2] > 2 * ball[0], "the ball is blue now"
    assert (pixels(document["inpainted_image_url"]) == after).all()
    assert (pixels(document["original_image_url"]) == before).all()


def test_tool_without_its_program_is_exit_code_3(tmp_path: Path) -> None:
    """No tool can read text: Tesseract is not on the PATH, and Florence-2 is not downloaded."""
    program = Program(tmp_path / "home", {"PATH": str(tmp_path), "PROMPTVISION_DISABLED_PLUGINS": "rapidocr"})
    ended = program.run("tools", "run", "extract_text", "-i", save("photo.png", tmp_path))
    assert (ended.code, ended.err.count("\n") + ended.out.count("\n")) == (3, 2)
    assert "apt-get install tesseract-ocr" in ended.err
    assert (ended.out + ended.err).splitlines()[-1].startswith("promptvision models pull ")


def test_sentence_that_needs_a_missing_program_is_understood(tmp_path: Path) -> None:
    program = Program(tmp_path / "home", {"PATH": str(tmp_path), "PROMPTVISION_DISABLED_PLUGINS": "rapidocr"})
    photo = save("photo.png", tmp_path)
    ended = program.run("run", photo, "what does this sign say?")
    assert ended.code == 3
    assert ended.out.startswith("extract_text cannot run here: tool 'tesseract': program 'tesseract' is not")
    assert "apt-get install tesseract-ocr" in ended.out
    assert ended.out.count("\n") == 1

    ended = program.run("run", photo, "make it black and white, then read the text", "--json")
    document: dict[str, Any] = json.loads(ended.out)
    assert (ended.code, document["status"]) == (3, "failed")
    assert [(step["operation"], step["status"]) for step in document["steps"]] == [
        ("convert_to_bw", "done"),
        ("extract_text", "failed"),
    ]
    assert document["text_response"].startswith("The image is black and white now. extract_text cannot run")
    assert "apt-get install tesseract-ocr" in document["steps"][1]["message"]
    assert pixels(document["bw_image_url"]).shape == pixels(photo).shape[:2]


def test_language_that_is_not_installed_is_exit_code_3(tmp_path: Path) -> None:
    program = Program(tmp_path / "home", {"PROMPTVISION_DISABLED_PLUGINS": "rapidocr"})
    photo = save("photo.png", tmp_path)
    ended = program.run("tools", "run", "extract_text", "-i", photo, "-a", 'languages=["kli"]')
    assert (ended.code, ended.err.count("\n")) == (3, 1)
    assert "apt-get install tesseract-ocr-kli" in ended.err
