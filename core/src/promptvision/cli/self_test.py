"""Run tools once on a sample image, to see that their models load and compute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from promptvision.cli.output import say
from promptvision.tools.artifacts import plain_type
from promptvision.types import Box, ImageRef, MaskRef, Target

if TYPE_CHECKING:
    from PIL.Image import Image

    from promptvision.agent.agent import Agent
    from promptvision.plugins.registry import Registry
    from promptvision.tools.tool import Tool

__all__ = ["CheckedTool", "check_tools"]

WORDS = "red ball"
"""What the sample image shows; for every argument that is text."""
SIDE = 480
FEW_STEPS = 2
LIMIT_S = 900.0
_NOT_RUN = "not run: it needs arguments that cannot be made up"


@dataclass(frozen=True)
class CheckedTool:
    """A tool, whether it ran, how long that took, and why it failed or was not run."""

    tool: str
    is_ok: bool
    seconds: float
    message: str = ""


def check_tools(registry: Registry, tools: Sequence[Tool]) -> list[CheckedTool]:
    """Run each tool once, one after the other, and print a line for each.

    Args:
        registry: what is installed.
        tools: tools whose requirements are met.
    """
    return asyncio.run(_run_all(registry, tools))


async def _run_all(registry: Registry, tools: Sequence[Tool]) -> list[CheckedTool]:
    from promptvision.agent.agent import Agent
    from promptvision.builtin.memory import MemoryConversationStore
    from promptvision.builtin.memory_images import MemoryImageStore

    agent = Agent(
        registry.settings,
        registry=registry,
        conversations=MemoryConversationStore(),
        images=MemoryImageStore(),
    )
    try:
        return [await _run(agent, tool) for tool in tools]
    finally:
        await agent.close()


async def _run(agent: Agent, tool: Tool) -> CheckedTool:
    from promptvision.runtime.cancellation import CancelToken

    started = time.monotonic()
    try:
        values = _arguments(agent, tool, _sample())
        if values is None:
            return _print_result(CheckedTool(tool.name, True, 0.0, _NOT_RUN))
        args = tool.args.model_validate(values)
        await agent.services.runtime.execute(tool, args, cancel=CancelToken(), timeout_s=LIMIT_S)
    except Exception as exc:  # noqa: BLE001  # isolation: a tool may raise anything
        text = str(exc) or type(exc).__name__
        return _print_result(CheckedTool(tool.name, False, time.monotonic() - started, text))
    return _print_result(CheckedTool(tool.name, True, time.monotonic() - started))


def _print_result(tested: CheckedTool) -> CheckedTool:
    state = "works" if tested.is_ok else "failed"
    detail = f": {tested.message}" if tested.message else f", {tested.seconds:.1f} s"
    say(f"  {tested.tool}: {state}{detail}", fg="green" if tested.is_ok else "red")
    return tested


def _sample() -> Image:
    from promptvision.builtin.samples import still_life

    image = still_life()
    image.thumbnail((SIDE, SIDE))
    return image


def _arguments(agent: Agent, tool: Tool, image: Image) -> dict[str, Any] | None:
    """A value for each required argument; None if one cannot be made up."""
    values: dict[str, Any] = {}
    for name, field in tool.args.model_fields.items():
        kind = plain_type(field.annotation)
        if name == "steps":
            values[name] = FEW_STEPS
        if not field.is_required():
            continue
        if kind is ImageRef:
            values[name] = ImageRef(_put(agent, image))
        elif kind is MaskRef:
            values[name] = MaskRef(_put(agent, _mask(image)))
        elif kind == list[Box]:
            values[name] = [list(_box(image))]
        elif kind in (str, Target):
            values[name] = WORDS
        else:
            return None
    if "prompt" in tool.args.model_fields and tool.accepts is None:
        values.setdefault("prompt", WORDS)
    return values


def _put(agent: Agent, image: Image) -> str:
    from promptvision.images.codec import encode_png

    return agent.images.put(encode_png(image), "image/png").id


def _box(image: Image) -> tuple[int, int, int, int]:
    """Around the red ball of the sample image."""
    left, top, right, bottom = 0.18, 0.45, 0.43, 0.81
    return (
        round(left * image.width),
        round(top * image.height),
        round(right * image.width),
        round(bottom * image.height),
    )


def _mask(image: Image) -> Image:
    from PIL import Image, ImageDraw

    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).ellipse(_box(image), fill=255)
    return mask
