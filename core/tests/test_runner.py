"""One operation: arguments completed and validated once, prerequisites, fallback tools, journaled steps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from promptvision.agent.calls.artifacts import Artifacts
from promptvision.agent.calls.record import StepRecord
from promptvision.agent.calls.request import OperationRequest
from promptvision.agent.calls.runner import StepRunner
from promptvision.agent.outcome import ToolOutcome
from promptvision.errors import (
    ArgumentsError,
    Cancelled,
    NotSupported,
    SetupError,
    StopTurn,
    ToolFailed,
    WorkerLost,
)
from promptvision.images.handles import ImageTable
from promptvision.models.devices import has_gpu
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.runtime.cancellation import CancelToken
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.tools import operations
from promptvision.tools.context import ToolContext
from promptvision.tools.operations import ImageArgs
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Tool
from promptvision.types import ImageRef


class Harness:
    """A runner over one stored image, the handle of which is img_1."""

    def __init__(
        self,
        tools: list[Tool],
        scene_png: bytes,
        *,
        models: Sequence[ModelSpec] = (),
        home: Path | None = None,
        **changes: Any,
    ) -> None:
        settings = None if home is None else Settings(home=home, strict_plugins=True)
        self.agent = make_agent(tools, models=models, settings=settings)
        self.image = self.agent.images.put(scene_png, "image/png").id
        self.cancel = CancelToken()
        table = ImageTable()
        table.add(self.image, "input", None, "", 60, 40, 1)
        limits: dict[str, Any] = {"deadline": time.monotonic() + 60, "max_calls": 20, **changes}
        services = self.agent.services
        self.runner = StepRunner(
            services.registry, services.runtime, StepRecord(table), Artifacts(), cancel=self.cancel, **limits
        )

    def perform(self, operation: str, **values: Any) -> ToolOutcome:
        return asyncio.run(
            self.runner.perform(OperationRequest(operation=operation, values=values, call_id="c"))
        )

    def steps(self) -> list[tuple[str, str]]:
        return [(step.tool, step.status) for step in self.runner.record.steps]


def fails(message: str) -> Any:
    def run(args: ImageArgs, context: ToolContext) -> operations.BwResult:
        raise ToolFailed(message)

    return run


def test_missing_arguments_are_made_by_visible_steps_and_reused(tools: list[Tool], scene_png: bytes) -> None:
    harness = Harness(tools, scene_png)
    harness.perform("inpaint_image", target="red square", prompt="blue")
    assert [tool for tool, _ in harness.steps()] == ["find_colour", "box_mask", "fill"]
    harness.perform("inpaint_image", image_url="img_1", target="red square", prompt="green")
    assert [tool for tool, _ in harness.steps()][3:] == ["fill"]


def test_arguments_are_validated_once_when_nothing_is_missing(
    tools: list[Tool], scene_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    better = Tool(name="better", operation=operations.CONVERT_TO_BW, run=fails("no"), priority=90)
    harness = Harness([*tools, better], scene_png)
    validated: list[str] = []
    original = harness.runner._arguments.validate

    def validate(tool: Tool, values: dict[str, Any]) -> Any:
        validated.append(tool.name)
        return original(tool, values)

    monkeypatch.setattr(harness.runner._arguments, "validate", validate)
    harness.perform("convert_to_bw", image_url="img_1")
    assert validated == ["better"], "the fallback tool has the same argument model"
    assert harness.steps() == [("better", "failed"), ("grey", "done")]


def test_step_names_the_images_of_its_arguments_and_result(tools: list[Tool], scene_png: bytes) -> None:
    harness = Harness(tools, scene_png)
    outcome = harness.perform("convert_to_bw")
    (step,) = harness.runner.record.steps
    made = harness.runner.record.images[0]["id"]
    assert step.image_ids == (harness.image, made)
    assert isinstance(outcome.result, operations.BwResult)
    assert outcome.result.bw_image_url == ImageRef(made)
    assert harness.runner.record.images[0]["handle"] == "img_2"
    assert '"img_2"' in outcome.content
    assert made not in outcome.content


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"image_url": "img_7"}, "img_7"),
        ({"image_url": "https://example.com/x.png"}, "image"),
        ({"image_url": "img_1", "box_threshold": 7, "prompt": "red"}, "box_threshold"),
        ({"image_url": "img_1"}, "prompt: is needed"),
    ],
)
def test_wrong_arguments_are_named_and_no_step_starts(
    tools: list[Tool], scene_png: bytes, values: dict[str, Any], problem: str
) -> None:
    harness = Harness(tools, scene_png)
    with pytest.raises(ArgumentsError, match=problem):
        harness.perform("detect_objects", **values)
    assert harness.steps() == []


def test_image_that_is_not_a_mask_is_refused_as_one(tools: list[Tool], scene_png: bytes) -> None:
    harness = Harness(tools, scene_png)
    harness.perform("convert_to_bw")
    with pytest.raises(ArgumentsError, match="mask_url: img_2 is not a mask"):
        harness.perform("inpaint_image", image_url="img_1", mask_url="img_2", prompt="x")


def test_all_tools_fail_with_all_reasons(scene_png: bytes) -> None:
    bw = operations.CONVERT_TO_BW
    tools = [Tool(name=name, operation=bw, run=fails(f"{name} has failed")) for name in ("one", "two")]
    harness = Harness(tools, scene_png)
    with pytest.raises(ToolFailed, match="one has failed; two has failed"):
        harness.perform("convert_to_bw")
    assert [status for _, status in harness.steps()] == ["failed", "failed"]


def test_unavailable_operation_is_a_failed_step_that_needs_setup(scene_png: bytes) -> None:
    absent = Requirements(binaries={"no-such-program": "apt-get install it"})
    tool = Tool(name="grey", operation=operations.CONVERT_TO_BW, run="nowhere:run", requires=absent)
    harness = Harness([tool], scene_png)
    with pytest.raises(SetupError, match="apt-get install it"):
        harness.perform("convert_to_bw")
    assert harness.steps() == [("grey", "failed")]
    assert harness.runner.record.steps[0].needs_setup


def eraser(run: Any, name: str = "eraser", priority: int = 60, **more: Any) -> Tool:
    return Tool(
        name=name,
        operation=operations.INPAINT,
        run=run,
        priority=priority,
        accepts=lambda args: not args.prompt.strip(),
        limits="Removes things.",
        **more,
    )


def painted(args: operations.InpaintArgs, context: ToolContext) -> operations.InpaintResult:
    return operations.InpaintResult(
        original_image_url=args.image_url, inpainted_image_url=context.save(context.open(args.image_url))
    )


def test_tool_that_serves_some_arguments_gets_those_alone(tools: list[Tool], scene_png: bytes) -> None:
    harness = Harness([*tools, eraser(painted)], scene_png)
    harness.perform("inpaint_image", target="red square", prompt=" ")
    harness.perform("inpaint_image", image_url="img_1", target="red square", prompt="green")
    assert [tool for tool, _ in harness.steps() if tool in ("eraser", "fill")] == ["eraser", "fill"]


def test_tools_that_accept_are_tried_in_order(tools: list[Tool], scene_png: bytes) -> None:
    given = [
        eraser(fails("no"), "first", 90),
        eraser(fails("no"), "second", 80),
        eraser(painted, "third", 70),
    ]
    harness = Harness([*tools, *given], scene_png)
    harness.perform("inpaint_image", target="red square")
    assert harness.steps()[2:] == [("first", "failed"), ("second", "failed"), ("third", "done")]
    harness = Harness([*tools, *given[:2]], scene_png)
    harness.perform("inpaint_image", target="red square")
    assert harness.steps()[2:] == [("first", "failed"), ("second", "failed"), ("fill", "done")]


def test_arguments_that_no_tool_serves_fail_with_the_limits(tools: list[Tool], scene_png: bytes) -> None:
    others = [tool for tool in tools if tool.operation is not operations.INPAINT]
    harness = Harness([*others, eraser(painted)], scene_png)
    with pytest.raises(
        ToolFailed, match="no tool here serves these arguments: tool 'eraser': Removes things"
    ):
        harness.perform("inpaint_image", target="red square", prompt="green")


def test_arguments_that_no_ready_tool_serves_name_what_to_install(
    tools: list[Tool], scene_png: bytes
) -> None:
    others = [tool for tool in tools if tool.operation is not operations.INPAINT]
    absent = Requirements(binaries={"no-such-program": "apt-get install it"})
    painter = Tool(name="painter", operation=operations.INPAINT, run="nowhere:run", requires=absent)
    harness = Harness([*others, eraser(painted), painter], scene_png)
    with pytest.raises(SetupError, match=r"Removes things\..*apt-get install it"):
        harness.perform("inpaint_image", target="red square", prompt="green")
    assert harness.steps()[-1] == ("painter", "failed")
    assert harness.runner.record.steps[-1].needs_setup


def model(id_: str, size: int) -> ModelSpec:
    return ModelSpec(id=id_, source="a/b", revision="0", files=(), license="MIT", download_bytes=size)


def test_missing_requirements_are_data_prerequisites_included(scene_png: bytes, tmp_path: Path) -> None:
    chain = [
        ("find", operations.DETECT, "finder"),
        ("cut", operations.SEGMENT, "cutter"),
        ("paint", operations.INPAINT, "painter"),
    ]
    tools = [
        Tool(name=name, operation=operation, run="nowhere:run", requires=Requirements(models=(needed,)))
        for name, operation, needed in chain
    ]
    models = [model("finder", 1), model("cutter", 20), model("painter", 300)]
    harness = Harness(tools, scene_png, models=models, home=tmp_path)
    with pytest.raises(SetupError, match="painter, cutter, finder are not downloaded") as caught:
        harness.perform("inpaint_image", target="cat", prompt="a dog")
    command = "promptvision models pull painter cutter finder"
    assert caught.value.needs == {"models": ["painter", "cutter", "finder"], "bytes": 321, "command": command}
    assert harness.runner.record.steps[-1].setup == caught.value.needs


def not_supported(args: Any, context: ToolContext) -> Any:
    raise NotSupported("it finds colours only")


def test_request_beyond_the_ready_tool_names_the_models_of_a_better_one(
    scene_png: bytes, tmp_path: Path
) -> None:
    better = Tool(
        name="find",
        operation=operations.DETECT,
        run="nowhere:run",
        priority=60,
        requires=Requirements(models=("large | small",)),
    )
    ready = Tool(name="colours", operation=operations.DETECT, run=not_supported)
    models = [replace(model("large", 2), tier="full"), replace(model("small", 1), tier="light")]
    harness = Harness([better, ready], scene_png, models=models, home=tmp_path)
    chosen = "large" if has_gpu() else "small"
    with pytest.raises(SetupError, match=f"colours only. A better tool can: {chosen} is not") as caught:
        harness.perform("detect_objects", prompt="cat")
    assert caught.value.needs is not None
    assert caught.value.needs["models"] == [chosen]
    assert harness.steps() == [("colours", "failed")]
    assert harness.runner.record.steps[-1].needs_setup


def test_request_beyond_the_only_tool_fails(scene_png: bytes) -> None:
    harness = Harness([Tool(name="colours", operation=operations.DETECT, run=not_supported)], scene_png)
    with pytest.raises(ToolFailed, match="it finds colours only"):
        harness.perform("detect_objects", prompt="cat")
    assert not harness.runner.record.steps[-1].needs_setup


def test_tool_that_does_not_serve_the_arguments_is_not_what_is_missing(
    scene_png: bytes, tmp_path: Path
) -> None:
    painter = Tool(
        name="painter",
        operation=operations.INPAINT,
        run="nowhere:run",
        requires=Requirements(models=("large",)),
    )
    absent = eraser("nowhere:run", requires=Requirements(models=("small",)))
    harness = Harness(
        [painter, absent], scene_png, models=[model("large", 2), model("small", 1)], home=tmp_path
    )
    with pytest.raises(SetupError) as caught:
        harness.perform("inpaint_image", target="cat", prompt="a dog")
    assert caught.value.needs is not None
    assert caught.value.needs["models"] == ["large"]
    with pytest.raises(SetupError) as caught:
        harness.perform("inpaint_image", target="cat")
    assert caught.value.needs is not None
    assert caught.value.needs["models"] == ["small"]


def test_accepts_that_raises_is_a_failed_tool(tools: list[Tool], scene_png: bytes) -> None:
    def broken(args: Any) -> bool:
        raise KeyError("x")

    bad = Tool(name="bad", operation=operations.CONVERT_TO_BW, run=fails("no"), priority=90, accepts=broken)
    harness = Harness([*tools, bad], scene_png)
    harness.perform("convert_to_bw")
    assert harness.steps() == [("grey", "done")]
    harness = Harness([bad], scene_png)
    with pytest.raises(ToolFailed, match="tool 'bad': accepts: KeyError"):
        harness.perform("convert_to_bw")


def test_out_of_memory_frees_models_and_tries_once_more(scene_png: bytes) -> None:
    attempts: list[int] = []

    def run(args: ImageArgs, context: ToolContext) -> operations.BwResult:
        attempts.append(1)
        if len(attempts) == 1:
            raise MemoryError
        return operations.BwResult(original_image_url=args.image_url, bw_image_url=args.image_url)

    harness = Harness([Tool(name="big", operation=operations.CONVERT_TO_BW, run=run)], scene_png)
    harness.perform("convert_to_bw")
    assert harness.steps() == [("big", "failed"), ("big", "done")]


def test_limits_and_cancellation_stop_before_a_step(tools: list[Tool], scene_png: bytes) -> None:
    with pytest.raises(StopTurn, match="time limit"):
        Harness(tools, scene_png, deadline=time.monotonic() - 1).perform("convert_to_bw")
    harness = Harness(tools, scene_png, max_calls=1)
    harness.perform("convert_to_bw")
    with pytest.raises(StopTurn, match="limit of 1 tool calls"):
        harness.perform("convert_to_bw", image_url="img_2")
    harness.cancel.cancel("the user left")
    with pytest.raises(Cancelled, match="the user left"):
        harness.perform("convert_to_bw")
    assert len(harness.steps()) == 1


def test_without_an_image_the_planner_has_to_ask_for_one(tools: list[Tool]) -> None:
    services = make_agent(tools).services
    runner = StepRunner(
        services.registry,
        services.runtime,
        StepRecord(ImageTable()),
        Artifacts(),
        cancel=CancelToken(),
        deadline=time.monotonic() + 60,
        max_calls=20,
    )
    with pytest.raises(ArgumentsError, match="no image in this conversation"):
        asyncio.run(runner.perform(OperationRequest(operation="convert_to_bw", values={})))


@pytest.mark.parametrize(
    ("is_machine_lost", "cacheable", "ran"),
    [(True, True, ["first", "first"]), (False, True, ["first", "grey"]), (True, False, ["first", "grey"])],
)
def test_step_whose_machine_was_lost_is_tried_again_before_other_tools(
    tools: list[Tool], scene_png: bytes, is_machine_lost: bool, cacheable: bool, ran: list[str]
) -> None:
    calls: list[ImageArgs] = []

    def run(args: ImageArgs, context: ToolContext) -> operations.BwResult:
        calls.append(args)
        if len(calls) == 1:
            raise WorkerLost("its node has died", is_machine_lost=is_machine_lost)
        return operations.BwResult(original_image_url=args.image_url, bw_image_url=args.image_url)

    first = Tool(name="first", operation=operations.CONVERT_TO_BW, run=run, priority=90, cacheable=cacheable)
    harness = Harness([*tools, first], scene_png)
    harness.perform("convert_to_bw")
    assert harness.steps() == [(ran[0], "failed"), (ran[1], "done")]


def test_upcoming_models_of_prerequisites_and_their_caller_are_announced_to_the_pool(
    scene_png: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soonest first, while they run; withdrawn when the operation has ended."""
    announced: list[list[str]] = []

    def finder(args: operations.DetectArgs, context: ToolContext) -> operations.DetectResult:
        raise ToolFailed("nothing found")

    models = []
    for id_ in ("dino", "sam"):
        (tmp_path / "weights" / id_).mkdir(parents=True)
        (tmp_path / "weights" / id_ / "w").write_text("")
        models.append(
            ModelSpec(
                id=id_, source="s/s", revision="0", files=(WeightFile("w"),), license="MIT", load="json:loads"
            )
        )
    tools = [
        Tool(
            name="finder",
            operation=operations.DETECT,
            args=operations.DetectArgs,
            run=finder,
            requires=Requirements(models=("dino",)),
        ),
        Tool(
            name="cutter",
            operation=operations.SEGMENT,
            args=operations.SegmentArgs,
            run=fails("not reached"),
            requires=Requirements(models=("sam",)),
        ),
    ]
    harness = Harness(tools, scene_png, models=models, home=tmp_path)
    pool = harness.agent.services.runtime.pool
    monkeypatch.setattr(
        pool, "announce", lambda plan, ids: announced.append(list(ids)) if plan is harness.runner else None
    )
    with pytest.raises(ToolFailed, match="nothing found"):
        harness.perform("segment_objects", target="cat")
    assert announced == [["sam"], ["dino", "sam"], ["sam"], []]
