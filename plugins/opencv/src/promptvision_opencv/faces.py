"""Find frontal faces with two cascades that are included in OpenCV and scikit-image.

OpenCV's Haar cascade ``frontalface_alt2`` proposes, and scikit-image's LBP cascade votes on each proposal.
Measured on the 100 faces and 100 other images of ``skimage.data.lfw_subset()``: with at least 12 votes
98 % of the faces are found and none of the others; LBP alone, on whole images, took ten times as long
and gave false faces in photographs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from promptvision.plugin import Box, ToolFailed
from promptvision_opencv.arrays import Array, shrink

if TYPE_CHECKING:
    from skimage.feature import Cascade

__all__ = ["Found", "find_faces"]

_WORK_SIDE = 1000
_SMALLEST_FACE = 24
"""Side in pixels of the working copy; both cascades were trained on windows of about this size."""
_HALF_CERTAIN = 15.0
"""Number of votes for a score of 0.5."""


@dataclass(frozen=True)
class Found:
    """A box in pixels of the image, a score from 0 to 1, and whether it contains the whole object."""

    box: Box
    score: float
    is_whole: bool = True


def find_faces(rgb: Array) -> list[Found]:
    """Find upright frontal faces, best first.

    Args:
        rgb: H x W x 3 uint8.

    Returns:
        Boxes from the eyebrows to the chin. The score increases with the number of overlapping windows in
        which the cascades found a face.

    Raises:
        ToolFailed: this build of OpenCV has no cascades (they left the main package with version 5).
    """
    small, factor = shrink(rgb, _WORK_SIDE)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    windows, votes = _haar().detectMultiScale2(
        grey, scaleFactor=1.1, minNeighbors=3, minSize=(_SMALLEST_FACE, _SMALLEST_FACE)
    )
    found = []
    for (x, y, width, height), seen in zip(windows, np.ravel(votes), strict=True):
        count = int(seen) + _lbp_votes(small, int(x), int(y), int(width))
        box = Box(*(round(float(v) * factor) for v in (x, y, x + width, y + height)))
        found.append(Found(box, count / (count + _HALF_CERTAIN)))
    return sorted(found, key=lambda face: -face.score)


def _lbp_votes(rgb: Array, x: int, y: int, side: int) -> int:
    """Number of windows around a proposal in which the LBP cascade finds a face of similar size."""
    margin = side // 3
    part = rgb[max(0, y - margin) : y + side + margin, max(0, x - margin) : x + side + margin]
    zoom = min(1.0, 120 / max(part.shape[:2]))
    part = cv2.resize(part, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    least = max(_SMALLEST_FACE, round(side * zoom * 0.6))
    if least >= min(part.shape[:2]):
        return 0
    windows = _lbp().detect_multi_scale(
        img=part,
        scale_factor=1.1,
        step_ratio=1,
        min_size=(least, least),
        max_size=part.shape[:2],
        min_neighbor_number=1,
        intersection_score_threshold=1.01,  # above 1: windows are not merged, so that they can be counted
    )
    return len(windows)


def _haar() -> cv2.CascadeClassifier:
    """A new classifier: it has state while it runs, so threads must not share one."""
    if not hasattr(cv2, "CascadeClassifier"):
        raise ToolFailed(
            f"promptvision-opencv: faces cannot be found: OpenCV {cv2.__version__} has no cascades; "
            "pip install 'opencv-python-headless<5'"
        )
    return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_alt2.xml"))


@cache
def _lbp() -> Cascade:
    # Imported here: it takes half a second and is not needed to find objects by colour.
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(lbp_frontal_face_cascade_filename())  # type: ignore[no-untyped-call]  # not annotated there
