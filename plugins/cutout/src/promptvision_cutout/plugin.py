"""Hook implementations of promptvision-cutout: one operation, one tool, two models."""

from __future__ import annotations

import os
from typing import Self

from pydantic import Field, model_validator

from promptvision.plugin import (
    ImageArgs,
    ImageRef,
    ImageResult,
    MaskRef,
    MissingArgument,
    ModelSpec,
    Operation,
    Phrase,
    Requirements,
    Target,
    Tool,
    WeightFile,
    hookimpl,
)
from promptvision_cutout import lexicons

__all__ = [
    "BIREFNET",
    "CUTOUT",
    "ISNET",
    "PLUGIN_API",
    "REMOVE_BACKGROUND",
    "CutoutArgs",
    "CutoutResult",
    "promptvision_models",
    "promptvision_tools",
]

PLUGIN_API = 1

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reads it when it is imported

TRANSPARENT, BLUR = "transparent", "blur"


class CutoutArgs(ImageArgs):
    """Arguments of ``remove_background``."""

    target: Target | None = Field(
        None, description="What to keep, as a noun phrase; leave out for the main subject."
    )
    background: str = Field(
        TRANSPARENT,
        max_length=40,
        description="The new background: 'transparent', 'blur', or a colour as a CSS name or hex.",
    )
    background_url: ImageRef | None = Field(
        None, description="Handle of an image as the new background, such as img_2; cropped to the same size."
    )
    mask_url: MaskRef | None = Field(None, description="Rough mask of what to keep. Filled in from 'target'.")

    @model_validator(mode="after")
    def _has_a_mask_of_its_target(self) -> Self:
        if self.target is not None and self.mask_url is None:
            raise MissingArgument("mask_url", "the mask of the target is missing")
        return self


class CutoutResult(ImageResult):
    """The subject, of the size of the original: RGBA on a transparent background, else RGB."""

    cutout_image_url: ImageRef
    kept: float = Field(description="Share of the image that was kept, 0 to 1.")

    def summary(self) -> str:
        """A sentence with the kept share."""
        return self.message or f"The background is removed; {self.kept:.0%} of the image is kept."


REMOVE_BACKGROUND = Operation(
    name="remove_background",
    description="Cut out the subject of an image: transparent, or on a colour, a blur or another image.",
    args=CutoutArgs,
    result=CutoutResult,
    lexicons=lexicons.REMOVE_BACKGROUND,
    phrases=(
        "remove the background",
        "remove its background",
        "remove the background of it",
        "remove the background from it",
        "delete the background",
        "erase the background",
        "get rid of the background",
        "cut out the background",
        "make the background transparent",
        "cut it out",
        "cut out the subject",
        "cut out {target}",
        "remove the background behind {target}",
        "remove the background around {target}",
        "isolate {target}",
        "put it on a {background} background",
        "put {target} on a {background} background",
        Phrase("blur the background", (("background", BLUR),)),
        Phrase("blur its background", (("background", BLUR),)),
    ),
)

BIREFNET = ModelSpec(
    id="birefnet-lite",
    source="https://github.com/ZhengPeng7/BiRefNet/releases/download/v1",
    revision="v1",
    files=(
        WeightFile(
            "birefnet-lite.onnx",
            sha256="5600024376f572a557870a5eb0afb1e5961636bef4e1e22132025467d0f03333",
            size=224_005_088,
            url="https://github.com/ZhengPeng7/BiRefNet/releases/download/v1/"
            "BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx",
        ),
    ),
    license="MIT",
    license_url="https://github.com/ZhengPeng7/BiRefNet/blob/main/LICENSE",
    weight_bytes={"float32": 224_005_088},
    peak_bytes={"float32": 2_500_000_000},
    load="promptvision_cutout.matte:load_birefnet",
    tier="light",
)
"""General use, Swin-T backbone. Size and digest as pinned by several public projects; ``peak_bytes`` is an
estimate, not measured."""

ISNET = ModelSpec(
    id="isnet-general-use",
    source="https://github.com/danielgatis/rembg/releases/download/v0.0.0",
    revision="v0.0.0",
    files=(
        WeightFile(
            "isnet-general-use.onnx",
            sha256="60920e99c45464f2ba57bee2ad08c919a52bbf852739e96947fbb4358c0d964a",
            size=178_648_008,
            url="https://github.com/danielgatis/rembg/releases/download/v0.0.0/isnet-general-use.onnx",
        ),
    ),
    license="Apache-2.0",
    license_url="https://github.com/xuebinqin/DIS/blob/main/LICENSE.md",
    weight_bytes={"float32": 178_648_008},
    peak_bytes={"float32": 1_500_000_000},
    load="promptvision_cutout.matte:load_isnet",
)
"""Size and digest as pinned by several public projects; ``peak_bytes`` is an estimate, not measured."""

CUTOUT = Tool(
    name="cutout",
    operation=REMOVE_BACKGROUND,
    run="promptvision_cutout.cutout:cut_out",
    requires=Requirements(
        models=(BIREFNET.id,),
        chosen_by={BIREFNET.id: "PROMPTVISION_CUTOUT_MODEL"},
        modules={"onnxruntime": "pip install onnxruntime"},
    ),
    limits="Glass, smoke and single hairs are approximate; without a target it keeps the main subject.",
)


@hookimpl
def promptvision_tools() -> list[Tool]:
    """The tool ``cutout``."""
    return [CUTOUT]


@hookimpl
def promptvision_models() -> list[ModelSpec]:
    """BiRefNet with a small backbone, and IS-Net."""
    return [BIREFNET, ISNET]
