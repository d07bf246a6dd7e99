"""PSNR and SSIM outside the mask equal scikit-image, called directly."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from promptvision_eval.edits import _psnr
from promptvision_eval.outside import compare_outside


def noise(seed: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), np.uint8))


def half_mask() -> Image.Image:
    mask = Image.new("L", (40, 30), 0)
    mask.paste(255, (0, 0, 20, 30))
    return mask


def test_figures_equal_scikit_image() -> None:
    before, after = noise(1), Image.blend(noise(1), noise(2), 0.2)
    found = compare_outside(before, after, half_mask())
    one, two = np.asarray(before), np.array(after)
    two[:, :20] = one[:, :20]
    metric = _psnr([found])
    assert metric.value == pytest.approx(
        peak_signal_noise_ratio(one[:, 20:], two[:, 20:], data_range=255),  # type: ignore[no-untyped-call]
        abs=1e-6,
    )
    _, similar = structural_similarity(  # type: ignore[no-untyped-call]
        one,
        two,
        channel_axis=2,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    assert found.ssim == pytest.approx(similar[:, 20:].mean(), abs=1e-6)


def test_a_change_inside_the_mask_does_not_count() -> None:
    before = noise(1)
    after = before.copy()
    after.paste("red", (0, 0, 12, 30))
    found = compare_outside(before, after, half_mask())
    assert found.squares == 0
    metric = _psnr([found])
    assert metric.value is None
    assert "infinite" in metric.note


def test_odd_cases() -> None:
    whole = Image.new("L", (40, 30), 255)
    assert compare_outside(noise(1), noise(2), whole).samples == 0
    assert compare_outside(noise(1), noise(1, (8, 8)), half_mask()).ssim == 0.0
    tiny = compare_outside(noise(1, (4, 4)), noise(1, (4, 4)), Image.new("L", (4, 4), 0))
    assert (tiny.squares, tiny.ssim) == (0.0, 1.0)
