"""Decontamination, against images that were composed from known colours."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from promptvision_cutout.edges import _blur, decontaminate


def mixed(
    height: int, width: int, subject: tuple[int, ...], background: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A subject on the left with an edge 12 pixels wide."""
    alpha = np.clip((width / 2 + 6 - np.arange(width)) / 12, 0, 1).astype(np.float32)
    alpha = np.broadcast_to(np.rint(alpha * 255) / 255, (height, width)).astype(np.float32)
    share = alpha[..., None]
    seen = share * np.array(subject) + (1 - share) * np.array(background)
    return np.rint(seen).astype(np.uint8), alpha


@pytest.mark.parametrize("height", [40, 700])
def test_edge_takes_the_colour_of_the_subject(height: int) -> None:
    seen, alpha = mixed(height, 120, (200, 30, 60), (20, 220, 120))
    soft = (alpha > 0) & (alpha < 1)
    before = np.abs(seen[soft].astype(int) - (200, 30, 60)).max()
    after = np.abs(decontaminate(seen, alpha)[soft].astype(int) - (200, 30, 60)).max()
    assert before > 150
    assert after <= 8


def test_solid_pixels_are_bit_identical() -> None:
    random = np.random.default_rng(3)
    seen = random.integers(0, 256, (90, 110, 3)).astype(np.uint8)
    alpha = np.where(random.random((90, 110)) < 0.3, 1.0, 0.0).astype(np.float32)
    alpha[40:50] = 0.5
    made = decontaminate(seen, alpha)
    hard = (alpha == 0) | (alpha == 1)
    assert np.array_equal(made[hard], seen[hard])
    assert not np.array_equal(made[~hard], seen[~hard])
    hard_alpha = np.where(alpha > 0.5, 1, 0).astype(np.float32)
    assert np.array_equal(decontaminate(seen, hard_alpha), seen)


def test_strips_give_the_result_of_the_whole_image(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(4)
    seen = random.integers(0, 256, (400, 30, 3)).astype(np.uint8)
    alpha = random.random((400, 30)).astype(np.float32)
    whole = decontaminate(seen, alpha).astype(int)
    monkeypatch.setattr("promptvision_cutout.edges._STRIP", 37)
    assert np.abs(decontaminate(seen, alpha).astype(int) - whole).max() <= 1


@pytest.mark.parametrize("radius", [1, 3, 50])
def test_blur_is_the_mean_of_the_square(radius: int) -> None:
    values = np.random.default_rng(5).random((9, 12, 1)).astype(np.float32)
    made = _blur(values, radius)
    for y, x in ((0, 0), (4, 6), (8, 11)):
        part = values[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
        assert made[y, x, 0] == pytest.approx(part.mean(), abs=1e-6)
