"""How much an edit changed outside its mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from promptvision.plugin import flat_rgb

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Outside", "compare_outside"]

KEEP = 127
"""A mask value above this may be edited."""
SIGMA = 1.5
"""Of the Gaussian window of SSIM; Wang et al., "Image Quality Assessment", IEEE TIP 2004."""


@dataclass(frozen=True)
class Outside:
    """One edit outside its mask.

    Args:
        squares: sum of the squared differences of all samples.
        samples: their number, three per pixel.
        ssim: mean structural similarity of the pixels; 1 if there is none.
    """

    squares: float
    samples: int
    ssim: float


def compare_outside(before: Image, after: Image, mask: Image) -> Outside:
    """Compare an image with its edit where the mask is 0; what the edit did inside has no effect.

    Args:
        before, after: of the same size; an edit of another size counts as wholly changed.
        mask: 0 keep, 255 edit; it is resized to the image.
    """
    from skimage.metrics import structural_similarity

    one = np.asarray(flat_rgb(before))
    two = np.asarray(flat_rgb(after))
    outside = np.asarray(mask.convert("L").resize(before.size, resample=0)) <= KEEP
    samples = 3 * int(outside.sum())
    if one.shape != two.shape:
        return Outside(255.0**2 * samples, samples, 0.0)
    if not samples:
        return Outside(0.0, 0, 1.0)
    two = np.where(outside[..., None], two, one)
    differences = one[outside].astype(np.float64) - two[outside]
    if min(one.shape[:2]) < 2 * round(3.5 * SIGMA) + 1:  # smaller than the window
        return Outside(float((differences**2).sum()), samples, float(not differences.any()))
    _, similar = structural_similarity(  # type: ignore[no-untyped-call]
        one,
        two,
        channel_axis=2,
        data_range=255,
        gaussian_weights=True,
        sigma=SIGMA,
        use_sample_covariance=False,
        full=True,
    )
    return Outside(float((differences**2).sum()), samples, float(similar[outside].mean()))
