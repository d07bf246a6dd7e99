"""AP and AR equal those of pycocotools, on all images and on resampled ones; boundary AP with its own IoU."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

import cv2
import numpy as np
import pytest
from eval_data import make_labels, perturbed_boxes
from faster_coco_eval.core.coco import COCO as FASTER_COCO  # type: ignore[import-untyped]
from pycocotools import mask as coco_masks  # type: ignore[import-untyped]
from pycocotools.coco import COCO  # type: ignore[import-untyped]
from pycocotools.cocoeval import COCOeval  # type: ignore[import-untyped]

from promptvision_eval.average_precision import AveragePrecision
from promptvision_eval.masks import decode


class BoundaryEval(COCOeval):  # type: ignore[misc]  # it has no types
    """pycocotools with the IoU of the authors of boundary IoU: the smaller one of masks and boundaries."""

    def computeIoU(self, imgId: int, catId: int) -> Any:  # noqa: N802, N803  # the names of pycocotools
        overlaps = super().computeIoU(imgId, catId)
        labels = self._gts[imgId, catId]
        found = sorted(self._dts[imgId, catId], key=lambda each: -each["score"])[: self.params.maxDets[-1]]
        if not labels or not found:
            return overlaps
        crowds = [int(label["iscrowd"]) for label in labels]
        inner = [[boundary(each["segmentation"]) for each in rows] for rows in (found, labels)]
        bounds = coco_masks.iou(*inner, crowds)
        single = np.array(crowds) == 0
        overlaps[:, single] = np.minimum(overlaps[:, single], bounds[:, single])
        return overlaps


def boundary(rle: dict[str, Any]) -> Any:
    """The pixels of a mask within 2 % of the diagonal of its outline, by erosion with OpenCV."""
    bits = np.pad(decode(rle).astype(np.uint8), 1)
    width = max(1, round(0.02 * float(np.hypot(*rle["size"]))))
    inner = cv2.erode(bits, np.ones((3, 3), np.uint8), iterations=width)
    return coco_masks.encode(np.asfortranarray((bits - inner)[1:-1, 1:-1]))


def reference(labels: dict[str, Any], found: list[dict[str, Any]], ids: list[int], kind: Any) -> list[float]:
    """The twelve figures of pycocotools, in percent; -100 where there is none."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = copy.deepcopy(labels)
        truth.createIndex()
        results = truth.loadRes(copy.deepcopy(found)) if found else COCO()
        if not found:  # pycocotools cannot load an empty list
            results.dataset = {**copy.deepcopy(labels), "annotations": []}
            results.createIndex()
        scored = (
            BoundaryEval(truth, results, "segm") if kind == "boundary" else COCOeval(truth, results, kind)
        )
        scored.params.imgIds = ids
        scored.evaluate()
        scored.accumulate()
        scored.summarize()
    return [100 * float(value) for value in scored.stats]


def ours(labels: dict[str, Any], found: list[dict[str, Any]], ids: list[int], kind: Any) -> AveragePrecision:
    return AveragePrecision(FASTER_COCO(copy.deepcopy(labels)), copy.deepcopy(found), ids, kind)


def figures(scored: AveragePrecision) -> list[float]:
    return [-100.0 if metric.value is None else metric.value for metric in scored.metrics()]


@pytest.mark.parametrize("part", ["all", "none", "one class", "no crowd", "only crowd"])
def test_boxes_equal_pycocotools(part: str) -> None:
    labels = make_labels(12)
    found = [] if part == "none" else perturbed_boxes(labels)
    if part == "one class":
        labels["annotations"] = [each for each in labels["annotations"] if each["category_id"] == 1]
    if part in ("no crowd", "only crowd"):
        for each in labels["annotations"]:
            each["iscrowd"] = int(part == "only crowd")
    ids = list(range(1, 13))
    assert figures(ours(labels, found, ids, "bbox")) == pytest.approx(
        reference(labels, found, ids, "bbox"), abs=1e-6
    )


@pytest.mark.parametrize("part", ["all", "none", "no crowd", "empty masks"])
@pytest.mark.parametrize("kind", ["segm", "boundary"])
def test_masks_equal_pycocotools(kind: str, part: str) -> None:
    labels = make_labels(8)
    for each in labels["annotations"]:
        each["iscrowd"] *= part != "no crowd"
        if each["iscrowd"] or each["id"] % 2:  # a crowd is a run-length code in COCO
            each["segmentation"] = box_mask(*each["bbox"])
    found = [] if part == "none" else perturbed_boxes(labels, spread=0.7)
    for at, each in enumerate(found):
        x, y, width, height = each.pop("bbox")
        is_empty = part == "empty masks" and at % 3 == 0
        each["segmentation"] = box_mask(x, y, 0 if is_empty else width, height)
    ids = list(range(1, 9))
    wanted = reference(labels, found, ids, kind)
    assert figures(ours(labels, found, ids, kind)) == pytest.approx(wanted, abs=1e-6)
    assert (max(wanted) > 10) == (part != "none")


def box_mask(x: float, y: float, width: float, height: float) -> dict[str, Any]:
    """A filled rectangle as a run-length code in JSON."""
    bits = np.zeros((120, 160), np.uint8, order="F")
    bits[max(0, int(y)) : int(y + height), max(0, int(x)) : int(x + width)] = 1
    rle = coco_masks.encode(bits)
    return {"size": [120, 160], "counts": rle["counts"].decode()}


def test_resampled_images_equal_a_data_set_of_these_images() -> None:
    labels = make_labels(10)
    found = perturbed_boxes(labels)
    positions = [0, 0, 3, 4, 4, 4, 7, 9]
    copies: dict[str, Any] = {**labels, "images": [], "annotations": []}
    results = []
    for id_, position in enumerate(positions, start=1):
        copies["images"].append({**labels["images"][position], "id": id_})
        for each in labels["annotations"]:
            if each["image_id"] == position + 1:
                number = len(copies["annotations"]) + 1
                copies["annotations"].append({**each, "image_id": id_, "id": number})
        results += [{**each, "image_id": id_} for each in found if each["image_id"] == position + 1]
    wanted = reference(copies, results, list(range(1, len(positions) + 1)), "bbox")
    metrics = ours(labels, found, list(range(1, 11)), "bbox").metrics()
    resampled = [metric.resample(positions) for metric in metrics if metric.resample]
    assert resampled == pytest.approx(wanted[:3], abs=1e-6)


def test_a_size_without_labels_has_no_value() -> None:
    labels = make_labels(3)
    for each in labels["annotations"]:
        each["area"] = 10.0
    by_name = {each.name: each for each in ours(labels, perturbed_boxes(labels), [1, 2, 3], "bbox").metrics()}
    assert by_name["AP large"].value is None
    assert "no label" in by_name["AP large"].note
    assert by_name["AP small"].value is not None
