"""Hook implementations of promptvision-upscale: one operation, one tool, one model."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field

from promptvision.plugin import (
    ImageArgs,
    ImageRef,
    ImageResult,
    ModelSpec,
    Operation,
    Phrase,
    Requirements,
    Tool,
    WeightFile,
    hookimpl,
)
from promptvision_upscale import lexicons

__all__ = [
    "PLUGIN_API",
    "SWIN2SR",
    "UPSCALE",
    "UPSCALE_IMAGE",
    "UpscaleArgs",
    "UpscaleResult",
    "promptvision_models",
    "promptvision_tools",
]

PLUGIN_API = 1

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reads it when it is imported


class UpscaleArgs(ImageArgs):
    """Arguments of ``upscale_image``."""

    factor: Literal[2, 4] = Field(2, description="How many times as wide and high: 2 or 4.")


class UpscaleResult(ImageResult):
    """The enlarged image."""

    upscaled_image_url: ImageRef
    width: int
    height: int

    def summary(self) -> str:
        """The new size."""
        return self.message or f"The image is upscaled to {self.width} x {self.height} pixels."


_FOUR = (("factor", 4),)

UPSCALE_IMAGE = Operation(
    name="upscale_image",
    description="Enlarge an image 2 or 4 times with sharp detail (super-resolution).",
    args=UpscaleArgs,
    result=UpscaleResult,
    lexicons=lexicons.UPSCALE,
    phrases=(
        "upscale",
        "upscale it",
        "upscale it {factor} times",
        "upscale it {factor}x",
        "upscale it by {factor}",
        "upscale it by a factor of {factor}",
        "increase the resolution",
        "increase its resolution",
        "increase the resolution of it",
        "improve the resolution",
        "enhance the resolution",
        "make it higher resolution",
        Phrase("quadruple its resolution", _FOUR),
        Phrase("upscale it four times", _FOUR),
    ),
)

SWIN2SR = ModelSpec(
    id="swin2sr-x2",
    source="Xenova/swin2SR-classical-sr-x2-64",
    revision="93dfc9089abda257351d3a58d5771e2c1ff69442",
    files=(
        WeightFile(
            "onnx/model.onnx",
            sha256="6dde3fe2440543ccae7c40d175609f83c18aeaa3d8456745c4329ef97ae744bd",
            size=54_428_699,
        ),
    ),
    hub_files=("onnx/model.onnx",),
    license="Apache-2.0",
    license_url="https://github.com/mv-lab/swin2sr/blob/main/LICENSE",
    weight_bytes={"float32": 54_428_699},
    peak_bytes={"float32": 1_500_000_000},
    load="promptvision_upscale.enlarge:load",
    tier="light",
)
"""Swin2SR for clean images, 12 million parameters. Size and digest as pinned by public projects;
``peak_bytes`` of one tile is an estimate, not measured."""

UPSCALE = Tool(
    name="swin2sr",
    operation=UPSCALE_IMAGE,
    run="promptvision_upscale.upscale:upscale",
    requires=Requirements(models=(SWIN2SR.id,), modules={"onnxruntime": "pip install onnxruntime"}),
    limits="Takes minutes for a large photograph on a CPU; also sharpens noise and compression artefacts.",
)


@hookimpl
def promptvision_tools() -> list[Tool]:
    """The tool ``swin2sr``."""
    return [UPSCALE]


@hookimpl
def promptvision_models() -> list[ModelSpec]:
    """Swin2SR for a factor of 2."""
    return [SWIN2SR]
