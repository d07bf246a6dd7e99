"""IoU, boundary IoU and boundary F equal their definitions, computed another way."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_masks  # type: ignore[import-untyped]
from skimage.morphology import disk

from promptvision_eval.masks import boundary_f, boundary_iou, decode, encode, iou


def blob(seed: int, shift: int = 0) -> Any:
    noise = np.random.default_rng(seed).random((90, 130))
    smooth = cv2.GaussianBlur(noise, (0, 0), 6)
    return np.roll(smooth > np.median(smooth), shift, axis=1)


PAIRS = [
    (blob(1), blob(1, 3)),
    (blob(1), blob(2)),
    (blob(3), blob(3)),
    (np.zeros((90, 130), bool), blob(1)),
    (np.zeros((90, 130), bool), np.zeros((90, 130), bool)),
    (np.ones((90, 130), bool), blob(1)),
]
CASES = pytest.mark.parametrize(("found", "label"), PAIRS)


def rle(bits: np.ndarray) -> dict[str, object]:
    return encode(Image.fromarray(bits))


def test_encoding_keeps_all_pixels() -> None:
    assert (decode(rle(blob(4))) == blob(4)).all()


@CASES
def test_iou_equals_pycocotools(found: np.ndarray, label: np.ndarray) -> None:
    codes = [coco_masks.encode(np.asfortranarray(each.astype(np.uint8))) for each in (found, label)]
    wanted = float(coco_masks.iou([codes[0]], [codes[1]], [0])[0][0]) if found.any() or label.any() else 1.0
    assert iou(rle(found), rle(label)) == pytest.approx(wanted, abs=1e-6)


@CASES
def test_boundary_iou_equals_that_of_the_paper(found: np.ndarray, label: np.ndarray) -> None:
    width = max(1, round(0.02 * np.hypot(*found.shape)))

    def boundary(bits: np.ndarray) -> Any:
        padded = cv2.copyMakeBorder(bits.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=[0])
        eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=width)
        return bits & (eroded[1:-1, 1:-1] == 0)

    one, two = boundary(found), boundary(label)
    union = (one | two).sum()
    wanted = (one & two).sum() / union if union else 1.0
    assert boundary_iou(rle(found), rle(label)) == pytest.approx(float(wanted), abs=1e-6)


@CASES
def test_boundary_f_equals_that_of_davis(found: np.ndarray, label: np.ndarray) -> None:
    def outline(bits: np.ndarray) -> Any:
        right, below, across = (np.zeros_like(bits) for _ in range(3))
        right[:, :-1], below[:-1], across[:-1, :-1] = bits[:, 1:], bits[1:], bits[1:, 1:]
        edge = (bits ^ right) | (bits ^ below) | (bits ^ across)
        edge[-1], edge[:, -1] = bits[-1] ^ right[-1], bits[:, -1] ^ below[:, -1]
        edge[-1, -1] = False
        return edge

    reach = int(np.ceil(0.008 * np.linalg.norm(found.shape)))
    edges = [outline(each) for each in (found, label)]
    shape = disk(reach).astype(np.uint8)  # type: ignore[no-untyped-call]
    grown = [cv2.dilate(each.astype(np.uint8), shape) > 0 for each in edges]
    counts = [int(each.sum()) for each in edges]
    if not all(counts):
        wanted = float(not any(counts))
    else:
        precision = (edges[0] & grown[1]).sum() / counts[0]
        recall = (edges[1] & grown[0]).sum() / counts[1]
        wanted = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    assert boundary_f(rle(found), rle(label)) == pytest.approx(float(wanted), abs=1e-6)


def test_masks_of_other_sizes_do_not_match() -> None:
    other = rle(np.ones((4, 5), bool))
    label = rle(blob(1))
    assert (iou(other, label), boundary_iou(other, label), boundary_f(other, label)) == (0.0, 0.0, 0.0)
