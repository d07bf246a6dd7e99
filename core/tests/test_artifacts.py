"""Which fields connect tools, and what earlier steps made that later ones can use."""

from __future__ import annotations

import asyncio
import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import pytest
from pydantic import BaseModel, Field, ValidationError, model_validator

from promptvision.agent.calls.artifacts import Artifacts, same_target
from promptvision.testing.agents import make_agent
from promptvision.tools.artifacts import (
    MissingArgument,
    image_fields,
    link_types,
    linkable,
    missing_arguments,
    plain_type,
    target_field,
)
from promptvision.tools.context import ToolContext
from promptvision.tools.operations import (
    DetectArgs,
    DetectResult,
    ImageArgs,
    ImageResult,
    SegmentArgs,
    SegmentResult,
)
from promptvision.tools.tool import Args, Operation, Tool
from promptvision.types import Box, ImageRef, ImageText, MaskRef, Point, Target

LION, TREE = Box(0, 0, 10, 10), Box(20, 0, 30, 10)
ONE, OTHER = ImageRef("1" * 64), ImageRef("2" * 64)
MASK = MaskRef("3" * 64)


class Skeleton(BaseModel):
    joints: list[Point]


class Way(StrEnum):
    LEFT = "left"


@pytest.mark.parametrize(
    "kind", [MaskRef, list[MaskRef], Box, list[Box], Point, ImageText, Skeleton, list[Skeleton]]
)
def test_types_of_our_own_and_of_plugins_are_passed_on(kind: Any) -> None:
    assert linkable(kind)


@pytest.mark.parametrize(
    "kind",
    [
        *(ImageRef, Target, list[ImageRef], str, int, list, list[str], dict[str, int], Any, Way, list[Way]),
        *(datetime.date, Decimal, Path, list[list[Box]], tuple[Box, Box], Box | Point),
    ],
)
def test_plain_values_images_targets_and_choices_are_not(kind: Any) -> None:
    assert not linkable(kind)


def test_optional_and_annotated_do_not_count() -> None:
    assert plain_type(MaskRef | None) is MaskRef
    assert plain_type(Annotated[list[Box] | None, Field(min_length=1)]) == list[Box]
    assert plain_type(Box | Point) == Box | Point


def test_fields_are_distinguished_by_type_alone() -> None:
    class Mixed(Args):
        photo: ImageRef
        second: ImageRef | None = None
        area: MaskRef
        boxes: list[Box] | None = None
        what: Target | None = None

    assert image_fields(Mixed) == ("photo", "second")
    assert link_types(Mixed) == {"area": MaskRef, "boxes": list[Box]}
    assert link_types(Mixed, required=True) == {"area": MaskRef}
    assert target_field(Mixed) == "what"
    assert target_field(Args) is None


@pytest.mark.parametrize("other", ["Red  Ball", "the red ball", "red ball.", " A red ball! "])
def test_same_target_whatever_the_case_spaces_and_articles(other: str) -> None:
    assert same_target("red ball", other)


@pytest.mark.parametrize("other", ["ball", "red balls", "red", "the ball red"])
def test_another_target(other: str) -> None:
    assert not same_target("red ball", other)


def detected(prompt: str, box: Box | None, image: ImageRef = ONE) -> tuple[DetectArgs, DetectResult]:
    boxes = [box] if box else []
    return DetectArgs(image_url=image, prompt=Target(prompt)), DetectResult(
        prompt=prompt,
        original_image_url=image,
        bounding_boxes=boxes,
        centroids=[box.centroid for box in boxes],
        labels=[prompt] * len(boxes),
        scores=[1.0] * len(boxes),
        annotated_image_url=OTHER,
    )


def boxes_of(artifacts: Artifacts, target: str | None, image: ImageRef = ONE) -> list[Box] | None:
    found = artifacts.newest(list[Box], image.id, target)
    return found.value if found else None


def test_newest_artifact_of_a_target_and_image_is_found() -> None:
    artifacts = Artifacts()
    artifacts.add(*detected("lion", LION))
    artifacts.add(*detected("tree", TREE))
    assert boxes_of(artifacts, "The Lion") == [LION]
    assert boxes_of(artifacts, "tree") == [TREE]
    assert boxes_of(artifacts, None) == [TREE]
    assert boxes_of(artifacts, "cat") is None
    assert boxes_of(artifacts, "lion", OTHER) is None
    assert artifacts.newest(MaskRef, ONE.id, "lion") is None


def test_newer_find_of_one_target_wins() -> None:
    artifacts = Artifacts()
    artifacts.add(*detected("lion", LION))
    artifacts.add(*detected("lion", TREE))
    assert boxes_of(artifacts, "lion") == [TREE]


def test_nothing_found_is_not_an_artifact() -> None:
    artifacts = Artifacts()
    artifacts.add(*detected("lion", LION))
    artifacts.add(*detected("lion", None))
    assert boxes_of(artifacts, "lion") == [LION]


def test_mask_made_from_boxes_is_of_the_boxes_target() -> None:
    artifacts = Artifacts()
    artifacts.add(*detected("lion", LION))
    result = SegmentResult(original_image_url=ONE, merged_mask_url=MASK, mask_urls=[MASK])
    artifacts.add(SegmentArgs(image_url=ONE, bounding_boxes=[LION]), result)
    found = artifacts.newest(MaskRef, ONE.id, "lion")
    assert found is not None
    assert (found.value, found.target) == (MASK, "lion")


def test_mask_of_boxes_without_a_target_has_no_target() -> None:
    artifacts = Artifacts()
    result = SegmentResult(original_image_url=ONE, merged_mask_url=MASK, mask_urls=[MASK])
    artifacts.add(SegmentArgs(image_url=ONE, bounding_boxes=[LION]), result)
    assert artifacts.newest(MaskRef, ONE.id, "lion") is None
    assert artifacts.newest(MaskRef, ONE.id, None) is not None


def test_what_was_made_without_an_image_is_not_kept() -> None:
    artifacts = Artifacts()
    artifacts.add(Args(), detected("lion", LION)[1])
    assert boxes_of(artifacts, None) is None


class CutArgs(ImageArgs):
    target: Target | None = None
    boxes: list[Box] | None = None

    @model_validator(mode="after")
    def _boxes_of_the_target(self) -> Self:
        if self.target is not None and not self.boxes:
            raise MissingArgument("boxes", "the boxes of the target are missing")
        return self


class CutResult(ImageResult):
    count: int


def cut(args: CutArgs, context: ToolContext) -> CutResult:
    return CutResult(original_image_url=args.image_url, count=len(args.boxes or ()))


CUT = Tool(
    name="cutter",
    operation=Operation(name="cut", description="Cut.", args=CutArgs, result=CutResult),
    run=cut,
)


def test_missing_arguments_are_those_that_are_required_or_asked_for() -> None:
    with pytest.raises(ValidationError) as asked:
        CutArgs.model_validate({"image_url": ONE, "target": "red"})
    assert missing_arguments(asked.value) == {"boxes"}
    with pytest.raises(ValidationError) as required:
        SegmentArgs.model_validate({"image_url": ONE, "target": 7})
    assert missing_arguments(required.value) == {"bounding_boxes"}
    assert missing_arguments(ValueError("boxes")) == set()


def test_optional_argument_is_produced_only_when_it_is_asked_for(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent([*tools, CUT])
    targeted = asyncio.run(agent.call_tool("cut", {"image_url": scene_png, "target": "red"}))
    plain = asyncio.run(agent.call_tool("cut", {"image_url": scene_png}))
    assert [step.operation for step in targeted.steps] == ["detect_objects", "cut"]
    assert targeted.fields["count"] == 1
    assert [step.operation for step in plain.steps] == ["cut"]
