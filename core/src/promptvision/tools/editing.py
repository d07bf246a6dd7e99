"""Operations that make an image: inpainting, edits, conversion and generation."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from promptvision.tools import lexicons
from promptvision.tools.artifacts import MissingArgument
from promptvision.tools.image_models import ImageArgs, ImageResult
from promptvision.tools.tool import Args, Operation, Phrase, Result
from promptvision.types import ImageRef, MaskRef, Target

__all__ = [
    "CONVERT_TO_BW",
    "EDIT",
    "GENERATE",
    "INPAINT",
    "BwResult",
    "EditArgs",
    "EditResult",
    "GenerateArgs",
    "GenerateResult",
    "InpaintArgs",
    "InpaintResult",
]


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
    strength: float = Field(default=0.99, gt=0, le=1, description="How far from the original: 1 ignores it.")
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


class BwResult(ImageResult):
    """The greyscale image."""

    bw_image_url: ImageRef

    def summary(self) -> str:
        """A sentence that the image is now greyscale."""
        return self.message or "The image is black and white now."


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

EDIT = Operation(
    name="edit_image",
    description="Change an image as an instruction says: its style, season, light, or things in it.",
    args=EditArgs,
    result=EditResult,
    lexicons=lexicons.EDIT,
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
    lexicons=lexicons.GENERATE,
    phrases=tuple(
        f"{verb} {noun} of {{prompt}}"
        for verb in ("generate", "create", "draw")
        for noun in ("an image", "a picture")
    ),
)
