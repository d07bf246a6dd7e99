"""Score text detection on the layouts of ICDAR 2013 and 2015.

A word is found if its box and a label overlap with IoU over 0.5, each used once, in the order of the labels.
Labels with the text ``###`` do not count, nor do boxes that lie with over half of their area in one of them.

Source: the evaluation protocol of ICDAR 2015 Robust Reading, tasks 4.1 and 4.4, https://rrc.cvc.uab.es.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shapely import Polygon, box  # type: ignore[import-untyped]

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
from promptvision_eval.layouts import image_files
from promptvision_eval.thumbnails import open_thumbnail

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Counts", "IcdarWords", "Label", "count_words", "read_labels"]

IGNORED = "###"
OVERLAP = 0.5


@dataclass(frozen=True)
class Label:
    """One word of an image: its outline in pixels and its text."""

    outline: tuple[tuple[float, float], ...]
    text: str

    @property
    def is_ignored(self) -> bool:
        """Whether the word cannot be read, so that it counts neither way."""
        return self.text == IGNORED


@dataclass(frozen=True)
class Counts:
    """Words of one image that are found, also with the right text, of those labelled and those detected."""

    found: int
    right: int
    labelled: int
    detected: int


class IcdarWords:
    """The layouts of ICDAR as a test of ``extract_text``.

    Args:
        setup: no options.
    """

    def __init__(self, setup: EvalSetup) -> None:
        folders = (setup.data, setup.data / "gt")
        images = [*image_files(setup.data), *image_files(setup.data / "images")]
        self._labels = {
            image: file
            for image in images
            if (
                file := next(
                    (f / f"gt_{image.stem}.txt" for f in folders if (f / f"gt_{image.stem}.txt").exists()),
                    None,
                )
            )
        }
        self.conditions = {"data": setup.data.name, "images in the data set": str(len(self._labels))}

    def cases(self) -> Iterator[EvalCase]:
        """The images, by name."""
        for image, labels in self._labels.items():
            calls = ({"image_url": image},)
            yield EvalCase(id=image.stem, calls=calls, image=image, truth=read_labels(labels))

    def predict(self, case: EvalCase, outputs: Sequence[EvalOutput]) -> dict[str, Any]:
        """The recognised words."""
        words = outputs[0].fields["words"]
        return {"words": [{"text": word["text"], "box": [*word["box"]]} for word in words]}

    def score(self, examples: Sequence[EvalExample]) -> Scores:
        """Precision, recall and H-mean of the boxes, and of boxes with the right text."""
        counts = [count_words(each.case.truth, each.prediction["words"]) for each in examples]
        metrics = [
            _figure(f"{kind} {name}", counts, kind, name)
            for kind in ("detection", "end-to-end")
            for name in ("H-mean", "precision", "recall")
        ]
        return Scores(
            metrics=tuple(metrics),
            per_case=tuple(map(_h_mean, counts)),
            per_case_name="detection H-mean",
        )

    def draw(self, example: EvalExample) -> list[tuple[str, Image]]:
        """The labels and the recognised words."""
        image, factor = open_thumbnail(example.case.image)
        labels = [(Polygon(each.outline).bounds, each.text) for each in example.case.truth]
        words = [(tuple(word["box"]), word["text"]) for word in example.prediction["words"]]
        shown = []
        for caption, rows in (("labels", labels), ("recognised words", words)):
            boxes = [Box(*(side * factor for side in bounds)) for bounds, _ in rows]
            drawn = draw_boxes(image, boxes, [text for _, text in rows], [1.0] * len(rows))
            shown.append((f"{len(rows)} {caption}", drawn))
        return shown


def read_labels(path: Path) -> tuple[Label, ...]:
    """Labels of one image: ``x1,y1,...,x4,y4,text`` or ``x1, y1, x2, y2, "text"`` in each line.

    Raises:
        InputError: a line has another form.
    """
    labels = []
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), start=1):
        if line.strip():
            try:
                labels.append(_label(line))
            except ValueError as exc:
                raise InputError(
                    f"eval: {path}, line {number}: not a label of ICDAR: {line.strip()!r:.80}",
                    hint='write x1,y1,x2,y2,x3,y3,x4,y4,text or x1, y1, x2, y2, "text"',
                ) from exc
    return tuple(labels)


def _label(line: str) -> Label:
    parts = line.strip().split(",")
    if len(parts) >= 9 and all(map(_is_number, parts[:8])):
        sides = [*map(float, parts[:8])]
        return Label(tuple(zip(sides[::2], sides[1::2], strict=True)), ",".join(parts[8:]).strip())
    if len(parts) < 5:  # ICDAR 2013 training data separates with spaces
        parts = next(csv.reader([line.strip()], delimiter=" ", skipinitialspace=True))
    x1, y1, x2, y2 = map(float, parts[:4])
    text = ",".join(parts[4:]).strip().removeprefix('"').removesuffix('"')
    return Label(((x1, y1), (x2, y1), (x2, y2), (x1, y2)), text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def count_words(labels: Sequence[Label], words: Sequence[Mapping[str, Any]]) -> Counts:
    """Match the words of one image with its labels."""
    outlines = [Polygon(label.outline).buffer(0) for label in labels]
    boxes = [box(*word["box"]) for word in words]
    ignored = [outline for outline, label in zip(outlines, labels, strict=True) if label.is_ignored]
    detected = [at for at, each in enumerate(boxes) if not _lies_in(each, ignored)]
    free, found, right = set(detected), 0, 0
    for label, outline in zip(labels, outlines, strict=True):
        if label.is_ignored:
            continue
        match = next((at for at in detected if at in free and _iou(boxes[at], outline) > OVERLAP), None)
        if match is not None:
            free.remove(match)
            found += 1
            right += words[match]["text"].casefold() == label.text.casefold()
    labelled = sum(not label.is_ignored for label in labels)
    return Counts(found, right, labelled, len(detected))


def _lies_in(each: Polygon, ignored: Sequence[Polygon]) -> bool:
    return any(each.intersection(outline).area > OVERLAP * each.area for outline in ignored)


def _iou(one: Polygon, other: Polygon) -> float:
    shared = one.intersection(other).area
    union = one.area + other.area - shared
    return float(shared / union) if union else 0.0


def _rates(counts: Sequence[Counts], kind: str) -> dict[str, float]:
    """Figures of all words together; 0 where nothing is labelled or detected, as in the protocol."""
    matched = sum(each.found if kind == "detection" else each.right for each in counts)
    labelled, detected = sum(each.labelled for each in counts), sum(each.detected for each in counts)
    recall = matched / labelled if labelled else 0.0
    precision = matched / detected if detected else 0.0
    total = precision + recall
    return {
        "H-mean": 2 * precision * recall / total if total else 0.0,
        "precision": precision,
        "recall": recall,
    }


def _h_mean(counts: Counts) -> float:
    """The H-mean of one image, 1 if nothing is labelled and nothing detected."""
    return _rates([counts], "detection")["H-mean"] if counts.labelled or counts.detected else 1.0


def _figure(label: str, counts: Sequence[Counts], kind: str, name: str) -> Metric:
    def over(positions: Sequence[int]) -> float:
        return 100 * _rates([counts[at] for at in positions], kind)[name]

    return Metric(name=label, value=over(range(len(counts))), unit="%", resample=over)
