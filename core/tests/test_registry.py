"""The registry: installed plugins, clashes, availability, and the functions for the planner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import BaseModel

from promptvision import tool
from promptvision.errors import PluginError, SetupError
from promptvision.models.spec import ModelSpec
from promptvision.plugins import availability
from promptvision.plugins.describe import describe_operations, describe_plugins
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings
from promptvision.testing import make_worker
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.context import ToolContext
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Args, Operation, Result, Tool
from promptvision.types import Box, ImageRef, MaskRef, Target

Plant = Callable[..., list[EntryPoint]]

DECORATED = """
from promptvision import Image, hookimpl, tool

@tool(phrases=["turn it"])
def rotate(image: Image) -> Image:
    '''{description}'''
    return image

@hookimpl
def promptvision_tools():
    return [rotate]
"""

FULL = """
from promptvision import Tool, hookimpl
from promptvision.tools import operations

@hookimpl
def promptvision_tools():
    return [Tool(name="{tool}", operation=operations.CONVERT_TO_BW, run="nowhere:run", priority={priority})]
"""


def nothing(args: Args, context: ToolContext) -> Result:
    raise NotImplementedError


def bw_tool(name: str, **changes: Any) -> Tool:
    return Tool(name=name, operation=operations.CONVERT_TO_BW, run=nothing, **changes)


def states(registry: Registry) -> dict[str, str]:
    return {plugin.distribution: str(plugin.state) for plugin in registry.plugins}


# Clashes


def two_of_one_name(plant: Plant) -> list[EntryPoint]:
    plant("promptvision-left", FULL.format(tool="grey", priority=10))
    return plant("promptvision-right", FULL.format(tool="grey", priority=90))


def two_decorated_of_one_name(plant: Plant) -> list[EntryPoint]:
    plant("promptvision-left", DECORATED.format(description="Left."))
    return plant("promptvision-right", DECORATED.format(description="Right."))


@pytest.mark.parametrize("clash", [two_of_one_name, two_decorated_of_one_name])
def test_clash_names_both_distributions_and_the_setting(
    plant: Plant, clash: Callable[[Plant], list[EntryPoint]]
) -> None:
    points = clash(plant)
    registry = Registry.load(Settings(), points)
    assert states(registry) == {"promptvision-left": "loaded", "promptvision-right": "loaded"}
    cause = registry.plugins[1].cause
    assert "exists in both promptvision-left and promptvision-right" in cause
    name = next(iter(registry.tools))
    assert f"set PROMPTVISION_PREFER to left:{name} or to right:{name}" in cause
    assert registry.tools[name].plugin == "left"
    assert [shadowed.reason for shadowed in registry.shadowed.values()] == [cause]
    with pytest.raises(PluginError, match=r"^promptvision-right 1\.0: .*PROMPTVISION_PREFER"):
        Registry.load(Settings(strict_plugins=True), points)


@pytest.mark.parametrize("clash", [two_of_one_name, two_decorated_of_one_name])
@pytest.mark.parametrize("winner", ["left", "right"])
def test_preferred_tool_wins_a_clash_whichever_is_found_first(
    plant: Plant, clash: Callable[[Plant], list[EntryPoint]], winner: str
) -> None:
    points = clash(plant)
    name = "grey" if clash is two_of_one_name else "rotate"
    registry = Registry.load(Settings(prefer=(f"{winner}:{name}",), strict_plugins=True), points)
    assert registry.tools[name].plugin == winner
    assert len(describe_operations(registry)) == 1
    if clash is two_decorated_of_one_name:
        assert registry.functions()[0].description == f"{winner.title()}."


@pytest.mark.parametrize("winner", ["left", "right"])
def test_both_tools_of_a_clash_are_found_by_their_qualified_names(plant: Plant, winner: str) -> None:
    registry = Registry.load(Settings(prefer=(f"{winner}:grey",)), two_of_one_name(plant))
    for plugin in ("left", "right"):
        (found,) = registry.candidates(f"{plugin}:grey")
        assert (found.plugin, found.name) == (plugin, "grey")
        assert registry.find_tool(plugin, "grey") is found
        assert registry.runnable(f"{plugin}:grey") == [found]
    assert [tool.plugin for tool in registry.candidates("convert_to_bw")] == [winner]
    assert [function.name for function in registry.functions()] == ["convert_to_bw"]
    assert registry.candidates("left:gray") == []
    (described,) = describe_operations(registry)
    (shadowed,) = described["shadowed"]
    loser = {"left": "right", "right": "left"}[winner]
    assert shadowed["plugin"] == loser
    reports = [described["shadowed"] for described in describe_plugins(registry)]
    assert [len(report) for report in reports] == ([0, 1] if winner == "left" else [1, 0])
    assert "PROMPTVISION_PREFER" in shadowed["reason"]
    assert not any(plugin.cause for plugin in registry.plugins)  # the settings have decided


@pytest.mark.parametrize("order", [("left", "right"), ("right", "left")])
def test_first_of_two_preferred_tools_wins_their_clash(plant: Plant, order: tuple[str, str]) -> None:
    prefer = tuple(f"{plugin}:grey" for plugin in order)
    registry = Registry.load(Settings(prefer=prefer), two_of_one_name(plant))
    assert registry.tools["grey"].plugin == order[0]
    assert list(registry.shadowed) == [f"{order[1]}:grey"]


def test_other_tools_of_a_plugin_that_lost_a_clash_are_used(plant: Plant) -> None:
    plant("promptvision-left", FULL.format(tool="grey", priority=10))
    both = FULL.format(tool="grey", priority=90).replace(
        "    return [",
        '    other = Tool(name="ash", operation=operations.CONVERT_TO_BW, run="a:b")\n    return [other, ',
    )
    registry = Registry.load(Settings(), plant("promptvision-right", both))
    assert {tool.qualified_name for tool in registry.candidates("convert_to_bw")} == {
        "left:grey",
        "right:ash",
    }


def test_two_contracts_under_one_operation_name_clash_although_the_tools_differ(plant: Plant) -> None:
    source = """
from promptvision import Args, ImageRef, Operation, Result, Tool, hookimpl

class BlurArgs(Args):
    image_url: ImageRef

@hookimpl
def promptvision_tools():
    blur = Operation(name="blur", description="Blur.", args=BlurArgs, result=Result)
    return [Tool(name="{tool}", operation=blur, run="nowhere:run")]
"""
    plant("promptvision-left", source.format(tool="soft"))
    points = plant("promptvision-right", source.format(tool="softer"))
    cause = Registry.load(Settings(), points).plugins[1].cause
    assert "operation 'blur' exists in both promptvision-left and promptvision-right" in cause
    assert "left:soft or to right:softer" in cause
    preferred = Registry.load(Settings(prefer=("right:softer",)), points)
    assert list(preferred.tools) == ["softer"]
    assert preferred.candidates("left:soft")[0].operation is not preferred.operations["blur"]
    assert preferred.operations["blur"] is preferred.tools["softer"].operation


def test_operations_of_the_core_cannot_be_redefined(plant: Plant) -> None:
    source = """
from promptvision import Args, ImageRef, Operation, Result, Tool, hookimpl

class FindArgs(Args):
    image_url: ImageRef

@hookimpl
def promptvision_tools():
    mine = Operation(name="convert_to_bw", description="Mine.", args=FindArgs, result=Result)
    return [Tool(name="mine", operation=mine, run="nowhere:run")]
"""
    plant("promptvision-aaa", source)
    registry = Registry.load(Settings(), plant("promptvision-bbb", FULL.format(tool="grey", priority=1)))
    assert states(registry) == {"promptvision-aaa": "failed", "promptvision-bbb": "loaded"}
    assert "promptvision.tools.operations" in registry.plugins[0].cause


def test_one_plugin_may_not_offer_a_name_twice() -> None:
    with pytest.raises(PluginError, match="'grey' is offered twice"):
        make_registry([bw_tool("grey"), bw_tool("grey")])


# Plugins that break their contract


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("@hookimpl\ndef promptvision_tools(): return ['x']", "promptvision_tools returned 'x', not a Tool"),
        (
            "@hookimpl\ndef promptvision_models(): return [3]",
            "promptvision_models returned 3, not a ModelSpec",
        ),
        (
            "@hookimpl\ndef promptvision_llm_providers(): return [3]",
            "promptvision_llm_providers returned 3, not a ProviderFactory",
        ),
        ("@hookimpl\ndef promptvision_image_stores(): return [3]", "returned 3, not a StoreFactory"),
        (
            """
from collections.abc import Callable
from promptvision import tool
@tool()
def odd(x: Callable[[int], int]) -> int:
    '''No JSON can say this.'''
    return 1
@hookimpl
def promptvision_tools(): return [odd]
""",
            "PydanticInvalidForJsonSchema: Cannot generate a JsonSchema",
        ),
        (
            """
from promptvision import Args, Operation, Result, Tool
class Tree(Args):
    left: "Tree | None" = None
@hookimpl
def promptvision_tools():
    grow = Operation(name="grow", description="Grow.", args=Tree, result=Result)
    return [Tool(name="grow", operation=grow, run="nowhere:run")]
""",
            "must not refer to themselves",
        ),
    ],
)
def test_broken_offer_fails_its_plugin_alone(plant: Plant, source: str, cause: str) -> None:
    plant("promptvision-aaa", "from promptvision import hookimpl\n" + source)
    registry = Registry.load(Settings(), plant("promptvision-bbb", FULL.format(tool="grey", priority=1)))
    assert states(registry) == {"promptvision-aaa": "failed", "promptvision-bbb": "loaded"}
    assert cause in registry.plugins[0].cause
    assert [function.name for function in registry.functions()] == ["convert_to_bw"]
    assert list(registry.tools) == ["grey"]
    assert registry.providers == []


def test_plugin_whose_tool_fails_adds_no_models_either(plant: Plant) -> None:
    source = """
from promptvision import ModelSpec, hookimpl
@hookimpl
def promptvision_tools(): return [None]
@hookimpl
def promptvision_models(): return []
"""
    registry = Registry.load(Settings(), plant("promptvision-aaa", source))
    assert registry.offers("promptvision_models") == []
    assert registry.plugins[0].offers == {}


def test_failing_command_hook_does_not_affect_other_commands(plant: Plant) -> None:
    source = """
import click
from promptvision import hookimpl
@hookimpl
def promptvision_commands(): {body}
"""
    plant("promptvision-aaa", source.format(body="raise OSError('x')"))
    registry = Registry.load(
        Settings(), plant("promptvision-bbb", source.format(body="return [click.Command('c')]"))
    )
    assert [command.name for command in registry.commands()] == ["c"]
    assert registry.plugins[0].cause == "promptvision_commands: OSError: x"


def test_plugin_is_described_as_plain_json(plant: Plant) -> None:
    plant("promptvision-aaa", "raise OSError('x')")
    registry = Registry.load(Settings(), plant("promptvision-bbb", FULL.format(tool="grey", priority=1)))
    failed, fine = describe_plugins(registry)
    assert failed.pop("import_ms") is None
    assert fine["import_ms"] >= 0
    assert failed == {
        "name": "aaa",
        "distribution": "promptvision-aaa",
        "version": "1.0",
        "license": "",
        "api": None,
        "state": "failed",
        "cause": "import: OSError: x",
        "heavy_modules": [],
        "gpu": "none",
        "tools": [],
        "shadowed": [],
        "models": [],
        "offers": [],
    }
    assert (fine["state"], fine["tools"], fine["offers"]) == ("loaded", ["grey"], ["tools"])


# Order of tools, and tools that cannot run


@pytest.mark.parametrize(("memory", "first"), [(0, "light"), (8, "large"), (None, "large")])
def test_light_tool_is_preferred_on_machines_without_a_large_gpu(
    monkeypatch: pytest.MonkeyPatch, memory: int | None, first: str
) -> None:
    monkeypatch.setattr("promptvision.tools.requirements.gpu_memory_bytes", lambda: memory)
    large = bw_tool("large", priority=50, slow_priority=30, requires=Requirements(gpu_bytes=8))
    registry = make_registry([large, bw_tool("light", priority=45)])
    assert next(tool.name for tool in registry.runnable("convert_to_bw")) == first


def test_higher_priority_goes_first_then_the_name_and_preferred_tools_before_all() -> None:
    tools = [bw_tool("low", priority=10), bw_tool("b", priority=50), bw_tool("a", priority=50)]
    registry = make_registry(tools)
    assert [tool.name for tool in registry.candidates("convert_to_bw")] == ["a", "b", "low"]
    preferring = make_registry(tools, settings=Settings(prefer=("test:low",)))
    assert [tool.name for tool in preferring.runnable("convert_to_bw")] == ["low", "a", "b"]


def test_tool_with_missing_requirements_is_a_candidate_but_not_runnable() -> None:
    unmet = Requirements(binaries={"no-such-program": "apt install it"}, settings={"NO_SUCH": "for tests"})
    registry = make_registry([bw_tool("blocked", priority=90, requires=unmet), bw_tool("fine", priority=10)])
    assert [tool.name for tool in registry.candidates("convert_to_bw")] == ["blocked", "fine"]
    assert [tool.name for tool in registry.runnable("convert_to_bw")] == ["fine"]
    missing = registry.missing(registry.tools["blocked"])
    assert [one.fix for one in missing] == ["apt install it", "set NO_SUCH (for tests)"]
    (described,) = describe_operations(registry)
    assert described["available"] is True
    assert described["tools"][0]["available"] is False
    assert described["tools"][0]["missing"][0]["what"] == "program 'no-such-program' is not on the PATH"


def test_operation_without_an_available_tool_is_described_but_is_not_a_function() -> None:
    blocked = bw_tool("blocked", requires=Requirements(modules={"no_such_module": "pip install it"}))
    registry = make_registry([blocked])
    assert registry.functions() == ()
    (described,) = describe_operations(registry)
    assert described["available"] is False
    assert described["parameters"]["properties"].keys() == {"image_url"}


def test_unavailable_operation_says_what_is_missing_for_each_tool() -> None:
    programs = Requirements(binaries={"no-such-program": "apt install it"}, settings={"NO_SUCH": "for tests"})
    module = Requirements(modules={"no_such_module": "pip install it"})
    best = bw_tool("best", priority=60, limits="Slow.", requires=programs)
    registry = make_registry([best, bw_tool("other", priority=20, requires=module)])
    (function,) = registry.unavailable()
    assert function.name == "convert_to_bw"
    assert (
        function.missing
        == registry.missing_reason("convert_to_bw")
        == (
            "tool 'best': program 'no-such-program' is not on the PATH; apt install it; "
            "NO_SUCH is not set; set NO_SUCH (for tests); "
            "or tool 'other': Python module 'no_such_module' is not installed; pip install it"
        )
    )
    assert function.description == operations.CONVERT_TO_BW.description, "limits matter only where it can run"
    assert "make it black and white" in {phrase.text for phrase in function.phrases}
    assert registry.unavailable() is registry.unavailable()


def test_operation_with_one_available_tool_has_nothing_missing() -> None:
    blocked = bw_tool(
        "blocked", priority=90, requires=Requirements(modules={"no_such_module": "pip install it"})
    )
    registry = make_registry([blocked, bw_tool("fine", priority=10)])
    assert (registry.missing_reason("convert_to_bw"), registry.unavailable()) == ("", ())
    assert registry.missing_reason("sing") == "no installed plugin provides it"


def test_model_without_a_declaration_is_missing() -> None:
    registry = make_registry([bw_tool("dependent", requires=Requirements(models=("missing",)))])
    (missing,) = registry.missing(registry.tools["dependent"])
    assert "'missing'" in missing.what


def test_missing_things_are_looked_for_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    blocked = bw_tool("blocked", requires=Requirements(binaries={"late-program": "wait"}))
    registry = make_registry([blocked])
    assert registry.functions() == ()
    program = tmp_path / "late-program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert registry.functions() == (), "the answer is kept for some seconds"
    monkeypatch.setattr(availability, "RECHECK_S", -1.0)
    assert [function.name for function in registry.functions()] == ["convert_to_bw"]


# Functions and producers


def test_function_leaves_out_what_the_core_can_fill_in(tools: list[Tool]) -> None:
    functions = {function.name: function for function in make_registry(tools).functions()}
    inpaint = functions["inpaint_image"]
    assert inpaint.defaults == {"image_url", "mask_url"}
    assert inpaint.parameters["required"] == []
    assert (inpaint.image, inpaint.target) == ("image_url", "target")
    assert functions["detect_objects"].parameters["required"] == ["prompt"]
    assert functions["detect_objects"].target == "prompt"


def test_what_nothing_here_can_make_stays_required(tools: list[Tool]) -> None:
    inpaint_only = [one for one in tools if one.operation is operations.INPAINT]
    (function,) = make_registry(inpaint_only).functions()
    assert function.parameters["required"] == ["mask_url"]


def test_description_has_the_limits_of_the_best_tool_and_the_phrases_of_all() -> None:
    best = bw_tool("best", priority=60, limits="Slow.", phrases=("ink it",))
    other = bw_tool("other", priority=20, limits="Ugly.", phrases=("wash it out",))
    (function,) = make_registry([best, other]).functions()
    assert function.description.endswith(" Limits: Slow.")
    assert {"ink it", "wash it out"} < {phrase.text for phrase in function.phrases}


def test_functions_are_the_same_object_until_something_changes(tools: list[Tool]) -> None:
    registry = make_registry(tools)
    assert registry.functions() is registry.functions()


def test_producers_are_found_by_type(tools: list[Tool]) -> None:
    registry = make_registry(tools)
    assert [(op.name, field) for op, field in registry.producers(list[Box])] == [
        ("detect_objects", "bounding_boxes")
    ]
    assert [(op.name, field) for op, field in registry.producers(MaskRef)] == [
        ("segment_objects", "merged_mask_url")
    ]
    assert registry.producers(int) == []


class BoxResult(Result):
    boxes: list[Box]


def maker(name: str, args: type[Args]) -> Tool:
    operation = Operation(name=name, description="Makes boxes.", args=args, result=BoxResult)
    return Tool(name=name, operation=operation, run=nothing)


class Plain(Args):
    image_url: ImageRef


class Grow(Args):
    image_url: ImageRef
    boxes: list[Box]


class NoImage(Args):
    width: int


def test_producer_that_takes_a_target_is_preferred(tools: list[Tool]) -> None:
    registry = make_registry([*tools, maker("all_boxes", Plain)])
    assert [op.name for op, _ in registry.producers(list[Box])] == ["detect_objects", "all_boxes"]


def test_tool_that_needs_the_type_itself_or_no_image_is_not_a_producer() -> None:
    registry = make_registry([maker("grow_boxes", Grow), maker("invent_boxes", NoImage)])
    assert registry.producers(list[Box]) == []


def test_producer_that_cannot_run_here_is_last(tools: list[Tool]) -> None:
    unmet = Requirements(modules={"no_such_module": "pip install it"})
    detect = next(one for one in tools if one.operation is operations.DETECT)
    registry = make_registry([replace(detect, requires=unmet), maker("all_boxes", Plain)])
    assert [op.name for op, _ in registry.producers(list[Box])] == ["all_boxes", "detect_objects"]


class Skeleton(BaseModel):
    joints: list[Box]


def test_types_of_a_plugin_connect_its_tools() -> None:
    @tool()
    def pose(image: Image.Image, who: Target) -> Skeleton:
        """Find a skeleton."""
        return Skeleton(joints=[])

    @tool()
    def dress(image: Image.Image, skeleton: Skeleton) -> Image.Image:
        """Dress a skeleton."""
        return image

    registry = make_registry([pose, dress])
    assert [op.name for op, _ in registry.producers(Skeleton)] == ["pose"]
    functions = {function.name: function for function in registry.functions()}
    assert functions["dress"].defaults == {"image", "skeleton"}


# What settings name


def test_stores_and_executor_are_made_by_name(tmp_path: Any) -> None:
    registry = make_registry(settings=Settings(images="memory:", conversations="memory:"))
    assert type(registry.make_image_store()).__name__ == "MemoryImageStore"
    assert type(registry.make_conversation_store()).__name__ == "MemoryConversationStore"
    assert type(registry.make_executor(make_worker(registry.settings))).__name__ == "ThreadExecutor"
    local = make_registry(settings=Settings(home=tmp_path))
    assert type(local.make_image_store()).__name__ == "FileImageStore"


def test_unknown_store_or_executor_lists_what_there_is() -> None:
    registry = make_registry(settings=Settings(images="gopher://x", executor="mill"))
    with pytest.raises(SetupError, match=r"PROMPTVISION_IMAGES.*'gopher'.*file, memory"):
        registry.make_image_store()
    with pytest.raises(SetupError, match=r"no executor 'mill'.*threads"):
        registry.make_executor(make_worker(registry.settings))


MODEL_AND_TOOLS = """
from promptvision import Image, ModelSpec, Requirements, hookimpl, tool

@hookimpl
def promptvision_models():
    return [ModelSpec(id="tiny", source="{name}/b", revision="0", files=(), license="MIT")]

@tool(requires=Requirements(models=("tiny",)))
def {name}_paint(image: Image) -> Image:
    "Paint."
    return image

@tool
def {name}_turn(image: Image) -> Image:
    "Turn."
    return image
"""


def two_with_one_model(plant: Plant) -> list[EntryPoint]:
    plant("promptvision-left", MODEL_AND_TOOLS.format(name="left"))
    return plant("promptvision-right", MODEL_AND_TOOLS.format(name="right"))


def test_two_plugins_with_one_model_clash(plant: Plant, tmp_path: Path) -> None:
    (tmp_path / "weights" / "tiny").mkdir(parents=True)
    points = two_with_one_model(plant)
    registry = Registry.load(Settings(home=tmp_path), points)
    assert registry.models["tiny"].plugin == "left"
    assert [plugin.state for plugin in registry.plugins] == ["loaded", "loaded"]
    cause = registry.plugins[1].cause
    assert "model 'tiny' is declared by both promptvision-left and promptvision-right" in cause
    assert "set PROMPTVISION_PREFER to left:tiny or to right:tiny" in cause
    assert not registry.missing(registry.tools["left_paint"])
    assert not registry.missing(registry.tools["right_turn"])
    (missing,) = registry.missing(registry.tools["right_paint"])
    assert (missing.what, missing.fix) == tuple(cause.rsplit("; ", 1))
    with pytest.raises(PluginError, match="promptvision-right"):
        Registry.load(Settings(home=tmp_path, strict_plugins=True), points)


def test_preferred_model_wins_a_clash(plant: Plant, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "weights" / "tiny").mkdir(parents=True)
    settings = Settings(home=tmp_path, prefer=("right:tiny",), strict_plugins=True)
    registry = Registry.load(settings, two_with_one_model(plant))
    assert registry.models["tiny"].source == "right/b"
    assert not registry.missing(registry.tools["right_paint"])
    assert "that of promptvision-right is used" in registry.missing(registry.tools["left_paint"])[0].what
    assert not caplog.messages


def test_one_model_offered_twice_is_refused() -> None:
    spec = ModelSpec(id="tiny", source="a/b", revision="0", files=(), license="MIT")
    with pytest.raises(PluginError, match="'tiny'"):
        make_registry(models=[spec, spec])
