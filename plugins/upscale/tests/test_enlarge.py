"""Tiles give the result of the whole image, without seams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from promptvision.plugin import SetupError, ToolFailed
from promptvision_upscale.enlarge import OVERLAP, TILE, count_tiles, enlarge, load

Make = Callable[..., Image.Image]


@pytest.mark.parametrize("size", [(1, 1), (7, 200), (128, 128), (129, 128), (300, 250), (500, 90)])
def test_tiles_give_exactly_the_result_of_the_whole_image(
    graphs: dict[str, Path], noise_image: Make, size: tuple[int, int]
) -> None:
    image = noise_image(size)
    done: list[int] = []
    made = enlarge(load(graphs["exact"], "cpu", "float32"), image, lambda: done.append(1))
    expected = np.asarray(image).repeat(2, axis=0).repeat(2, axis=1)
    assert np.array_equal(np.asarray(made), expected)
    assert len(done) == count_tiles(size)


def test_seams_are_blended(graphs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph darkens the edge of its input: the edge of a tile must have almost no weight."""
    image = Image.new("RGB", (300, 300), (200, 200, 200))
    made = np.asarray(enlarge(load(graphs["soft"], "cpu", "float32"), image, lambda: None)).astype(int)
    inside = made[2:-2, 2:-2]
    assert np.abs(np.diff(inside[..., 0], axis=1)).max() <= 5
    assert inside.min() >= 190
    monkeypatch.setattr("promptvision_upscale.enlarge.OVERLAP", 1)
    cut = np.asarray(enlarge(load(graphs["soft"], "cpu", "float32"), image, lambda: None)).astype(int)
    assert cut[2:-2, 2:-2].min() < 150, "without an overlap the seams show"


def test_number_of_tiles() -> None:
    assert count_tiles((TILE, TILE)) == 1
    assert count_tiles((TILE + 1, TILE)) == 2
    assert count_tiles((2 * TILE - OVERLAP, TILE)) == 2
    assert count_tiles((2 * TILE, 2 * TILE)) == 9


@pytest.mark.parametrize(("kind", "problem"), [("broken", "not finite"), ("same_size", "returned shape")])
def test_wrong_results_are_errors(graphs: dict[str, Path], kind: str, problem: str) -> None:
    with pytest.raises(ToolFailed, match=problem):
        enlarge(load(graphs[kind], "cpu", "float32"), Image.new("RGB", (16, 16)), lambda: None)


def test_folder_holds_one_file(graphs: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_bytes(graphs["exact"].read_bytes())
    load(tmp_path, "cpu", "float32")
    (tmp_path / "other.onnx").write_bytes(b"")
    with pytest.raises(SetupError, match="holds 2 ONNX files"):
        load(tmp_path, "cpu", "float32")
