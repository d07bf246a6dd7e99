"""The manifest of a plugin: written in one environment, it gives the same tools in another."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

from promptvision.errors import ToolFailed
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.plugins.discovery import Plugin
from promptvision.plugins.manifest import describe, read_manifest
from promptvision.runtime.call import CallOutput, OutputData
from promptvision.settings import Section
from promptvision.tools import operations
from promptvision.tools.artifacts import image_fields, link_types, target_field
from promptvision.tools.requirements import Gpu, Requirements
from promptvision.tools.schema import function_parameters
from promptvision.tools.tool import Args, Operation, Phrase, Result, Tool
from promptvision.types import Box, ImageRef, MaskRef, Target

A, B = "a" * 64, "b" * 64


class PaintArgs(Args):
    image_url: ImageRef = Field(description="the image to paint on")
    target: Target | None = None
    boxes: list[Box] | None = None
    mask: MaskRef | None = Field(None, description="where to paint")
    style: Literal["oil", "ink"] = "oil"
    strength: float = Field(0.5, ge=0, le=1)
    names: list[str] = []


class PaintResult(Result):
    painted_url: ImageRef
    colours: dict[str, int] = {}

    def summary(self) -> str:
        return f"painted in {len(self.colours)} colours"


class FindArgs(operations.DetectArgs):
    depth: int = 3


PAINT = Operation(
    name="paint",
    description="Paint on an image.",
    args=PaintArgs,
    result=PaintResult,
    phrases=(Phrase("paint it in ink", (("style", "ink"),)), "paint {target}"),
)
PAINTER = Tool(
    name="painter",
    operation=PAINT,
    run="promptvision_easel.paint:paint",
    priority=60,
    requires=Requirements(
        models=("brush-l",),
        gpu=Gpu.PREFERRED,
        modules={"json": "part of Python", "easel_of_oak": "pip install easel"},
    ),
    limits="No water colours.",
    phrases=("put paint on it",),
    cacheable=False,
)
FINDER = Tool(name="finder", operation=operations.DETECT, args=FindArgs, run="promptvision_easel.find:find")
SPEC = ModelSpec(
    id="brush-l",
    source="easel/brush",
    revision="1" * 40,
    files=(WeightFile("brush.safetensors", sha256="2" * 64, size=3),),
    license="MIT",
    dtypes={"cpu": ("float32",), "cuda": ("float16", "float32")},
    load="promptvision_easel.load:load",
)


class EaselSection(Section):
    easel_height: int = Field(3, description="Height.")


@pytest.fixture
def read(tmp_path: Path) -> Plugin:
    plugin = Plugin(
        "easel",
        "promptvision-easel",
        "4.2",
        EntryPoint("easel", "promptvision_easel.plugin", "promptvision"),
        offers={
            "promptvision_tools": [PAINTER, FINDER],
            "promptvision_models": [SPEC],
            "promptvision_settings": [EaselSection],
        },
    )
    path = tmp_path / "easel.json"
    path.write_text(describe(plugin).model_dump_json())
    return read_manifest(path, "/env/bin/python")


def test_plugin_keeps_its_names_and_models(read: Plugin) -> None:
    assert (read.name, read.label, read.python) == ("easel", "promptvision-easel 4.2", "/env/bin/python")
    assert read.entry_point.value == "promptvision_easel.plugin"
    assert read.offers["promptvision_models"] == [SPEC]
    assert read.variables == ("PROMPTVISION_EASEL_HEIGHT",)


def test_tool_keeps_all_that_decides_when_it_runs(read: Plugin) -> None:
    painter: Tool = read.offers["promptvision_tools"][0]
    kept = ("name", "priority", "limits", "phrases", "cacheable", "takes_complements")
    assert [getattr(painter, name) for name in kept] == [getattr(PAINTER, name) for name in kept]
    assert (painter.requires.models, painter.requires.gpu) == (("brush-l",), Gpu.PREFERRED)
    assert painter.requires.modules == {"easel_of_oak": "pip install easel"}
    assert painter.operation.phrases == PAINT.phrases
    with pytest.raises(ToolFailed, match="a separate environment"):
        painter.load()(None, None)


def test_models_link_tools_and_show_the_same_schema(read: Plugin) -> None:
    painter: Tool = read.offers["promptvision_tools"][0]
    for look in (image_fields, target_field, link_types):
        assert look(painter.args) == look(PaintArgs)
    assert link_types(painter.result) == link_types(PaintResult)
    assert function_parameters(painter.args) == function_parameters(PaintArgs)


def test_values_of_core_types_are_validated_here(read: Plugin) -> None:
    painter: Tool = read.offers["promptvision_tools"][0]
    args = painter.args.model_validate({"image_url": A, "boxes": [[0, 0, 4, 4]], "style": "ink"})
    own = PaintArgs.model_validate({"image_url": A, "boxes": [[0, 0, 4, 4]], "style": "ink"})
    assert args.model_dump(mode="json") == own.model_dump(mode="json")
    for wrong in ({"image_url": "x"}, {"image_url": A, "boxes": [[4, 4, 0, 0]]}, {"image_url": A, "no": 1}):
        with pytest.raises(ValueError, match="validation error"):
            painter.args.model_validate(wrong)


def test_operation_of_the_core_stays_that_of_the_core(read: Plugin) -> None:
    finder: Tool = read.offers["promptvision_tools"][1]
    assert finder.operation is operations.DETECT
    assert issubclass(finder.args, operations.DetectArgs)
    args = finder.args.model_validate({"image_url": A, "prompt": "cat", "depth": 4})
    assert args.model_dump(mode="json")["depth"] == 4


def test_result_says_what_the_plugins_own_class_says(read: Plugin) -> None:
    painter: Tool = read.offers["promptvision_tools"][0]
    own = CallOutput(PaintResult(painted_url=ImageRef(B), colours={"red": 1, "blue": 2}), ())
    sent = OutputData.model_validate_json(own.to_data().model_dump_json())
    output = CallOutput.from_data(sent, painter)
    assert output.result.summary() == "painted in 2 colours"
    assert output.result.model_dump(mode="json") == own.result.model_dump(mode="json")


def test_manifest_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text('{"manifest": 0, "plugin": "x", "distribution": "x", "version": "1", "module": "x"}')
    with pytest.raises(ValueError, match="version 0 is not 1"):
        read_manifest(path, "python")
