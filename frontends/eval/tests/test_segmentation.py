"""Means over the objects of a data set equal those over the overlaps of pycocotools."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from eval_data import make_labels
from PIL import Image
from pycocotools import mask as coco_masks  # type: ignore[import-untyped]

from promptvision.plugin import EvalExample, EvalSetup, Settings
from promptvision_eval.masks import decode, encode
from promptvision_eval.segmentation import CocoSegmentation


def test_miou_is_over_objects_and_crowds_do_not_count(tmp_path: Path) -> None:
    labels = make_labels(5)
    for each in labels["annotations"]:
        each["area"] = 1000.0
        if each["iscrowd"]:
            bits = np.asfortranarray(np.ones((120, 160), np.uint8))
            rle = coco_masks.encode(bits)
            each["segmentation"] = {"size": rle["size"], "counts": rle["counts"].decode()}
    (tmp_path / "instances_val.json").write_text(json.dumps(labels))
    for image in labels["images"]:
        (tmp_path / image["file_name"]).touch()
    coco = CocoSegmentation(EvalSetup(data=tmp_path, options={}, settings=Settings(), folder=tmp_path))
    overlaps, examples = [], []
    for case in coco.cases():
        masks = []
        for at, prompt in enumerate(coco._prompts[int(case.id)]):
            bits = decode(coco._label(prompt)).astype(np.uint8)
            found = np.roll(bits, 3 * at, axis=1) * (at != 1)  # the second of each image is empty
            masks.append(encode(Image.fromarray(found * 255)))
            packed = [coco_masks.encode(np.asfortranarray(each)) for each in (found, bits)]
            overlaps.append(float(coco_masks.iou([packed[0]], [packed[1]], [0])[0][0]))
        examples.append(EvalExample(case=case, prediction={"masks": masks}))
    scores = coco.score(examples)
    by_name = {metric.name: metric for metric in scores.metrics}
    assert len(overlaps) == sum(not each["iscrowd"] for each in labels["annotations"])
    assert by_name["mIoU"].value == pytest.approx(100 * float(np.mean(overlaps)), abs=1e-6)
    assert scores.per_case[0] == pytest.approx(np.mean(overlaps[: len(examples[0].prediction["masks"])]))
