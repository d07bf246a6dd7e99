from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from promptvision.plugin import Cancelled
from promptvision_florence.caption import TASKS, describe
from promptvision_florence.detect import TASK as FIND
from promptvision_florence.detect import find
from promptvision_florence.generation import Certainty, first_location, write
from promptvision_florence.load import load
from promptvision_florence.read import TASK as READ
from promptvision_florence.read import read_lines


def nothing() -> None:
    """A check that never stops."""


def run_reference(florence: Any, image: Image.Image, task: str, text: str = "") -> Any:
    """transformers' own recipe with one beam."""
    inputs = florence.processor(images=image, text=task + text, return_tensors="pt")
    ids = florence.model.generate(
        **inputs, max_new_tokens=96, num_beams=1, early_stopping=False, do_sample=False
    )
    words = florence.processor.batch_decode(ids, skip_special_tokens=False)[0]
    return florence.processor.post_process_generation(words, task=task, image_size=image.size)[task]


@pytest.mark.parametrize("detail", TASKS)
def test_caption_is_that_of_the_reference(florence: Any, image: Image.Image, detail: str) -> None:
    expected = run_reference(florence, image, TASKS[detail])
    assert expected
    assert describe(florence, image, detail, nothing) == expected


def test_boxes_are_those_of_the_reference(florence: Any, image: Image.Image) -> None:
    answer = run_reference(florence, image, FIND, "lion")
    expected = [(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)) for x1, y1, x2, y2 in answer["bboxes"]]
    expected = [box for box in dict.fromkeys(expected) if box[0] < box[2] and box[1] < box[3]]
    found = [tuple(map(int, box)) for box, _, _ in find(florence, image, "lion", 0.0, nothing)]
    assert expected
    assert found == expected


def test_every_box_has_the_requested_label(florence: Any, image: Image.Image) -> None:
    answer = run_reference(florence, image, FIND, "lion")
    assert set(answer["bboxes_labels"]) != {"lion"}
    assert {label for _, label, _ in find(florence, image, "lion", 0.0, nothing)} == {"lion"}


def test_threshold_drops_uncertain_boxes(florence: Any, image: Image.Image) -> None:
    everything = find(florence, image, "lion", 0.0, nothing)
    middle = sorted(score for _, _, score in everything)[len(everything) // 2]
    kept = find(florence, image, "lion", middle, nothing)
    assert kept == [each for each in everything if each[2] >= middle]
    assert 0 < len(kept) < len(everything)


def test_read_text_is_that_of_the_reference(florence: Any, image: Image.Image) -> None:
    answer = run_reference(florence, image, READ)
    lines = read_lines(florence, image, nothing)
    assert lines
    for line in lines:
        assert 0 < line.confidence <= 100
        # The reference reads stray location tags as text, so its labels may start with some.
        places = [i for i, label in enumerate(answer["labels"]) if label.endswith(line.text)]
        assert places
        if line.box:
            quads = [answer["quad_boxes"][i] for i in places]
            rounds = [(min(q[::2]), min(q[1::2]), max(q[::2]), max(q[1::2])) for q in quads]
            assert tuple(map(int, line.box)) in rounds


def test_certainty_is_the_probability_of_the_written_token(florence: Any, image: Image.Image) -> None:
    certainty = Certainty(first_location(florence))
    ids = write(florence, image, TASKS["brief"], nothing, certainty)
    inputs = florence.processor(images=image, text=TASKS["brief"], return_tensors="pt")
    with torch.inference_mode():
        logits = florence.model(**inputs, decoder_input_ids=torch.tensor([ids[:2]])).logits
    expected = logits[0].softmax(dim=-1)[[0, 1], ids[1:3]].tolist()
    assert [certainty.of_token(1), certainty.of_token(2)] == pytest.approx(expected, rel=1e-3)


def test_location_certainty_counts_the_bins_near_by() -> None:
    certainty = Certainty(10)
    scores = torch.full((1, 1020), -torch.inf)
    scores[0, 10], scores[0, 10 + 25], scores[0, 10 + 26] = 0.0, 0.0, 0.0
    assert certainty(torch.zeros(1, 1, dtype=torch.long), scores) is scores  # type: ignore[arg-type]
    assert certainty.of_location(1, 0) == pytest.approx(2 / 3)
    assert certainty.of_location(1, 20) == pytest.approx(1)
    assert certainty.of_location(1, 999) == 0


def test_cancel_stops_after_the_current_token(florence: Any, image: Image.Image) -> None:
    written = 0

    def check() -> None:
        nonlocal written
        written += 1
        if written == 3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        describe(florence, image, "brief", check)
    assert written == 3


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_writes_too(checkpoint: Path, image: Image.Image, dtype: str) -> None:
    florence = load(checkpoint, "cpu", dtype)
    assert florence.model.dtype == getattr(torch, dtype)
    assert describe(florence, image, "brief", nothing)
