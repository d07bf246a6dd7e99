"""Score detectors on COCO instances: the names of the classes are the prompts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from faster_coco_eval.core import mask as masks  # type: ignore[import-untyped]

from promptvision.plugin import (
    Box,
    EvalCase,
    EvalExample,
    EvalOutput,
    EvalSetup,
    InputError,
    Metric,
    Scores,
    draw_boxes,
)
from promptvision_eval.average_precision import AveragePrecision
from promptvision_eval.coco import find_images, open_instances
from promptvision_eval.thumbnails import open_thumbnail

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["CocoDetection"]

PROMPTS = ("all", "each")


class CocoDetection:
    """COCO instances as a test of ``detect_objects``.

    Args:
        setup: option ``prompts`` is ``all``, for one call with all names of classes, or ``each``, for one
            call per class.

    Raises:
        InputError: the annotations cannot be used.
    """

    def __init__(self, setup: EvalSetup) -> None:
        path, self._truth = open_instances(setup.data)
        self._prompts = setup.options.get("prompts", "all")
        if self._prompts not in PROMPTS:
            raise InputError(f"eval: prompts={self._prompts} is not known", hint="use all or each")
        self._images = [self._truth.imgs[id_] for id_ in sorted(self._truth.imgs)]
        if not self._images:
            raise InputError(f"eval: {path} names no image", hint="give annotations of at least one image")
        self._folder = find_images(path, self._images[0]["file_name"], setup.options)
        self._categories = {_plain(each["name"]): each["id"] for each in self._truth.cats.values()}
        self._names = {id_: name for name, id_ in self._categories.items()}
        self.conditions = {
            "annotations": path.name,
            "images in the data set": str(len(self._images)),
            "prompts": self._prompts,
        }

    def cases(self) -> Iterator[EvalCase]:
        """The images, by id."""
        names = list(self._categories)
        prompts = [". ".join(names) + "."] if self._prompts == "all" else names
        for image in self._images:
            path = self._folder / image["file_name"]
            calls = tuple({"image_url": path, "prompt": prompt} for prompt in prompts)
            yield EvalCase(id=str(image["id"]), calls=calls, image=path)

    def predict(self, case: EvalCase, outputs: Sequence[EvalOutput]) -> dict[str, Any]:
        """Detections as ``[category id, x, y, width, height, score]``, and labels that name no class."""
        found: list[list[float]] = []
        unknown: Counter[str] = Counter()
        for call, output in zip(case.calls, outputs, strict=True):
            fields = output.fields
            only = self._categories[call["prompt"]] if self._prompts == "each" else None
            rows = zip(fields["bounding_boxes"], fields["labels"], fields["scores"], strict=True)
            for (x1, y1, x2, y2), label, score in rows:
                category = only if only is not None else self._categories.get(_plain(label))
                if category is None:
                    unknown[label] += 1
                else:
                    found.append([category, x1, y1, x2 - x1, y2 - y1, score])
        return {"detections": found, "unknown": dict(unknown)}

    def score(self, examples: Sequence[EvalExample]) -> Scores:
        """AP and AR as COCO defines them."""
        results = [
            {"image_id": int(each.case.id), "category_id": int(category), "bbox": box, "score": score}
            for each in examples
            for category, *box, score in each.prediction["detections"]
        ]
        ids = [int(each.case.id) for each in examples]
        metrics = AveragePrecision(self._truth, results, ids, "bbox").metrics()
        unknown = sum(sum(each.prediction["unknown"].values()) for each in examples)
        if unknown:
            first = metrics[0]
            note = f"{unknown} detections have labels that name no class; they do not count"
            metrics = (
                Metric(name=first.name, value=first.value, unit="%", resample=first.resample, note=note),
                *metrics[1:],
            )
        return Scores(
            metrics=metrics,
            per_case=tuple(self._f1(each) for each in examples),
            per_case_name="F1 at IoU 0.5",
        )

    def _f1(self, example: EvalExample) -> float:
        """F1 of the boxes of one image: those that match a label of their class, best score first."""
        labels = self._labels(int(example.case.id))
        found = sorted(example.prediction["detections"], key=lambda each: -each[5])
        taken: set[int] = set()
        for category, *box, _ in found:
            rivals = [at for at, (of, _) in enumerate(labels) if of == category and at not in taken]
            if not rivals:
                continue
            overlaps = masks.iou([box], [labels[at][1] for at in rivals], [0] * len(rivals))[0]
            best = max(range(len(rivals)), key=overlaps.__getitem__)
            if overlaps[best] >= 0.5:
                taken.add(rivals[best])
        return 2 * len(taken) / (len(found) + len(labels)) if found or labels else 1.0

    def _labels(self, image_id: int) -> list[tuple[int, list[float]]]:
        return [
            (label["category_id"], label["bbox"])
            for label in self._truth.loadAnns(self._truth.getAnnIds(imgIds=image_id))
            if not label.get("iscrowd", 0)
        ]

    def draw(self, example: EvalExample) -> list[tuple[str, Image]]:
        """The labels and the detections."""
        image, factor = open_thumbnail(example.case.image)
        shown = []
        labels = [(category, box, 1.0) for category, box in self._labels(int(example.case.id))]
        found = [(int(each[0]), each[1:5], each[5]) for each in example.prediction["detections"]]
        for caption, rows in (("labels", labels), ("detections", found)):
            boxes = [Box(*(side * factor for side in (x, y, x + w, y + h))) for _, (x, y, w, h), _ in rows]
            names = [self._names[category] for category, _, _ in rows]
            drawn = draw_boxes(image, boxes, names, [score for _, _, score in rows])
            shown.append((f"{len(rows)} {caption}", drawn))
        return shown


def _plain(name: str) -> str:
    return " ".join(name.lower().split())
