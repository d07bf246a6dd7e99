"""Segment an object in its box with GrabCut.

Source: C. Rother, V. Kolmogorov, A. Blake, GrabCut: interactive foreground extraction using iterated graph
cuts, SIGGRAPH 2004; OpenCV's implementation.
"""

from __future__ import annotations

import threading

import cv2
import numpy as np
from numpy.typing import NDArray

from promptvision.plugin import Box
from promptvision_opencv.arrays import Array

__all__ = ["Mask", "cut_out", "label_pixels"]

Mask = NDArray[np.uint8]

_WORK_SIDE = 400
"""Longer side in pixels of the working copy: GrabCut's time grows with its area."""
_MARGIN = 0.4
"""Surroundings that are shown to GrabCut as background, in shares of the box's sides."""
_ROUNDS = 5
_LEAST_SHARE = 0.03
"""Minimum share of the box of a successful cut."""
_LEAST_STEP = 6.0
"""Minimum difference between inside and outside of a successful cut, in the mean of a colour channel from 0
to 255, or in its deviation."""
_random = threading.Lock()
"""OpenCV seeds its colour models from one generator per process."""


def cut_out(rgb: Array, box: Box, seed: int) -> tuple[Mask, bool]:
    """Mask of the object that stands out in a box.

    Args:
        rgb: H x W x 3 uint8.
        box: whole pixels, within the image.
        seed: same seed, same mask.

    Returns:
        Mask H x W uint8, 0 or 255 and 0 outside the box; and whether an object was separated from its
        surroundings. If not, the whole box is masked.
    """
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = (int(side) for side in box)
    pad_x, pad_y = max(8, round((x2 - x1) * _MARGIN)), max(8, round((y2 - y1) * _MARGIN))
    left, top = max(0, x1 - pad_x), max(0, y1 - pad_y)
    right, bottom = min(width, x2 + pad_x), min(height, y2 + pad_y)
    inside = np.zeros((bottom - top, right - left), np.bool_)
    inside[y1 - top : y2 - top, x1 - left : x2 - left] = True
    share = _foreground(rgb[top:bottom, left:right], inside, seed)
    cut = (share > 0.5) & inside
    is_separated = cut.sum() > _LEAST_SHARE * inside.sum() and _differs(rgb[top:bottom, left:right], cut)
    mask = np.zeros((height, width), np.uint8)
    mask[top:bottom, left:right] = np.where(cut if is_separated else inside, 255, 0)
    return mask, bool(is_separated)


def _differs(part: Array, cut: NDArray[np.bool_]) -> bool:
    """Whether the colours inside and outside a cut differ at all."""
    if cut.all():
        return True
    inside, rest = part[cut], part[~cut]
    steps = np.abs(inside.mean(axis=0) - rest.mean(axis=0)), np.abs(inside.std(axis=0) - rest.std(axis=0))
    return bool(np.max(steps) >= _LEAST_STEP)


def _foreground(part: Array, inside: NDArray[np.bool_], seed: int) -> NDArray[np.float32]:
    """The share of the object in each pixel, 0 to 1, at the size of the part."""
    height, width = inside.shape
    zoom = min(1.0, _WORK_SIDE / max(height, width))
    size = max(2, round(width * zoom)), max(2, round(height * zoom))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    box = cv2.resize(inside.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    labels = _first_guess(np.asarray(box, np.uint8))
    if not (labels == cv2.GC_PR_FGD).any():
        return np.zeros((height, width), np.float32)
    shares = label_pixels(np.asarray(small, np.uint8), labels, seed).astype(np.float32)
    return np.asarray(cv2.resize(shares, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def label_pixels(rgb: Array, labels: Mask, seed: int) -> Mask:
    """Run GrabCut from first labels.

    Args:
        rgb: H x W x 3 uint8.
        labels: H x W, ``cv2.GC_*``; changed in place.
        seed: same seed, same result.

    Returns:
        H x W uint8, 1 on the object and 0 elsewhere. Labels without a background or without an object are
        returned as they are, since GrabCut needs both.
    """
    inside = _is_object(labels)
    if inside.any() and not inside.all():
        models = np.zeros((1, 65)), np.zeros((1, 65))  # 5 Gaussians of 13 numbers each
        with _random:
            cv2.setRNGSeed(seed % 2**31)
            cv2.grabCut(rgb, labels, (0, 0, 0, 0), *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
        inside = _is_object(labels)
    return inside.astype(np.uint8)


def _is_object(labels: Mask) -> NDArray[np.bool_]:
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), np.bool_)


def _first_guess(inside: Mask) -> Mask:
    """Initial labels: the ellipse in the box is probably the object, its corners probably not.

    If the box leaves no surroundings in the image, a frame inside it is used as background.
    """
    left, top, width, height = cv2.boundingRect(inside)
    ellipse = np.zeros_like(inside)
    middle = (left + width / 2, top + height / 2), (width, height), 0
    cv2.ellipse(ellipse, middle, 1, cv2.FILLED)
    labels = np.where(ellipse & inside, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[inside == 0] = cv2.GC_BGD
    if (labels == cv2.GC_BGD).sum() < 0.02 * labels.size:
        frame = max(1, min(labels.shape) // 40)
        labels[:frame], labels[-frame:], labels[:, :frame], labels[:, -frame:] = (cv2.GC_BGD,) * 4
    return labels
