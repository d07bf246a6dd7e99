from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from promptvision.plugin import ArgumentsError, Cancelled, SetupError
from promptvision.testing import CallContext, CancelToken, make_context, run_tool
from promptvision_florence.detect import _boxes, _objects, _outlines, _polygons
from promptvision_florence.load import load
from promptvision_florence.plugin import CAPTION, DETECT, READ_TEXT, promptvision_models


def context_with(checkpoint: Path, home: Path, model: str = "LARGE", **more: Any) -> CallContext:
    variables = {f"PROMPTVISION_MODEL_FLORENCE_2_{model}": str(checkpoint), **more.pop("variables", {})}
    return make_context(models=promptvision_models(), variables=variables, home=home, **more)


def test_levels_of_detail_are_different_tasks(checkpoint: Path, image: Image.Image, tmp_path: Path) -> None:
    context = context_with(checkpoint, tmp_path)
    levels = ("brief", "detailed", "more_detailed")
    captions = {run_tool(CAPTION, image, context=context, detail=level).caption for level in levels}
    assert len(captions) == 3


def test_detection_gives_label_score_and_centroid_per_box(
    checkpoint: Path, image: Image.Image, tmp_path: Path
) -> None:
    context = context_with(checkpoint, tmp_path)
    result = run_tool(DETECT, image, context=context, prompt="Lion. tree", box_threshold=0.2)
    assert result.success
    assert set(result.labels) == {"lion", "tree"}
    assert result.scores == sorted(result.scores, reverse=True)
    assert all(score >= 0.2 and score == round(score, 3) for score in result.scores)
    for box, centre in zip(result.bounding_boxes, result.centroids, strict=True):
        assert centre == pytest.approx(box.centroid, abs=0.006)
    assert context.open(result.annotated_image_url).tobytes() != image.tobytes()


def test_nothing_found_is_a_success_with_a_message(
    checkpoint: Path, image: Image.Image, tmp_path: Path
) -> None:
    result = run_tool(
        DETECT, image, context=context_with(checkpoint, tmp_path), prompt="lion", box_threshold=1
    )
    assert result.success
    assert result.bounding_boxes == []
    assert result.annotated_image_url == result.original_image_url
    assert "Nothing found for lion" in result.message


@pytest.mark.parametrize("prompt", [".", ". ".join(f"thing {number}" for number in range(11))])
def test_prompt_must_name_one_to_ten_objects(image: Image.Image, prompt: str) -> None:
    with pytest.raises(ArgumentsError, match=r"prompt: names (0|11) objects to look for; name 1 to 10"):
        run_tool(DETECT, image, prompt=prompt)


def test_several_boxes_of_one_name_are_split() -> None:
    assert list(_boxes([range(3, 12)])) == [range(3, 7), range(7, 11)]


def test_a_polygon_takes_all_its_points_in_pairs() -> None:
    assert list(_polygons([range(3, 12), range(20, 25)])) == [range(3, 11)]


def test_text_is_read_with_positions_and_confidence(
    checkpoint: Path, image: Image.Image, tmp_path: Path
) -> None:
    result = run_tool(READ_TEXT, image, context=context_with(checkpoint, tmp_path))
    assert result.success
    assert [word.text for word in result.words] == result.extracted_text.split("\n")
    assert all(0 < word.confidence <= 100 for word in result.words)


def test_setting_leases_the_other_model(checkpoint: Path, image: Image.Image, tmp_path: Path) -> None:
    chosen = {"PROMPTVISION_FLORENCE_MODEL": "florence-2-base-ft"}
    context = context_with(checkpoint, tmp_path, "BASE_FT", variables=chosen)
    assert run_tool(CAPTION, image, context=context, detail="brief").caption


def test_missing_weights_name_the_command(image: Image.Image, tmp_path: Path) -> None:
    context = make_context(models=promptvision_models(), home=tmp_path)
    with pytest.raises(SetupError, match=r"promptvision models pull florence-2-(base|large)`"):
        run_tool(CAPTION, image, context=context)


def test_cancel_between_two_objects_stops_the_search(
    checkpoint: Path, image: Image.Image, tmp_path: Path
) -> None:
    token = CancelToken()
    seen: list[str] = []

    def watch(done: float, total: float, message: str) -> None:
        seen.append(message)
        if message == "looking for tree":
            token.cancel()

    context = context_with(checkpoint, tmp_path, cancel=token, on_progress=watch)
    with pytest.raises(Cancelled):
        run_tool(DETECT, image, context=context, prompt="lion. tree. sky")
    assert seen == ["loading Florence-2", "looking for lion", "looking for tree"]


@pytest.mark.parametrize("label", ["lion " * 100, "\u72ee\u5b50" * 30])
def test_label_longer_than_the_model_reads_is_refused(
    checkpoint: Path, image: Image.Image, tmp_path: Path, label: str
) -> None:
    with pytest.raises(
        ArgumentsError, match=r"prompt: \d+ tokens .* Florence-2 reads 96; use a shorter name"
    ):
        run_tool(DETECT, image, context=context_with(checkpoint, tmp_path), prompt=label)


def test_special_tokens_in_a_label_are_not_read_as_such(
    checkpoint: Path, image: Image.Image, tmp_path: Path
) -> None:
    context = context_with(checkpoint, tmp_path)
    plain = run_tool(DETECT, image, context=context, prompt="lion", box_threshold=0)
    marked = run_tool(DETECT, image, context=context, prompt="<image>lion<loc_5>", box_threshold=0)
    assert marked.bounding_boxes == plain.bounding_boxes
    with pytest.raises(ArgumentsError, match="'<image>' is a special token of Florence-2"):
        run_tool(DETECT, image, context=context, prompt="<image>")


def test_polygon_of_several_parts_is_one_object(florence: Any) -> None:
    tokens = florence.processor.tokenizer.convert_tokens_to_ids
    first, separator = tokens("<loc_0>"), tokens("<sep>")
    part, other = [first + bin_ for bin_ in range(6)], [first + bin_ for bin_ in range(20, 27)]
    name = tokens(["a"])
    ids = [*name, tokens("<poly>"), *part, separator, *other, tokens("</poly>")]
    things = list(_objects(florence, ids, first, separator))
    assert things == [[range(2, 8), range(9, 16)]]
    assert [[ids[place] - first for place in outline] for outline in _outlines(things)] == [
        [*range(6), *range(20, 26)]
    ]


def test_a_checkpoint_without_all_weights_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoint, tmp_path, dirs_exist_ok=True)
    weights = load_file(tmp_path / "model.safetensors")
    lost = min(name for name in weights if "fc1.weight" in name)
    weights.pop(lost)
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(SetupError, match="does not contain all weights of the model: 1 missing"):
        load(tmp_path, "cpu", "float32")
