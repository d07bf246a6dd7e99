"""Argument and result models of the everyday operations.

Coordinates are pixels with the origin at the top left; boxes are ``[x1, y1, x2, y2]``. Angles are in degrees.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from promptvision.plugin import Box, ImageArgs, ImageRef, ImageResult, MaskRef, MissingArgument, Target

__all__ = [
    "AdjustArgs",
    "AdjustResult",
    "BlurArgs",
    "BlurResult",
    "Colour",
    "CombineArgs",
    "CombineResult",
    "ConvertArgs",
    "ConvertResult",
    "CropArgs",
    "CropResult",
    "DrawTextArgs",
    "DrawTextResult",
    "FlipArgs",
    "FlipResult",
    "Format",
    "InfoResult",
    "Part",
    "Place",
    "ResizeArgs",
    "ResizeResult",
    "RotateArgs",
    "RotateResult",
]

_COLOUR = Field(max_length=40, description="Colour as a CSS name or hex, such as 'white' or '#1e90ff'.")

Part = Literal[
    "left half",
    "right half",
    "top half",
    "bottom half",
    "left third",
    "right third",
    "top third",
    "bottom third",
    "center",
    "top left",
    "top right",
    "bottom left",
    "bottom right",
]
"""A named part of an image: halves, thirds, quarters, and ``center`` (the middle half of each side)."""

Place = Literal[
    "top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right"
]
"""A position on an image."""

_FOUND = "Filled in from 'target'."


class CropArgs(ImageArgs):
    """Arguments of ``crop_image``: exactly one of box, target and part, or only aspect."""

    box: Box | None = Field(None, description="What to keep, [x1, y1, x2, y2] in pixels.")
    part: Part | None = Field(None, description="A named part to keep.")
    target: Target | None = Field(None, description="Crop to this object, as a noun phrase.")
    bounding_boxes: list[Box] | None = Field(None, max_length=100, description=_FOUND)
    aspect: str | None = Field(
        None,
        pattern=r"^[1-9]\d{0,4}(\.\d{1,3})?\s?[:/x]\s?[1-9]\d{0,4}(\.\d{1,3})?$",
        description="Width to height of the result, such as '16:9', '1:1' or '4:3'.",
    )
    margin: float = Field(0.0, ge=0, le=2, description="Margin around a target, as a share of its size.")

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        named = [name for name in ("box", "part", "target") if getattr(self, name) is not None]
        if len(named) > 1:
            raise ValueError(f"give one of box, part and target, not {' and '.join(named)}")
        if not named and self.aspect is None:
            raise ValueError("say what to keep: box, part, target or aspect")
        if self.target is not None and not self.bounding_boxes:
            raise MissingArgument("bounding_boxes", "the boxes of the target are missing")
        return self


class CropResult(ImageResult):
    """The part that was kept."""

    cropped_image_url: ImageRef
    box: Box
    """The kept area, in pixels of the original."""
    width: int
    height: int

    def summary(self) -> str:
        """The new size."""
        return self.message or f"The image is cropped to {self.width} x {self.height} pixels."


class RotateArgs(ImageArgs):
    """Arguments of ``rotate_image``."""

    degrees: float = Field(90, ge=-360, le=360, description="Angle in degrees; 90 is a quarter turn.")
    direction: Literal["clockwise", "counterclockwise"] = Field("clockwise", description="Direction.")
    expand: bool = Field(True, description="Enlarge the image so that no corner is cut off.")
    fill: str | None = Field(
        None, max_length=40, description="Colour of new corners; default: transparent where possible."
    )


class RotateResult(ImageResult):
    """The rotated image."""

    rotated_image_url: ImageRef
    width: int
    height: int

    def summary(self) -> str:
        """A sentence that it is rotated, with its size."""
        return self.message or f"The image is rotated; it is now {self.width} x {self.height} pixels."


class FlipArgs(ImageArgs):
    """Arguments of ``flip_image``."""

    direction: Literal["horizontal", "vertical"] = Field(
        "horizontal", description="'horizontal' swaps left and right, 'vertical' swaps top and bottom."
    )


class FlipResult(ImageResult):
    """The mirrored image."""

    flipped_image_url: ImageRef

    def summary(self) -> str:
        """A sentence that it is flipped."""
        return self.message or "The image is flipped."


class ResizeArgs(ImageArgs):
    """Arguments of ``resize_image``: width and height, one of them, percent, or the longest side."""

    width: int | None = Field(None, ge=1, le=16384, description="Width in pixels.")
    height: int | None = Field(None, ge=1, le=16384, description="Height in pixels.")
    percent: float | None = Field(None, gt=0, le=1000, description="New size in percent of the old one.")
    longest_side: int | None = Field(
        None, ge=1, le=16384, description="Length of the longest side in pixels."
    )
    keep_aspect: bool = Field(
        True, description="Fit into width and height without distortion; false stretches to exactly both."
    )

    @model_validator(mode="after")
    def _says_one_size(self) -> Self:
        ways = [self.width is not None or self.height is not None, self.percent, self.longest_side]
        if sum(map(bool, ways)) != 1:
            raise ValueError("give width or height (or both), or percent, or longest_side")
        return self


class ResizeResult(ImageResult):
    """The image in its new size."""

    resized_image_url: ImageRef
    width: int
    height: int

    def summary(self) -> str:
        """The new size."""
        return self.message or f"The image is now {self.width} x {self.height} pixels."


class AdjustArgs(ImageArgs):
    """Arguments of ``adjust_image``. Factors as in Pillow's ``ImageEnhance``: 1 changes nothing."""

    brightness: float = Field(1.0, ge=0, le=5, description="1 = unchanged, 1.3 = brighter, 0.7 = darker.")
    contrast: float = Field(1.0, ge=0, le=5, description="1 = unchanged, 0 = plain grey.")
    saturation: float = Field(1.0, ge=0, le=5, description="1 = unchanged, 0 = greyscale, 2 = vivid.")
    sharpness: float = Field(1.0, ge=0, le=10, description="1 = unchanged, 0 = softened, 2 = sharpened.")
    gamma: float = Field(1.0, ge=0.1, le=10, description="1 = unchanged, above 1 = lighter mid-tones.")
    sepia: bool = Field(False, description="Brown tones of an old photograph.")
    invert: bool = Field(False, description="Negative: every colour becomes its opposite.")

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        factors = (self.brightness, self.contrast, self.saturation, self.sharpness, self.gamma)
        if not self.sepia and not self.invert and all(factor == 1 for factor in factors):
            raise ValueError("say what to adjust, for example brightness=1.3")
        return self


class AdjustResult(ImageResult):
    """The adjusted image."""

    adjusted_image_url: ImageRef

    def summary(self) -> str:
        """A sentence that it is adjusted."""
        return self.message or "The image is adjusted."


class BlurArgs(ImageArgs):
    """Arguments of ``blur_image``: the whole image, a target, or everything except the target."""

    target: Target | None = Field(
        None, description="What to blur, as a noun phrase; leave out for the whole image."
    )
    keep_target: bool = Field(False, description="Blur everything except the target.")
    style: Literal["blur", "pixelate", "solid"] = Field(
        "blur", description="'pixelate' and 'solid' make a face or a text unrecognisable for good."
    )
    strength: float = Field(
        0.5, gt=0, le=1, description="How strong: 1 leaves nothing but colours of the region."
    )
    bounding_boxes: list[Box] | None = Field(None, max_length=100, description=_FOUND)
    mask_url: MaskRef | None = Field(None, description="What to blur, as a mask.")

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.mask_url is not None or self.target is None:
            if self.keep_target and self.mask_url is None and not self.bounding_boxes:
                raise ValueError("target: say what to keep sharp")
            return self
        if self.keep_target:
            raise MissingArgument("mask_url", "the mask of the target is missing")
        if not self.bounding_boxes:
            raise MissingArgument("bounding_boxes", "the boxes of the target are missing")
        return self


class BlurResult(ImageResult):
    """The blurred image; pixels outside the region are bit-identical."""

    blurred_image_url: ImageRef
    regions: int = Field(description="How many regions were blurred; 0 for the whole image.")

    def summary(self) -> str:
        """A sentence that says what was blurred."""
        if self.message:
            return self.message
        if not self.regions:
            return "The image is blurred."
        return f"{self.regions} region{'s are' if self.regions > 1 else ' is'} blurred."


class DrawTextArgs(ImageArgs):
    """Arguments of ``draw_text``."""

    text: str = Field(min_length=1, max_length=500, description="What to write; line breaks are kept.")
    place: Place = Field("bottom", description="Where on the image.")
    size: float | None = Field(
        None, ge=6, le=2000, description="Height of the letters in pixels; default: fits the image."
    )
    color: str = Field("white", max_length=40, description="Colour as a CSS name or hex.")
    outline: str | None = Field(
        "auto", max_length=40, description="Colour of the outline; 'auto' contrasts, null draws none."
    )


class DrawTextResult(ImageResult):
    """The image with the text on it."""

    text_image_url: ImageRef
    box: Box
    """The box of the text, in pixels."""

    def summary(self) -> str:
        """A sentence that the text was drawn."""
        return self.message or "The text was drawn on the image."


class CombineArgs(ImageArgs):
    """Arguments of ``combine_images``."""

    others: list[ImageRef] = Field(
        min_length=1, max_length=35, description="Handles of the other images, in their order."
    )
    layout: Literal["side by side", "stacked", "grid", "paste"] = Field(
        "side by side", description="'paste' puts the second image on the first."
    )
    gap: int = Field(0, ge=0, le=500, description="Pixels between images.")
    background: str = Field("white", max_length=40, description="Colour of gaps, as a CSS name or hex.")
    place: Place = Field("center", description="Where a pasted image goes.")
    scale: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Width of a pasted image as a share of the first; default: its own size.",
    )
    mask_url: MaskRef | None = Field(
        None, description="Which part of the pasted image is used, as a mask of its size."
    )


class CombineResult(ImageResult):
    """All images in one."""

    combined_image_url: ImageRef
    width: int
    height: int

    def summary(self) -> str:
        """The size of the result."""
        return self.message or f"The images are combined into one of {self.width} x {self.height} pixels."


def _format_of(value: Any) -> Any:
    """The name of a format in the schema's spelling, with the usual names of file extensions."""
    name = value.strip().lower().removeprefix(".") if isinstance(value, str) else value
    return {"tif": "tiff"}.get(name, name)


Format = Literal["png", "jpeg", "jpg", "webp", "avif", "tiff"]
"""A format of image files that a result can be stored in."""


class ConvertArgs(ImageArgs):
    """Arguments of ``convert_format``."""

    format: Annotated[Format, BeforeValidator(_format_of)] = Field(description="What to convert to.")
    quality: int | None = Field(
        None, ge=1, le=100, description="Of JPEG, WebP and AVIF; lower is smaller. Default: high."
    )


class ConvertResult(ImageResult):
    """The image as a file of the format, which is what is downloaded."""

    converted_image_url: ImageRef
    format: str = Field(description="How it is stored, such as image/jpeg.")
    file_bytes: int

    def summary(self) -> str:
        """The format and the size of the file."""
        kind = self.format.removeprefix("image/").upper()
        return self.message or f"The image is stored as {kind} now, {self.file_bytes:,} bytes."


class Colour(BaseModel):
    """A colour of an image and the share of its pixels that have it."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Nearest CSS colour name.")
    hex: str = Field(pattern="^#[0-9a-f]{6}$")
    share: float = Field(ge=0, le=1)


class InfoResult(ImageResult):
    """Facts about an image, without metadata such as EXIF, which is removed when an image is stored."""

    width: int
    height: int
    megapixels: float
    mode: str = Field(description="RGB, RGBA, L (greyscale) or LA (greyscale with transparency).")
    format: str = Field(description="How it is stored, such as image/png.")
    file_bytes: int
    has_transparency: bool
    colours: list[Colour]
    """The most frequent colours, most frequent first."""

    def summary(self) -> str:
        """Size, mode and main colours in one sentence."""
        names = ", ".join(f"{colour.name} ({colour.hex})" for colour in self.colours[:3])
        kind = {"L": "greyscale", "LA": "greyscale with transparency", "RGBA": "colour with transparency"}
        return (
            f"The image is {self.width} x {self.height} pixels ({self.megapixels:g} megapixels), "
            f"{kind.get(self.mode, 'colour')}, stored as {self.format}. Main colours: {names}."
        )
