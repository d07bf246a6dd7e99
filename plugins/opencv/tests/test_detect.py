from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from promptvision.plugin import ANNOTATED, Cancelled, NotSupported
from promptvision.testing import CancelToken, make_context, run_tool, still_life
from promptvision_opencv.plugin import DETECT_TOOL


def test_objects_of_the_still_life_best_first_with_annotated_image() -> None:
    context = make_context()
    result = run_tool(DETECT_TOOL, still_life(), context=context, prompt="red ball. blue box. green cone.")
    assert sorted(result.labels) == ["blue box", "green cone", "red ball"]
    assert result.scores == sorted(result.scores, reverse=True)
    assert all(score == round(score, 3) and 0.8 < score <= 1 for score in result.scores)
    assert result.centroids == [box.centroid for box in result.bounding_boxes]
    ball = result.bounding_boxes[result.labels.index("red ball")]
    assert max(abs(a - b) for a, b in zip(ball, (178, 288, 402, 512), strict=True)) <= 4
    assert result.message is None
    assert context.open(result.annotated_image_url).size == (960, 640)
    assert context.saved[-1].kind == ANNOTATED


def test_face_of_the_portrait(portrait: np.ndarray) -> None:
    result = run_tool(DETECT_TOOL, Image.fromarray(portrait), prompt="face")
    assert result.labels == ["face"]


@pytest.mark.parametrize(("prompt", "has_note"), [("faces", True), ("face", False), ("the left faces", True)])
def test_number_of_faces_is_a_lower_bound(portrait: np.ndarray, prompt: str, has_note: bool) -> None:
    """Since the detector misses people, "how many" is answered with a lower bound."""
    result = run_tool(DETECT_TOOL, Image.fromarray(portrait), prompt=prompt)
    assert ("At least 1: face detection misses" in result.summary()) == has_note


def test_nothing_found_is_a_success_with_a_message(ball: Any) -> None:
    result = run_tool(DETECT_TOOL, ball.image, prompt="a yellow thing")
    assert result.success
    assert result.bounding_boxes == result.labels == result.scores == result.centroids == []
    assert "No yellow found" in result.message


def test_threshold_is_honoured(ball: Any) -> None:
    score = run_tool(DETECT_TOOL, ball.image, prompt="red").scores[0]
    assert run_tool(DETECT_TOOL, ball.image, prompt="red", box_threshold=score).scores == [score]
    assert run_tool(DETECT_TOOL, ball.image, prompt="red", box_threshold=min(1.0, score + 0.001)).scores == []


def test_unknown_name_is_not_supported(ball: Any) -> None:
    with pytest.raises(NotSupported, match="cannot look for 'lion'"):
        run_tool(DETECT_TOOL, ball.image, prompt="lion")


def test_without_the_plugin_that_knows_names_it_is_named(ball: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptvision_opencv.detect.find_spec", lambda name: None)
    with pytest.raises(NotSupported, match=r"'lion'.*pip install promptvision-grounding-dino"):
        run_tool(DETECT_TOOL, ball.image, prompt="lion")


def test_label_claims_only_what_was_checked(ball: Any) -> None:
    result = run_tool(DETECT_TOOL, ball.image, prompt="red car. lion")
    assert result.labels == ["red"]
    assert "could not check 'car'" in result.message
    assert "Could not look for 'lion'" in result.message


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_other_modes(mode: str, ball: Any) -> None:
    assert run_tool(DETECT_TOOL, ball.image.convert(mode), prompt="red").success


def test_stops_when_cancelled(ball: Any) -> None:
    token = CancelToken()
    context = make_context(cancel=token, on_progress=lambda *_: token.cancel())
    with pytest.raises(Cancelled):
        run_tool(DETECT_TOOL, ball.image, context=context, prompt="red. blue")
