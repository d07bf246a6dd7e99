"""Labels of ICDAR are read, and words matched, as its protocol says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from promptvision.plugin import EvalCase, EvalExample, EvalSetup, InputError, Settings
from promptvision_eval.icdar import Counts, IcdarWords, Label, count_words, read_labels


def square(x: float, text: str = "word", side: float = 10) -> Label:
    return Label(((x, 0), (x + side, 0), (x + side, 10), (x, 10)), text)


def word(x: float, text: str = "word", side: float = 10) -> dict[str, object]:
    return {"box": [x, 0, x + side, 10], "text": text}


@pytest.mark.parametrize(
    ("labels", "words", "wanted"),
    [
        ([square(0)], [word(0)], Counts(1, 1, 1, 1)),
        ([square(0, "Word")], [word(0, "wORD")], Counts(1, 1, 1, 1)),
        ([square(0, "other")], [word(0)], Counts(1, 0, 1, 1)),
        ([square(0)], [], Counts(0, 0, 1, 0)),
        ([], [word(0)], Counts(0, 0, 0, 1)),
        ([square(0)], [word(0), word(1)], Counts(1, 1, 1, 2)),  # each label is used once
        ([square(0)], [word(10 / 3)], Counts(0, 0, 1, 1)),  # IoU is exactly 0.5
        ([square(0)], [word(3)], Counts(1, 1, 1, 1)),
        ([square(0, "###")], [word(0)], Counts(0, 0, 0, 0)),
        ([square(0, "###", side=20), square(30)], [word(0), word(30)], Counts(1, 1, 1, 1)),
        ([square(0, "###", side=5)], [word(0)], Counts(0, 0, 0, 1)),  # half of it lies outside
        ([square(0, "\u00c4pfel")], [word(0, "\u00e4PFEL")], Counts(1, 1, 1, 1)),
    ],
)
def test_words_are_matched(labels: list[Label], words: list[dict[str, object]], wanted: Counts) -> None:
    assert count_words(labels, words) == wanted


def test_a_slanted_outline_is_compared_as_a_polygon() -> None:
    diamond = Label(((10, 0), (20, 10), (10, 20), (0, 10)), "word")
    assert count_words([diamond], [{"box": [0, 0, 20, 20], "text": "word"}]).found == 0  # IoU 200 / 400
    assert count_words([diamond], [{"box": [3, 3, 17, 17], "text": "word"}]).found == 1


def test_labels_of_both_years_are_read(tmp_path: Path) -> None:
    file = tmp_path / "gt_a.txt"
    file.write_text(
        "\ufeff1,2,11,2,11,12,1,12,a, b\n"
        '1, 2, 11, 12, "Tiredness"\n'
        '1 2 11 12 "kills"\n'
        "\n1,2,11,2,11,12,1,12,###\n",
        "utf-8",
    )
    labels = read_labels(file)
    assert [label.text for label in labels] == ["a, b", "Tiredness", "kills", "###"]
    assert {label.outline for label in labels} == {((1, 2), (11, 2), (11, 12), (1, 12))}
    assert [label.is_ignored for label in labels] == [False, False, False, True]


def test_a_wrong_label_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "gt_a.txt"
    file.write_text("1,2,11,12,ok\nnothing\n")
    with pytest.raises(InputError, match=r"gt_a\.txt, line 2.*'nothing'"):
        read_labels(file)


def test_h_mean_is_of_all_words_together(tmp_path: Path) -> None:
    (tmp_path / "gt").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").touch()
        (tmp_path / "gt" / f"gt_{name}.txt").write_text("0,0,10,0,10,10,0,10,word\n")
    setup = EvalSetup(data=tmp_path, options={}, settings=Settings(), folder=tmp_path)
    cases: list[EvalCase] = [*IcdarWords(setup).cases()]
    predictions = ([word(0)], [word(0), word(50), word(80)])
    examples = [
        EvalExample(case=case, prediction={"words": words})
        for case, words in zip(cases, predictions, strict=True)
    ]
    by_name = {metric.name: metric for metric in IcdarWords(setup).score(examples).metrics}
    assert by_name["detection precision"].value == pytest.approx(50)
    assert by_name["detection recall"].value == pytest.approx(100)
    assert by_name["detection H-mean"].value == pytest.approx(200 / 3)
    assert by_name["end-to-end H-mean"].value == pytest.approx(200 / 3)
    resample = by_name["detection H-mean"].resample
    assert resample is not None
    assert resample([0, 0]) == pytest.approx(100)


def shared_area(one: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]]) -> float:
    return float(cv2.intersectConvexConvex(np.asarray(one, np.float32), np.asarray(other, np.float32))[0])


def area(outline: Sequence[tuple[float, float]]) -> float:
    return float(cv2.contourArea(np.asarray(outline, np.float32)))


def reference(labels: Sequence[Label], words: Sequence[dict[str, Any]]) -> Counts:
    """The loops of the protocol's script, over intersections by OpenCV."""
    boxes = []
    for each in words:
        x1, y1, x2, y2 = each["box"]
        boxes.append([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    ignored = [label.outline for label in labels if label.text == "###"]
    skipped = {
        at
        for at, box in enumerate(boxes)
        if any(shared_area(outline, box) / area(box) > 0.5 for outline in ignored)
    }
    found = right = 0
    taken: set[int] = set()
    for label in labels:
        for at, box in enumerate(boxes):
            if label.text != "###" and at not in taken | skipped:
                shared = shared_area(label.outline, box)
                if shared / (area(label.outline) + area(box) - shared) > 0.5:
                    taken.add(at)
                    found += 1
                    right += str(words[at]["text"]).lower() == label.text.lower()
                    break
    return Counts(found, right, len(labels) - len(ignored), len(boxes) - len(skipped))


@pytest.mark.parametrize("seed", range(8))
def test_counts_equal_the_loops_of_the_protocol(seed: int) -> None:
    chance = random.Random(seed)
    labels: list[Label] = []
    words: list[dict[str, Any]] = []
    for _ in range(12):
        x, y, width, height = (chance.uniform(*span) for span in ((0, 80), (0, 80), (8, 30), (5, 15)))
        slant = chance.choice((0, 0, chance.uniform(-3, 3)))
        text = chance.choice(("caf\u00e9", "SIGN", "\u65e5\u672c", "###"))
        outline = ((x, y), (x + width, y + slant), (x + width, y + height + slant), (x, y + height))
        labels.append(Label(outline, text))
        for _ in range(chance.choice((0, 1, 1, 2))):
            sides = (x, y, x + width, y + height)
            box = [side + chance.gauss(0, 2) for side in sides]
            words.append({"box": box, "text": chance.choice((text, text.upper(), "other"))})
    assert count_words(labels, words) == reference(labels, words)
    assert count_words(labels, []) == reference(labels, [])
    assert count_words([], words) == reference([], words)


def test_nothing_labelled_or_detected_is_0_of_all_and_1_of_an_image(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "gt_a.txt").write_text("0,0,10,0,10,10,0,10,###\n")
    icdar = IcdarWords(EvalSetup(data=tmp_path, options={}, settings=Settings(), folder=tmp_path))
    (case,) = icdar.cases()
    scores = icdar.score([EvalExample(case=case, prediction={"words": []})])
    assert {metric.value for metric in scores.metrics} == {0.0}
    assert scores.per_case == (1.0,)
