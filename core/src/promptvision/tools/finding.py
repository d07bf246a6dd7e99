"""Operations that locate things in an image: detection and segmentation.

Coordinates are pixels with the origin at the top left; boxes are ``[x1, y1, x2, y2]``.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from promptvision.tools import lexicons
from promptvision.tools.image_models import ImageArgs, ImageResult
from promptvision.tools.tool import Operation
from promptvision.types import Box, ImageRef, MaskRef, Point, Target

__all__ = [
    "DETECT",
    "SEGMENT",
    "DetectArgs",
    "DetectResult",
    "PointSegmentArgs",
    "SegmentArgs",
    "SegmentResult",
]


class DetectArgs(ImageArgs):
    """Arguments of ``detect_objects``."""

    prompt: Target = Field(
        description="What to look for, as a short noun phrase: 'lion'. Several: 'lion. tree.'"
    )
    box_threshold: float = Field(default=0.45, ge=0, le=1, description="Lowest score of a box that is kept.")
    text_threshold: float = Field(
        default=0.3, ge=0, le=1, description="Lowest score of a word that names a box."
    )
    strict: SkipJsonSchema[bool] = Field(
        default=False,
        description="Whether another tool will act on the boxes: then a tool that cannot check every word of "
        "the prompt must fail, and a singular noun means one box. Set by the core.",
    )


class DetectResult(ImageResult):
    """Boxes with one centroid, label and score (three decimals) each, best first."""

    prompt: str
    bounding_boxes: list[Box]
    centroids: list[Point]
    labels: list[str]
    scores: list[float]
    annotated_image_url: ImageRef
    doubts: list[str] | None = Field(
        default=None, description="What the boxes leave open: words that were not checked, a choice not made."
    )

    @property
    def is_certain(self) -> bool:
        """Whether the boxes match the prompt exactly."""
        return not self.doubts

    def summary(self) -> str:
        """The number of objects found, with their labels and scores; doubts come first."""
        if not self.bounding_boxes:
            return self.message or f"I found no {self.prompt}."
        found = ", ".join(
            f"{label} ({score:g})" for label, score in zip(self.labels, self.scores, strict=True)
        )
        summary = f"I found {len(self.labels)}: {found}."
        return f"{self.message} {summary}" if self.message else summary


class SegmentArgs(ImageArgs):
    """Arguments of ``segment_objects``."""

    bounding_boxes: list[Box] = Field(
        min_length=1,
        max_length=100,
        description="Boxes [x1, y1, x2, y2] in pixels. Leave out to have 'target' found first.",
    )
    target: Target | None = Field(
        default=None, description="What to segment, as a noun phrase; used when no boxes are given."
    )


class PointSegmentArgs(SegmentArgs):
    """Arguments of ``segment_objects`` for tools that take points as well as boxes.

    ``bounding_boxes`` stays required, so that the core finds boxes of the ``target`` first, except where
    points are given: then it may be left out or empty.
    """

    bounding_boxes: list[Box] = Field(
        max_length=100,
        description="Boxes [x1, y1, x2, y2] in pixels. Leave out to have 'target' found first.",
    )
    points: list[Point] = Field(
        default_factory=list,
        max_length=100,
        description="Points [x, y] in pixels, each on one thing; their masks follow those of the boxes.",
    )

    @model_validator(mode="before")
    @classmethod
    def _points_are_enough(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("points") and data.get("bounding_boxes") is None:
            return {**data, "bounding_boxes": []}
        return data

    @model_validator(mode="after")
    def _has_a_prompt(self) -> Self:
        if not self.bounding_boxes and not self.points:
            raise ValueError("give bounding_boxes or points, or a target whose boxes are found first")
        return self


class SegmentResult(ImageResult):
    """One mask per box, in the order of the boxes, and their union."""

    merged_mask_url: MaskRef
    mask_urls: list[MaskRef]

    def summary(self) -> str:
        """The number of masks."""
        count = len(self.mask_urls)
        return self.message or f"I made {count} mask{'s' if count != 1 else ''}."


DETECT = Operation(
    name="detect_objects",
    description="Find things in an image by name and return their boxes.",
    args=DetectArgs,
    result=DetectResult,
    lexicons=lexicons.DETECT,
    phrases=(
        "find {prompt}",
        "find {prompt} in it",
        "detect {prompt}",
        "detect {prompt} in it",
        "locate {prompt}",
        "locate {prompt} in it",
        "where is {prompt}",
        "where are {prompt}",
        "show me where {prompt} is",
        "how many {prompt} are there",
        "how many {prompt} are in it",
        "count {prompt}",
        "count {prompt} in it",
        "is there {prompt} in it",
        "are there {prompt} in it",
        "draw boxes around {prompt}",
        "draw a box around {prompt}",
    ),
)

SEGMENT = Operation(
    name="segment_objects",
    description="Make a pixel mask of each boxed thing, and one mask of all of them together.",
    args=SegmentArgs,
    result=SegmentResult,
    lexicons=lexicons.SEGMENT,
    phrases=(
        "segment {target}",
        "segment {target} in it",
        "mask {target}",
        "mask {target} in it",
        "make a mask of {target}",
        "outline {target}",
        "select {target}",
    ),
)
