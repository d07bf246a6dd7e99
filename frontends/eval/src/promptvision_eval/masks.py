"""Compare masks: IoU, boundary IoU, and the boundary F of DAVIS.

Masks are run-length encoded as in COCO, which keeps them small in logs and memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from faster_coco_eval.core import mask as coco_masks  # type: ignore[import-untyped]
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["boundary_f", "boundary_iou", "decode", "encode", "iou"]

Bits = NDArray[np.bool_]
Rle = Mapping[str, Any]
"""``{"size": [height, width], "counts": text}``."""
DILATION = 0.02
"""Width of the boundary over the diagonal of the image, for boundary IoU."""
TOLERANCE = 0.008
"""The same for boundary F."""
INSIDE = 127


def encode(mask: Image) -> dict[str, Any]:
    """A mask, 0 outside and 255 inside, as run-length code."""
    bits = np.asfortranarray(np.asarray(mask.convert("L")) > INSIDE, dtype=np.uint8)
    rle = coco_masks.encode(bits)
    counts = rle["counts"]
    return {
        "size": [int(side) for side in rle["size"]],
        "counts": counts.decode("ascii") if isinstance(counts, bytes) else counts,
    }


def decode(rle: Rle) -> Bits:
    """The pixels of a mask: height x width, True inside."""
    return np.asarray(coco_masks.decode(_packed(rle)), dtype=bool)


def iou(found: Rle, label: Rle) -> float:
    """Intersection over union; 1 if both are empty, 0 if their sizes differ."""
    if list(found["size"]) != list(label["size"]):
        return 0.0
    if not coco_masks.area(_packed(found)) and not coco_masks.area(_packed(label)):
        return 1.0
    return float(coco_masks.iou([_packed(found)], [_packed(label)], [0])[0][0])


def boundary_iou(found: Rle, label: Rle) -> float:
    """IoU of the inner boundaries of two masks.

    Source: Cheng et al., "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation", CVPR 2021.
    """
    if list(found["size"]) != list(label["size"]):
        return 0.0
    inner = [coco_masks.rleToBoundary(_packed(each), DILATION) for each in (found, label)]
    return iou(inner[0], inner[1])


def boundary_f(found: Rle, label: Rle) -> float:
    """F measure of two outlines, where a pixel matches within 0.8 % of the diagonal.

    Source: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation",
    CVPR 2016, section 4.1.
    """
    if list(found["size"]) != list(label["size"]):
        return 0.0
    outlines = [_outline(decode(found)), _outline(decode(label))]
    sizes = [int(outline.sum()) for outline in outlines]
    if not all(sizes):
        return float(not any(sizes))
    reach = np.ceil(TOLERANCE * np.hypot(*outlines[0].shape))
    near = [_distance(outline) <= reach for outline in outlines]
    precision = (outlines[0] & near[1]).sum() / sizes[0]
    recall = (outlines[1] & near[0]).sum() / sizes[1]
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def _outline(bits: Bits) -> Bits:
    """Pixels that differ from the one to the right, below, or both; the last row and column look one way."""
    padded = np.pad(bits, ((0, 1), (0, 1)), mode="edge")
    here = padded[:-1, :-1]
    return (here ^ padded[:-1, 1:]) | (here ^ padded[1:, :-1]) | (here ^ padded[1:, 1:])


def _distance(outline: Bits) -> NDArray[np.float64]:
    from scipy.ndimage import distance_transform_edt  # type: ignore[import-untyped]

    return np.asarray(distance_transform_edt(~outline), dtype=np.float64)


def _packed(rle: Rle) -> dict[str, Any]:
    counts = rle["counts"]
    return {
        "size": list(rle["size"]),
        "counts": counts.encode("ascii") if isinstance(counts, str) else counts,
    }
