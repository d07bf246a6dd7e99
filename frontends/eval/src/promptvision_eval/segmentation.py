"""Score segmentation: the boxes of the labels, or of a detector, are the prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptvision.plugin import (
    EvalCase,
    EvalExample,
    EvalOutput,
    EvalSetup,
    InputError,
    Metric,
    Scores,
    draw_mask_overlay,
    mean_metric,
    ratio_metric,
)
from promptvision_eval.average_precision import AveragePrecision
from promptvision_eval.coco import find_images, open_instances, read_json
from promptvision_eval.layouts import find_pairs
from promptvision_eval.masks import boundary_f, boundary_iou, decode, encode, iou
from promptvision_eval.thumbnails import open_image, open_thumbnail

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["CocoSegmentation", "MaskPairs"]

BOXES_PER_CALL = 100
"""The most that ``segment_objects`` takes."""


class CocoSegmentation:
    """COCO instances as a test of ``segment_objects``.

    Args:
        setup: option ``boxes`` names detections in the result format of COCO; without it, the boxes of the
            labels are the prompts.

    Raises:
        InputError: the annotations cannot be used.
    """

    def __init__(self, setup: EvalSetup) -> None:
        path, self._truth = open_instances(setup.data)
        boxes = setup.options.get("boxes")
        self._prompts = self._detected(Path(boxes)) if boxes else self._labelled()
        self._has_labels = not boxes
        ids = [id_ for id_ in sorted(self._truth.imgs) if self._prompts.get(id_)]
        if not ids:
            raise InputError(f"eval: {path} has no box", hint="give annotations with at least one object")
        self._images = [self._truth.imgs[id_] for id_ in ids]
        self._folder = find_images(path, self._images[0]["file_name"], setup.options)
        self.conditions = {
            "annotations": path.name,
            "images in the data set": str(len(self._images)),
            "boxes": Path(boxes).name if boxes else "of the labels",
        }

    def _labelled(self) -> dict[int, list[dict[str, Any]]]:
        prompts: dict[int, list[dict[str, Any]]] = {}
        for label in self._truth.anns.values():
            if not label.get("iscrowd", 0) and label["bbox"][2] > 0 and label["bbox"][3] > 0:
                prompts.setdefault(label["image_id"], []).append({**label, "score": 1.0})
        return prompts

    def _detected(self, path: Path) -> dict[int, list[dict[str, Any]]]:
        prompts: dict[int, list[dict[str, Any]]] = {}
        for found in read_json(path):
            prompts.setdefault(found["image_id"], []).append(found)
        for rows in prompts.values():
            rows.sort(key=lambda row: -row["score"])
            del rows[BOXES_PER_CALL:]
        return prompts

    def cases(self) -> Iterator[EvalCase]:
        """The images with at least one box, by id."""
        for image in self._images:
            path = self._folder / image["file_name"]
            boxes = [_corners(prompt["bbox"]) for prompt in self._prompts[image["id"]]]
            calls = tuple(
                {"image_url": path, "bounding_boxes": boxes[at : at + BOXES_PER_CALL]}
                for at in range(0, len(boxes), BOXES_PER_CALL)
            )
            yield EvalCase(id=str(image["id"]), calls=calls, image=path)

    def predict(self, case: EvalCase, outputs: Sequence[EvalOutput]) -> dict[str, Any]:
        """One mask per box."""
        return _encoded(outputs)

    def score(self, examples: Sequence[EvalExample]) -> Scores:
        """Mean IoU over objects if the boxes are those of labels; AP and boundary AP."""
        rows = [(each, self._prompts[int(each.case.id)]) for each in examples]
        per_image = [self._overlaps(each, prompts) for each, prompts in rows] if self._has_labels else []
        means = [
            ratio_metric(
                name, [sum(values[at] for values in image) for image in per_image], [*map(len, per_image)]
            )
            for at, name in enumerate(("mIoU", "boundary mIoU", "boundary F"))
            if per_image
        ]
        results = [
            {
                "image_id": int(each.case.id),
                "category_id": prompt["category_id"],
                "segmentation": mask,
                "score": prompt["score"],
            }
            for each, prompts in rows
            for prompt, mask in zip(prompts, each.prediction["masks"], strict=True)
        ]
        ids = [int(each.case.id) for each in examples]
        note = "all boxes come from the labels and score 1" if self._has_labels else ""
        precise = [
            _noted(metric, note)
            for kind, prefix in (("segm", ""), ("boundary", "boundary "))
            for metric in AveragePrecision(self._truth, results, ids, kind).metrics(prefix)[:6]  # type: ignore[arg-type]
        ]
        return Scores(
            metrics=(*means, *precise),
            per_case=tuple(sum(v[0] for v in image) / len(image) for image in per_image),
            per_case_name="mIoU",
        )

    def _overlaps(
        self, example: EvalExample, prompts: Sequence[Mapping[str, Any]]
    ) -> list[tuple[float, float, float]]:
        """IoU, boundary IoU and boundary F of each object."""
        return [
            _compare(mask, self._label(prompt))
            for prompt, mask in zip(prompts, example.prediction["masks"], strict=True)
        ]

    def _label(self, prompt: Mapping[str, Any]) -> dict[str, Any]:
        rle = self._truth.annToRLE(dict(prompt))
        return {"size": [*map(int, rle["size"])], "counts": rle["counts"]}

    def draw(self, example: EvalExample) -> list[tuple[str, Image]]:
        """The labels and the masks."""
        image, _ = open_thumbnail(example.case.image)
        labels = [self._label(label) for label in self._labelled().get(int(example.case.id), [])]
        return [
            ("labels", _overlay(image, labels)),
            ("masks", _overlay(image, example.prediction["masks"])),
        ]


class MaskPairs:
    """Images with one mask each as a test of ``segment_objects``; the box of the mask is the prompt.

    Args:
        setup: options ``images`` and ``masks`` name the folders of the data set.

    Raises:
        InputError: a mask cannot be used.
    """

    def __init__(self, setup: EvalSetup) -> None:
        options = setup.options
        self._pairs = [*find_pairs(setup.data, options.get("images", ""), options.get("masks", ""))]
        self.conditions = {
            "data": setup.data.name,
            "images in the data set": str(len(self._pairs)),
            "boxes": "of the labels",
        }

    def cases(self) -> Iterator[EvalCase]:
        """The images whose mask is not empty, by name."""
        for image, path in self._pairs:
            mask = open_image(path).convert("L").point(lambda value: 255 if value > 127 else 0)
            if (box := mask.getbbox()) is not None:
                calls = ({"image_url": image, "bounding_boxes": [[*map(float, box)]]},)
                yield EvalCase(id=image.stem, calls=calls, image=image, truth=path)

    def predict(self, case: EvalCase, outputs: Sequence[EvalOutput]) -> dict[str, Any]:
        """The mask of the box."""
        return _encoded(outputs)

    def score(self, examples: Sequence[EvalExample]) -> Scores:
        """Means over the images."""
        values = [
            _compare(each.prediction["masks"][0], encode(open_image(each.case.truth))) for each in examples
        ]
        names = ("mIoU", "boundary mIoU", "boundary F")
        metrics = [mean_metric(name, [each[at] for each in values]) for at, name in enumerate(names)]
        return Scores(metrics=tuple(metrics), per_case=tuple(each[0] for each in values), per_case_name="IoU")

    def draw(self, example: EvalExample) -> list[tuple[str, Image]]:
        """The label and the mask."""
        image, _ = open_thumbnail(example.case.image)
        label = [encode(open_image(example.case.truth))]
        return [("label", _overlay(image, label)), ("mask", _overlay(image, example.prediction["masks"]))]


def _encoded(outputs: Sequence[EvalOutput]) -> dict[str, Any]:
    return {"masks": [encode(output.open(id_)) for output in outputs for id_ in output.fields["mask_urls"]]}


def _compare(mask: Mapping[str, Any], label: Mapping[str, Any]) -> tuple[float, float, float]:
    return iou(mask, label), boundary_iou(mask, label), boundary_f(mask, label)


def _corners(box: Sequence[float]) -> list[float]:
    x, y, width, height = map(float, box)
    return [x, y, x + width, y + height]


def _noted(metric: Metric, note: str) -> Metric:
    return Metric(
        name=metric.name, value=metric.value, unit="%", resample=metric.resample, note=metric.note or note
    )


def _overlay(image: Image, masks: Sequence[Mapping[str, Any]]) -> Image:
    from PIL import Image as images  # noqa: N813

    merged = images.new("L", image.size, 0)
    for mask in masks:
        bits = images.fromarray(decode(mask)).convert("L").resize(image.size)
        merged.paste(255, mask=bits)
    return draw_mask_overlay(image, merged)
