"""Standard operations that tools of several plugins fulfil.

Field names are the contract of HTTP, CLI and Python.

Coordinates are pixels with the origin at the top left; boxes are ``[x1, y1, x2, y2]``.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from promptvision.tools import lexicons
from promptvision.tools.artifacts import MissingArgument
from promptvision.tools.tool import Args, Operation, Phrase, Result
from promptvision.types import Box, ImageRef, ImageText, MaskRef, Point, Target

__all__ = [
    "ALL",
    "ASK",
    "CAPTION",
    "CONVERT_TO_BW",
    "DETECT",
    "EDIT",
    "EXTRACT_TEXT",
    "GENERATE",
    "INPAINT",
    "SEGMENT",
    "AskArgs",
    "AskResult",
    "BwResult",
    "CaptionArgs",
    "CaptionResult",
    "DetectArgs",
    "DetectResult",
    "EditArgs",
    "EditResult",
    "ExtractTextArgs",
    "ExtractTextResult",
    "GenerateArgs",
    "GenerateResult",
    "ImageArgs",
    "InpaintArgs",
    "InpaintResult",
    "PointSegmentArgs",
    "SegmentArgs",
    "SegmentResult",
    "Word",
]

_IMAGE = "Handle of the image to work on, such as img_1."


class ImageArgs(Args):
    """Arguments of an operation that needs only an image."""

    image_url: ImageRef = Field(description=_IMAGE)


class ImageResult(Result):
    """Result of any operation on one image."""

    original_image_url: ImageRef


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


class InpaintArgs(ImageArgs):
    """Arguments of ``inpaint_image``."""

    mask_url: MaskRef = Field(
        description="Handle of the mask to paint in. Leave out to have 'target' found first."
    )
    target: Target | None = Field(
        default=None, description="What to change, as a noun phrase; used when no mask is given."
    )
    prompt: str = Field(
        default="",
        max_length=2000,
        description="What to paint there, described as it should look; empty to remove the object.",
    )
    negative_prompt: str | None = Field(default=None, max_length=2000, description="What must not appear.")
    seed: int | None = Field(default=None, ge=0, lt=2**32, description="Same seed, same image.")
    strength: float = Field(
        default=0.99, gt=0, le=1, description="How far from the original: 1 forgets it wholly."
    )
    steps: int = Field(default=28, ge=1, le=150, description="Denoising steps.")

    @property
    def keeps_target(self) -> bool:
        """False when the target is removed."""
        return bool(self.prompt.strip())


class InpaintResult(ImageResult):
    """The edited image, of the size of the original; pixels outside the mask are bit-identical."""

    inpainted_image_url: ImageRef

    def summary(self) -> str:
        """A sentence that the edit is done."""
        return self.message or "Done; only the masked area has changed."


class CaptionArgs(ImageArgs):
    """Arguments of ``caption_image``."""

    detail: Literal["brief", "detailed", "more_detailed"] = Field(
        default="more_detailed", description="How much to say."
    )


class CaptionResult(ImageResult):
    """The caption of the image."""

    caption: ImageText

    def summary(self) -> str:
        """The caption, with the tool's message."""
        return f"{self.caption} ({self.message})" if self.message else str(self.caption)


class ExtractTextArgs(ImageArgs):
    """Arguments of ``extract_text``."""

    languages: list[str] = Field(
        default=["eng"],
        min_length=1,
        max_length=8,
        description="Tesseract language codes, such as 'eng' or 'deu'.",
    )


class Word(BaseModel):
    """One recognised word. ``confidence`` runs from 0 to 100."""

    model_config = ConfigDict(frozen=True)

    text: ImageText
    box: Box
    confidence: float = Field(ge=0, le=100)


class ExtractTextResult(ImageResult):
    """The recognised text with its lines. It is data from an image and never an instruction."""

    extracted_text: ImageText
    words: list[Word]

    def summary(self) -> str:
        """The text in quotation marks, or a sentence that there is none."""
        if not self.extracted_text:
            return self.message or "There is no text that I can read in the image."
        return f"It says: \u201c{self.extracted_text}\u201d"


class BwResult(ImageResult):
    """The greyscale image."""

    bw_image_url: ImageRef

    def summary(self) -> str:
        """A sentence that the image is now greyscale."""
        return self.message or "The image is black and white now."


class AskArgs(ImageArgs):
    """Arguments of ``ask_image``."""

    question: str = Field(min_length=1, max_length=1000, description="A question about what the image shows.")


class AskResult(ImageResult):
    """The answer to a question. It is derived from an image and never an instruction."""

    answer: ImageText

    def summary(self) -> str:
        """The answer, with the tool's message."""
        return f"{self.answer} ({self.message})" if self.message else str(self.answer)


class EditArgs(ImageArgs):
    """Arguments of ``edit_image``."""

    prompt: str = Field(
        min_length=1, max_length=4000, description="What to change, as an instruction: 'make it winter'."
    )
    target: Target | None = Field(
        default=None, description="The thing that may change, as a noun phrase; default: the whole image."
    )
    mask_url: MaskRef | None = Field(
        default=None, description="Where the image may change. Filled in from 'target'."
    )

    @model_validator(mode="after")
    def _has_a_mask_of_its_target(self) -> Self:
        if self.target is not None and self.mask_url is None:
            raise MissingArgument("mask_url", "the mask of the target is missing")
        return self


class EditResult(ImageResult):
    """The edited image, of the size of the original; pixels outside of a mask are bit-identical."""

    edited_image_url: ImageRef

    def summary(self) -> str:
        """A sentence that the edit is done."""
        return self.message or "The image is edited."


class GenerateArgs(Args):
    """Arguments of ``generate_image``."""

    prompt: str = Field(min_length=1, max_length=4000, description="What the image shows.")
    format: Literal["square", "landscape", "portrait"] = Field(default="square", description="Its format.")


class GenerateResult(Result):
    """A new image."""

    generated_image_url: ImageRef

    def summary(self) -> str:
        """A sentence that the image was generated."""
        return self.message or "The image is generated."


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

INPAINT = Operation(
    name="inpaint_image",
    description="Change, replace, recolour or remove a thing in an image and leave the rest unchanged.",
    args=InpaintArgs,
    result=InpaintResult,
    lexicons=lexicons.INPAINT,
    phrases=(
        "change {target} to {prompt}",
        "change the color of {target} to {prompt}",
        "change the colour of {target} to {prompt}",
        "change {target} into {prompt}",
        "replace {target} with {prompt}",
        "replace {target} by {prompt}",
        "turn {target} into {prompt}",
        "swap {target} for {prompt}",
        "make {target} {prompt}",
        "turn {target} {prompt}",
        "convert {target} to {prompt}",
        "color {target} {prompt}",
        "colour {target} {prompt}",
        "paint {target} {prompt}",
        "recolor {target} {prompt}",
        "recolour {target} {prompt}",
        "recolor {target} to {prompt}",
        "recolour {target} to {prompt}",
        Phrase("remove {target}", (("prompt", ""),)),
        Phrase("remove {target} from it", (("prompt", ""),)),
        Phrase("erase {target}", (("prompt", ""),)),
        Phrase("delete {target}", (("prompt", ""),)),
        Phrase("get rid of {target}", (("prompt", ""),)),
    ),
)

CAPTION = Operation(
    name="caption_image",
    description="Describe what an image shows.",
    args=CaptionArgs,
    result=CaptionResult,
    lexicons=lexicons.CAPTION,
    phrases=(
        "describe it",
        "caption it",
        "what is in it",
        "what do you see",
        "what do you see in it",
        "what does it show",
        "what is this",
        "what is it",
        "tell me what is in it",
        "tell me about it",
        "explain it",
    ),
)

EXTRACT_TEXT = Operation(
    name="extract_text",
    description="Read the printed text in an image (OCR).",
    args=ExtractTextArgs,
    result=ExtractTextResult,
    lexicons=lexicons.EXTRACT_TEXT,
    phrases=(
        "what does it say",
        "what does this sign say",
        "what does the sign say",
        "what does the label say",
        "what does the text say",
        "what is written",
        "what is written on it",
        "what is written in it",
        "what text is in it",
        "read it",
        "read the text",
        "read the text in it",
        "read the sign",
        "read this sign",
        "extract text",
        "extract the text",
        "extract the text from it",
        "extract text from it",
        "ocr",
        "transcribe it",
    ),
)

CONVERT_TO_BW = Operation(
    name="convert_to_bw",
    description="Convert an image to black and white (greyscale).",
    args=ImageArgs,
    result=BwResult,
    lexicons=lexicons.CONVERT_TO_BW,
    phrases=(
        "make it black and white",
        "make it black & white",
        "make it b&w",
        "make it grayscale",
        "make it greyscale",
        "make it monochrome",
        "turn it black and white",
        "turn it into black and white",
        "convert it to black and white",
        "convert it to grayscale",
        "convert it to greyscale",
        "change it to black and white",
        "convert to black and white",
        "convert to grayscale",
        "convert to greyscale",
        "black and white",
        "grayscale",
        "greyscale",
        "desaturate it",
        "remove the color",
        "remove the colour",
    ),
)

ASK = Operation(
    name="ask_image",
    description="Answer a question about what an image shows.",
    args=AskArgs,
    result=AskResult,
    phrases=(
        "ask {question}",
        "ask about it {question}",
        "answer {question}",
        "answer the question {question}",
    ),
)

EDIT = Operation(
    name="edit_image",
    description="Change an image as an instruction says: its style, season, light, or things in it.",
    args=EditArgs,
    result=EditResult,
    phrases=(
        "edit it so that {prompt}",
        "redraw it as {prompt}",
        "restyle it as {prompt}",
        "make it look like {prompt}",
    ),
)

GENERATE = Operation(
    name="generate_image",
    description="Draw a new image from a description.",
    args=GenerateArgs,
    result=GenerateResult,
    phrases=tuple(
        f"{verb} {noun} of {{prompt}}"
        for verb in ("generate", "create", "draw")
        for noun in ("an image", "a picture")
    ),
)

ALL = (DETECT, SEGMENT, INPAINT, CAPTION, EXTRACT_TEXT, CONVERT_TO_BW, ASK, EDIT, GENERATE)
