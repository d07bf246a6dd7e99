"""Estimate the subject's colours at its soft edge, where they are mixed with the background.

Source: M. Forte, Approximate Fast Foreground Colour Estimation, ICIP 2021 (two passes of blur fusion).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from promptvision_cutout.matte import Alpha

__all__ = ["Rgb", "decontaminate"]

Rgb: TypeAlias = NDArray[np.uint8]
"""H x W x 3."""
_Colours: TypeAlias = NDArray[np.float32]
"""H x W x 3, 0 to 1."""

_COARSE, _FINE = 90, 6
"""Radii of the two passes, as in the paper."""
_STRIP = 256
"""Rows that are computed at a time, to limit memory."""
_EPSILON = 1e-5


def decontaminate(rgb: Rgb, alpha: Alpha) -> Rgb:
    """Replace the colours of partly transparent pixels by those of the subject.

    Args:
        rgb: the image.
        alpha: the alpha channel, of the same size.

    Returns:
        A copy; pixels that are entirely subject or background are unchanged.
    """
    soft = (alpha > 0) & (alpha < 1)
    result = rgb.copy()
    rows = np.flatnonzero(soft.any(axis=1))
    if not rows.size:
        return result
    room = _COARSE + _FINE
    for top in range(int(rows[0]), int(rows[-1]) + 1, _STRIP):
        bottom = min(top + _STRIP, int(rows[-1]) + 1)
        where = soft[top:bottom]
        if not where.any():
            continue
        first, last = max(0, top - room), min(len(rgb), bottom + room)
        found = _estimate(np.asarray(rgb[first:last] / 255, np.float32), alpha[first:last])
        part = np.rint(found[top - first : bottom - first] * 255).astype(np.uint8)
        result[top:bottom][where] = part[where]
    return result


def _estimate(image: _Colours, alpha: Alpha) -> _Colours:
    share = alpha[..., None]
    subject, background = _fuse(image, image, image, share, _COARSE)
    return _fuse(image, subject, background, share, _FINE)[0]


def _fuse(
    image: _Colours, subject: _Colours, background: _Colours, share: NDArray[np.float32], radius: int
) -> tuple[_Colours, _Colours]:
    """Average subject and background by their shares around each pixel, corrected by the observed colour."""
    weight = _blur(share, radius)
    subject = _blur(subject * share, radius) / (weight + _EPSILON)
    background = _blur(background * (1 - share), radius) / (1 - weight + _EPSILON)
    rest = image - share * subject - (1 - share) * background
    return np.clip(subject + share * rest, 0, 1), np.clip(background, 0, 1)


def _blur(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Mean over a square of 2 radius + 1 pixels, cut at the image's edge."""
    for axis in (0, 1):
        values = _blur_along(values, radius, axis)
    return values


def _blur_along(values: NDArray[np.float32], radius: int, axis: int) -> NDArray[np.float32]:
    length = values.shape[axis]
    sums = np.cumsum(values, axis=axis, dtype=np.float64)
    sums = np.concatenate((np.zeros_like(np.take(sums, [0], axis)), sums), axis)
    places = np.arange(length)
    first, last = np.maximum(places - radius, 0), np.minimum(places + radius + 1, length)
    counts = (last - first).reshape([-1 if index == axis else 1 for index in range(values.ndim)])
    return np.asarray((np.take(sums, last, axis) - np.take(sums, first, axis)) / counts, np.float32)
