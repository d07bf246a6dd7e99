"""Hook implementations of promptvision-sam: one tool, one model, two engines that can run it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from typing import Any, Self

from pydantic import Field, model_validator

from promptvision.plugin import (
    Box,
    Gpu,
    ModelSpec,
    Point,
    Requirements,
    SegmentArgs,
    Tool,
    WeightFile,
    hookimpl,
    operations,
)

__all__ = ["MODEL", "PLUGIN_API", "SamArgs", "model_spec", "segment_tool"]

PLUGIN_API = 1

MODEL = "sam2.1-l"
"""The model's id, whichever engine runs it."""

_LICENSE_URL = "https://github.com/facebookresearch/sam2/blob/main/LICENSE"
_LOAD = "promptvision_sam.load:load"


class SamArgs(SegmentArgs):
    """Arguments of ``segment_objects`` when SAM fulfils it: points are understood as well as boxes.

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


def has_ultralytics() -> bool:
    """Whether the ultralytics engine is installed, judged without importing it."""
    return importlib.util.find_spec("ultralytics") is not None


def _engine(ultralytics: bool) -> str:
    return "ultralytics, AGPL-3.0" if ultralytics else "transformers, Apache-2.0"


def model_spec(*, ultralytics: bool) -> ModelSpec:
    """The weights of SAM 2.1 large in the file layout of an engine.

    Sizes and digests are those of Meta's file and of revision 665f8e2 of the hub repository, as several
    public projects pin them. ``peak_bytes``: 0.65 GB measured in float32 on a CPU with the architecture at
    full size, one image and ten boxes.
    """
    common: dict[str, Any] = {
        "id": MODEL,
        "license": f"Apache-2.0; engine {_engine(ultralytics)}",
        "license_url": _LICENSE_URL,
        "hub_files": ("model.safetensors", "*.json"),
        "load": _LOAD,
        "weight_bytes": {"float32": 897_600_000, "float16": 448_800_000, "bfloat16": 448_800_000},
        "peak_bytes": {"float32": 700_000_000, "float16": 350_000_000, "bfloat16": 350_000_000},
    }
    if ultralytics:
        url = "https://dl.fbaipublicfiles.com/segment_anything_2/092824/sam2.1_hiera_large.pt"
        file = WeightFile(
            "sam2.1_l.pt",
            sha256="2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318",
            size=898_083_611,
            url=url,
        )
        dtypes = {"cuda": ("float32", "float16"), "cpu": ("float32",)}
        return ModelSpec(source=url, revision="092824", files=(file,), dtypes=dtypes, **common)
    files = (
        WeightFile(
            "model.safetensors",
            sha256="dc407dce21301fd94abb395c5099b4f2c455fdc8a8f261ac3d0ea6d4cd197230",
            size=897_897_416,
        ),
        WeightFile(
            "config.json",
            sha256="00446988cf4d617118d2d347eabe2c46aebed744628facdd540508be30b69ec3",
            size=5_705,
        ),
        WeightFile(
            "preprocessor_config.json",
            sha256="6ebf229ee259368ce4a8d4f2fe893a72b053023710853e257253939e601f583d",
            size=683,
        ),
        WeightFile(
            "processor_config.json",
            sha256="f8a68e865cfad115c1c2763f3d93eca7b1c622da06da2a9273eb437fb2389b6d",
            size=95,
        ),
    )
    return ModelSpec(
        source="facebook/sam2.1-hiera-large",
        revision="665f8e2ad61cf5f53d65644ff27c8ee525124610",
        files=files,
        dtypes={"cuda": ("float32", "bfloat16"), "cpu": ("float32",)},
        **common,
    )


def segment_tool(*, ultralytics: bool) -> Tool:
    """The tool, saying which engine runs it and under which licences."""
    engine = _engine(ultralytics)
    return Tool(
        name="sam",
        operation=operations.SEGMENT,
        args=SamArgs,
        run="promptvision_sam.segment:segment",
        requires=Requirements(models=(MODEL,), gpu=Gpu.PREFERRED),
        takes_complements=True,
        limits=f"It does not know names: boxes come from a detector. Engine: {engine}; weights: Apache-2.0.",
    )


@hookimpl
def promptvision_tools() -> Iterable[Tool]:
    """Segmentation with SAM 2.1 large."""
    return [segment_tool(ultralytics=has_ultralytics())]


@hookimpl
def promptvision_models() -> Iterable[ModelSpec]:
    """The weights that the installed engine reads."""
    return [model_spec(ultralytics=has_ultralytics())]
