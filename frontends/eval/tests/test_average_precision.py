"""AP and AR equal those of pycocotools, on all images and on resampled ones."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

import numpy as np
import pytest
from eval_data import make_labels, perturbed_boxes
from faster_coco_eval.core.coco import COCO as FASTER_COCO  # type: ignore[import-untyped]
from pycocotools import mask as coco_masks  # type: ignore[import-untyped]
from pycocotools.coco import COCO  # type: ignore[import-untyped]
from pycocotools.cocoeval import COCOeval  # type: ignore[import-untyped]

from promptvision_eval.average_precision import AveragePrecision


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
        scored = COCOeval(truth, results, kind)
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


def test_masks_equal_pycocotools() -> None:
    labels = make_labels(8)
    for each in labels["annotations"]:  # a crowd is a run-length code in COCO
        each["iscrowd"] = 0
    found = []
    for each in perturbed_boxes(labels):
        x, y, width, height = each["bbox"]
        bits = np.zeros((120, 160), np.uint8, order="F")
        bits[max(0, int(y)) : int(y + height), max(0, int(x)) : int(x + width * 0.8)] = 1
        rle = coco_masks.encode(bits)
        rle["counts"] = rle["counts"].decode()
        found.append(
            {**{name: each[name] for name in ("image_id", "category_id", "score")}, "segmentation": rle}
        )
    ids = list(range(1, 9))
    assert figures(ours(labels, found, ids, "segm")) == pytest.approx(
        reference(labels, found, ids, "segm"), abs=1e-6
    )


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
