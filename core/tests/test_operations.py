"""The six operations have exactly the fields of the contract."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from promptvision.tools import operations
from promptvision.tools.artifacts import image_fields, link_types, target_field
from promptvision.tools.operations import ALL, DETECT, EXTRACT_TEXT, INPAINT, SEGMENT
from promptvision.tools.tool import Operation
from promptvision.types import Box, ImageRef, ImageText, MaskRef, Point, Target

ID = "a" * 64
IMAGE = ImageRef(ID)

ARGS = {
    "detect_objects": ["image_url", "prompt", "box_threshold", "text_threshold", "strict"],
    "segment_objects": ["image_url", "bounding_boxes", "target"],
    "inpaint_image": [
        "image_url",
        "mask_url",
        "target",
        "prompt",
        "negative_prompt",
        "seed",
        "strength",
        "steps",
    ],
    "caption_image": ["image_url", "detail"],
    "extract_text": ["image_url", "languages"],
    "convert_to_bw": ["image_url"],
    "ask_image": ["image_url", "question"],
    "edit_image": ["image_url", "prompt", "target", "mask_url"],
    "generate_image": ["prompt", "format"],
}
RESULTS = {
    "detect_objects": [
        "prompt",
        "original_image_url",
        "bounding_boxes",
        "centroids",
        "labels",
        "scores",
        "annotated_image_url",
        "doubts",
    ],
    "segment_objects": ["original_image_url", "merged_mask_url", "mask_urls"],
    "inpaint_image": ["original_image_url", "inpainted_image_url"],
    "caption_image": ["original_image_url", "caption"],
    "extract_text": ["original_image_url", "extracted_text", "words"],
    "convert_to_bw": ["original_image_url", "bw_image_url"],
    "ask_image": ["original_image_url", "answer"],
    "edit_image": ["original_image_url", "edited_image_url"],
    "generate_image": ["generated_image_url"],
}
WITHOUT_IMAGE = {"generate_image"}


def test_fields_are_exactly_those_of_the_contract() -> None:
    assert {operation.name: sorted(operation.args.model_fields) for operation in ALL} == {
        name: sorted(fields) for name, fields in ARGS.items()
    }
    assert {operation.name: sorted(operation.result.model_fields) for operation in ALL} == {
        name: sorted([*fields, "success", "message"]) for name, fields in RESULTS.items()
    }
    assert list(operations.Word.model_fields) == ["text", "box", "confidence"]


def test_defaults_are_those_of_the_contract() -> None:
    detect = operations.DetectArgs(image_url=IMAGE, prompt=Target("lion"))
    assert (detect.box_threshold, detect.text_threshold) == (0.45, 0.3)
    paint = operations.InpaintArgs(image_url=IMAGE, mask_url=MaskRef(ID))
    assert (paint.target, paint.prompt, paint.negative_prompt, paint.seed) == (None, "", None, None)
    assert (paint.strength, paint.steps) == (0.99, 28)
    assert operations.CaptionArgs(image_url=IMAGE).detail == "more_detailed"
    assert operations.ExtractTextArgs(image_url=IMAGE).languages == ["eng"]


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
def test_every_operation_takes_one_image_is_described_and_can_be_asked_for(
    operation: Operation,
) -> None:
    has_image = operation.name not in WITHOUT_IMAGE
    assert image_fields(operation.args) == ("image_url",) * has_image
    assert ("original_image_url" in image_fields(operation.result)) is has_image
    assert operation.description.endswith(".")
    assert operation.phrases
    schema = operation.args.model_json_schema()["properties"]
    assert all(field.get("description") for field in schema.values())


def test_types_chain_detect_to_segment_to_inpaint() -> None:
    assert link_types(INPAINT.args, required=True) == {"mask_url": MaskRef}
    assert link_types(SEGMENT.result)["merged_mask_url"] is MaskRef
    assert link_types(SEGMENT.args, required=True) == {"bounding_boxes": list[Box]}
    assert link_types(DETECT.result)["bounding_boxes"] == list[Box]
    assert link_types(DETECT.args, required=True) == {}
    assert [target_field(operation.args) for operation in (DETECT, SEGMENT, INPAINT)] == [
        "prompt",
        "target",
        "target",
    ]
    assert link_types(EXTRACT_TEXT.result)["extracted_text"] is ImageText


@pytest.mark.parametrize(
    ("operation", "wrong"),
    [
        (DETECT, {}),
        (DETECT, {"prompt": " "}),
        (DETECT, {"prompt": "lion", "box_threshold": 1.1}),
        (DETECT, {"prompt": "lion", "colour": "red"}),
        (SEGMENT, {"bounding_boxes": []}),
        (SEGMENT, {"bounding_boxes": [[0, 0, 1, 1]] * 101}),
        (SEGMENT, {"bounding_boxes": [[5, 0, 1, 1]]}),
        (INPAINT, {"mask_url": ID, "strength": 0}),
        (INPAINT, {"mask_url": ID, "steps": 151}),
        (INPAINT, {"mask_url": ID, "seed": 2**32}),
        (INPAINT, {"mask_url": ID, "prompt": "x" * 2001}),
        (operations.CAPTION, {"detail": "endless"}),
        (EXTRACT_TEXT, {"languages": []}),
    ],
)
def test_arguments_out_of_range_are_refused(operation: Operation, wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        operation.args.model_validate({"image_url": ID, **wrong})


def detected(*labels: str, message: str | None = None) -> operations.DetectResult:
    boxes = [Box(0, 0, 1, 1)] * len(labels)
    return operations.DetectResult(
        prompt="lion",
        original_image_url=IMAGE,
        bounding_boxes=boxes,
        centroids=[Point(0.5, 0.5)] * len(labels),
        labels=list(labels),
        scores=[0.875] * len(labels),
        annotated_image_url=IMAGE,
        message=message,
    )


def test_summaries_are_sentences() -> None:
    assert detected("lion", "lion").summary() == "I found 2: lion (0.875), lion (0.875)."
    assert detected().summary() == "I found no lion."
    assert detected(message="Too dark.").summary() == "Too dark."
    mask = MaskRef(ID)
    one = operations.SegmentResult(original_image_url=IMAGE, merged_mask_url=mask, mask_urls=[mask])
    assert one.summary() == "I made 1 mask."
    assert one.model_copy(update={"mask_urls": [mask, mask]}).summary() == "I made 2 masks."
    painted = operations.InpaintResult(original_image_url=IMAGE, inpainted_image_url=IMAGE)
    assert "only the masked area has changed" in painted.summary()
    said = operations.CaptionResult(original_image_url=IMAGE, caption=ImageText("A lion."), message="brief")
    assert said.summary() == "A lion. (brief)"
    read = operations.ExtractTextResult(original_image_url=IMAGE, extracted_text=ImageText("EXIT"), words=[])
    assert read.summary() == "It says: \u201cEXIT\u201d"
    empty = operations.ExtractTextResult(original_image_url=IMAGE, extracted_text=ImageText(""), words=[])
    assert empty.summary().startswith("There is no text")
    grey = operations.BwResult(original_image_url=IMAGE, bw_image_url=IMAGE)
    assert grey.summary() == "The image is black and white now."


def test_result_in_json_holds_lists_of_numbers_and_ids() -> None:
    shown = detected("lion").model_dump(mode="json", exclude_none=True)
    assert shown["bounding_boxes"] == [[0, 0, 1, 1]]
    assert shown["centroids"] == [[0.5, 0.5]]
    assert shown["annotated_image_url"] == ID
    assert detected("lion") == operations.DetectResult.model_validate(shown)


def test_edit_of_a_target_needs_its_mask() -> None:
    with pytest.raises(ValidationError, match="the mask of the target is missing"):
        operations.EditArgs(image_url=IMAGE, prompt="red", target=Target("car"))
    assert operations.EditArgs(image_url=IMAGE, prompt="red", target=Target("car"), mask_url=MaskRef(ID))


def test_without_boxes_and_points_the_error_says_what_to_give() -> None:
    with pytest.raises(ValidationError, match="give bounding_boxes or points, or a target"):
        operations.PointSegmentArgs.model_validate({"image_url": ID, "bounding_boxes": []})


def test_boxes_stay_required_so_that_a_target_is_detected_first() -> None:
    assert "bounding_boxes" in link_types(operations.PointSegmentArgs, required=True)
    with pytest.raises(ValidationError, match="Field required"):
        operations.PointSegmentArgs.model_validate({"image_url": ID, "target": "lion"})


def test_points_alone_are_enough() -> None:
    args = operations.PointSegmentArgs.model_validate({"image_url": ID, "points": [[3, 4]]})
    assert args.points == [Point(3, 4)]
    assert args.bounding_boxes == []


def test_points_and_boxes_go_together() -> None:
    args = operations.PointSegmentArgs.model_validate(
        {"image_url": ID, "points": [[3, 4]], "bounding_boxes": [[0, 0, 5, 5]]}
    )
    assert args.bounding_boxes == [Box(0, 0, 5, 5)]
