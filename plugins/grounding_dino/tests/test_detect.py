from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from promptvision.plugin import ArgumentsError, Cancelled, DetectResult, SetupError
from promptvision.testing import CallContext, CancelToken, make_context, run_tool
from promptvision_grounding_dino.detect import _notes_of_same
from promptvision_grounding_dino.find import Finding
from promptvision_grounding_dino.plugin import DETECT, promptvision_models


def context_with(
    checkpoint: Path, home: Path, model: str = "GROUNDING_DINO_BASE", **more: Any
) -> CallContext:
    variables = {f"PROMPTVISION_MODEL_{model}": str(checkpoint), **more.pop("variables", {})}
    return make_context(models=promptvision_models(), variables=variables, home=home, **more)


def test_result_has_a_label_score_and_centroid_per_box(
    checkpoint: Path, image: Image.Image, tmp_path: Path
) -> None:
    context = context_with(checkpoint, tmp_path)
    result: DetectResult = run_tool(DETECT, image, context=context, prompt="lion. tree.")
    assert result.success
    assert result.bounding_boxes
    assert set(result.labels) <= {"lion", "tree"}
    assert len(result.bounding_boxes) == len(result.centroids) == len(result.labels) == len(result.scores)
    assert result.scores == sorted(result.scores, reverse=True)
    assert all(score >= 0.45 and score == round(score, 3) for score in result.scores)
    for box, centre in zip(result.bounding_boxes, result.centroids, strict=True):
        assert centre == pytest.approx(box.centroid, abs=0.006)
    annotated = context.open(result.annotated_image_url)
    assert annotated.size == image.size
    assert annotated.tobytes() != image.tobytes()
    assert [saved.kind for saved in context.saved] == ["input", "annotated"]


def test_nothing_found_is_a_success_with_a_message(
    checkpoint: Path, image: Image.Image, tmp_path: Path
) -> None:
    context = context_with(checkpoint, tmp_path)
    result = run_tool(DETECT, image, context=context, prompt="lion", box_threshold=1.0)
    assert result.success
    assert (result.bounding_boxes, result.labels, result.scores, result.centroids) == ([], [], [], [])
    assert result.annotated_image_url == result.original_image_url
    assert "Nothing found for lion" in result.message


def test_only_box_threshold_drops_boxes(checkpoint: Path, image: Image.Image, tmp_path: Path) -> None:
    def result(**thresholds: float) -> DetectResult:
        found: DetectResult = run_tool(
            DETECT, image, context=context_with(checkpoint, tmp_path), prompt="lion", **thresholds
        )
        return found

    low, middle, high = (result(box_threshold=at, text_threshold=0.3).scores for at in (0.01, 0.1, 0.9))
    assert len(low) > len(middle) > len(high)
    assert min(low) < 0.1 <= min(middle)
    named = result(box_threshold=0.01, text_threshold=0.9)
    assert named.scores == low
    uncertain = sum(score < 0.9 for score in low)
    assert f"{uncertain} of {len(low)} boxes have a name that is uncertain" in (named.message or "")
    assert result(box_threshold=0.9, text_threshold=0.1).message is None


def test_a_label_that_marks_the_same_box_as_another_is_named() -> None:
    findings = [Finding((0, 0, 9, 9), "person", 0.9, ("shirt",)), Finding((5, 5, 9, 9), "hat", 0.8)]
    assert list(_notes_of_same(findings)) == [
        "A box for 'shirt' is the same as one for 'person' and was dropped."
    ]


@pytest.mark.parametrize("size", [(2700, 1), (1, 2700), (16384, 1), (1, 1)])
def test_extreme_aspects_are_searched(checkpoint: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, "red")
    result = run_tool(
        DETECT, image, context=context_with(checkpoint, tmp_path), prompt="lion", box_threshold=0.1
    )
    assert all(
        0 <= x1 < x2 <= size[0] and 0 <= y1 < y2 <= size[1] for x1, y1, x2, y2 in result.bounding_boxes
    )


@pytest.mark.parametrize("prompt", ["\N{LION FACE}", "\u72ee\u5b50", "lion. \u72ee\u5b50", "\u200b"])
def test_names_that_the_model_cannot_read_are_refused(
    checkpoint: Path, image: Image.Image, tmp_path: Path, prompt: str
) -> None:
    with pytest.raises(ArgumentsError, match=r"Grounding DINO cannot read '.+'; name it with English words"):
        run_tool(DETECT, image, context=context_with(checkpoint, tmp_path), prompt=prompt)


def test_prompt_that_names_nothing_is_refused(image: Image.Image) -> None:
    with pytest.raises(ArgumentsError, match="prompt: names nothing to look for"):
        run_tool(DETECT, image, prompt=" . ")


def test_cancelled_call_stops_before_it_loads_anything(image: Image.Image) -> None:
    token = CancelToken()
    context = make_context(cancel=token)
    ref = context.save(image, kind="input")
    token.cancel("enough")
    with pytest.raises(Cancelled, match="enough"):
        run_tool(DETECT, context=context, image_url=ref, prompt="lion")


def test_cancel_while_loading_stops_before_the_model_runs(
    checkpoint: Path, image: Image.Image, tmp_path: Path
) -> None:
    token = CancelToken()
    seen: list[str] = []

    def watch(done: float, total: float, message: str) -> None:
        seen.append(message)
        token.cancel()

    with pytest.raises(Cancelled):
        run_tool(
            DETECT,
            image,
            context=context_with(checkpoint, tmp_path, cancel=token, on_progress=watch),
            prompt="lion",
        )
    assert seen == ["loading Grounding DINO"]


def test_missing_weights_name_the_command(image: Image.Image, tmp_path: Path) -> None:
    context = make_context(models=promptvision_models(), home=tmp_path)
    with pytest.raises(SetupError, match=r"promptvision models pull grounding-dino-(tiny|base)`"):
        run_tool(DETECT, image, context=context, prompt="lion")


def test_setting_leases_the_other_model(checkpoint: Path, image: Image.Image, tmp_path: Path) -> None:
    chosen = {"PROMPTVISION_GROUNDING_DINO_MODEL": "grounding-dino-tiny"}
    context = context_with(checkpoint, tmp_path, "GROUNDING_DINO_TINY", variables=chosen)
    assert run_tool(DETECT, image, context=context, prompt="lion").bounding_boxes
