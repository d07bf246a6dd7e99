"""Find standing or walking people by histograms of oriented gradients, and by their faces.

Source: N. Dalal and B. Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005; the
trained weights are part of OpenCV 4 (``HOGDescriptor_getDefaultPeopleDetector``).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from promptvision.plugin import Box, ToolFailed
from promptvision_opencv.arrays import Array, shrink
from promptvision_opencv.faces import Found, find_faces

__all__ = ["find_people"]

_WORK_SIDE = 640
_HALF_CERTAIN = 1.3
"""Margin of the support vector machine for a score of 0.5. In photographs without people margins of up to 1.0
were seen, whose score is 0.43."""
_SAME = 0.6
"""Two boxes that share more than this of the smaller one show the same person."""


def find_people(rgb: Array, faces: Sequence[Found] | None = None) -> list[Found]:
    """Find people, best first.

    Whole figures are found by their outline. A face outside every figure also counts as a person; its box
    extends from above the head to the shoulders and chest, and its ``is_whole`` is false.

    Args:
        rgb: H x W x 3 uint8.
        faces: the faces in it, if they are already known.

    Raises:
        ToolFailed: this build of OpenCV has no HOG detector (it left the main package with version 5).
    """
    found = _distinct(_figures(rgb))
    for face in find_faces(rgb) if faces is None else faces:
        owner = next((n for n, figure in enumerate(found) if _is_head(face.box, figure.box)), None)
        if owner is None:
            found.append(Found(_bust(face.box, rgb), face.score, is_whole=False))
        else:
            found[owner] = Found(found[owner].box, max(face.score, found[owner].score))
    return _distinct(found)


def _figures(rgb: Array) -> list[Found]:
    if not hasattr(cv2, "HOGDescriptor"):
        raise ToolFailed(
            f"promptvision-opencv: people cannot be found: OpenCV {cv2.__version__} has no HOG detector; "
            "pip install 'opencv-python-headless<5'"
        )
    small, factor = shrink(rgb, _WORK_SIDE)
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector()))
    if small.shape[0] < hog.winSize[1] or small.shape[1] < hog.winSize[0]:
        return []
    windows, margins = hog.detectMultiScale(small, winStride=(8, 8), padding=(16, 16), scale=1.05)
    height, width = rgb.shape[:2]
    found = []
    for (x, y, w, h), margin in zip(windows, np.ravel(margins), strict=True):
        # The detector was trained on people with a border of an eighth around them.
        left, top, right, bottom = x + w / 8, y + h / 16, x + w * 7 / 8, y + h * 15 / 16
        box = _clipped(left * factor, top * factor, right * factor, bottom * factor, width, height)
        found.append(Found(box, float(margin) / (float(margin) + _HALF_CERTAIN)))
    return found


def _distinct(found: list[Found]) -> list[Found]:
    """Best first, without boxes of the same person."""
    kept: list[Found] = []
    for person in sorted(found, key=lambda each: -each.score):
        if not any(_shared(person.box, better.box) > _SAME for better in kept):
            kept.append(person)
    return kept


def _bust(face: Box, rgb: Array) -> Box:
    """Extend a face to head, shoulders and chest, by the proportions of an adult."""
    side = face.x2 - face.x1
    middle = face.centroid.x
    height, width = rgb.shape[:2]
    return _clipped(
        middle - 1.5 * side, face.y1 - 0.5 * side, middle + 1.5 * side, face.y1 + 4 * side, width, height
    )


def _clipped(x1: float, y1: float, x2: float, y2: float, width: int, height: int) -> Box:
    return Box(max(0, round(x1)), max(0, round(y1)), min(width, round(x2)), min(height, round(y2)))


def _is_head(face: Box, figure: Box) -> bool:
    """Whether a face has the position and size of a figure's head."""
    x, y = face.centroid
    height = figure.y2 - figure.y1
    return (
        figure.x1 < x < figure.x2
        and figure.y1 - height * 0.1 < y < figure.y1 + height / 4
        and height / 14 < face.y2 - face.y1 < height / 3
    )


def _shared(a: Box, b: Box) -> float:
    """Common area, as a share of the smaller box."""
    width = max(0.0, min(a.x2, b.x2) - max(a.x1, b.x1))
    height = max(0.0, min(a.y2, b.y2) - max(a.y1, b.y1))
    return width * height / min(a.area, b.area)
