"""The plugin's hooks, and the priority of its tool among others."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from promptvision.plugin import (
    InpaintArgs,
    InpaintResult,
    Requirements,
    Settings,
    Tool,
    ToolContext,
    ToolFailed,
    operations,
)
from promptvision.testing import CallContext, make_agent
from promptvision_sd_inpaint.plugin import INPAINT, SD, promptvision_models, promptvision_tools


def test_hooks_offer_the_tool_and_its_pinned_model() -> None:
    assert promptvision_tools() == [INPAINT]
    assert promptvision_models() == [SD]
    assert re.fullmatch(r"[0-9a-f]{40}", SD.revision)
    (lora,) = [file for file in SD.files if file.url]
    assert re.fullmatch(r"[0-9a-f]{64}", lora.sha256 or "")
    assert "/resolve/cf2fced511dbe7e26c8d1d397e728fbab875db4b/" in (lora.url or "")


def remove(args: InpaintArgs, context: ToolContext) -> InpaintResult:
    image = context.open(args.image_url)
    made = context.save(Image.new(image.mode, image.size, "orange"), parent=args.image_url)
    return InpaintResult(original_image_url=args.image_url, inpainted_image_url=made)


def refuse(args: InpaintArgs, context: ToolContext) -> InpaintResult:
    raise ToolFailed("the GPU's memory ran out")


LARGE = Requirements(gpu_bytes=8_000_000_000)
TOOLS = [
    Tool(
        name="sdxl",
        operation=operations.INPAINT,
        run=refuse,
        priority=50,
        slow_priority=30,
        requires=LARGE,
    ),
    Tool(
        name="eraser",
        operation=operations.INPAINT,
        run=remove,
        priority=60,
        accepts=lambda args: not args.prompt.strip(),
    ),
    INPAINT,
]
"""A tool for a large GPU that fails, one that only removes, and ours."""


@pytest.mark.parametrize(
    ("memory", "prompt", "steps"),
    [
        (24_000_000_000, "a cat", [("sdxl", "failed"), ("sd_inpaint", "done")]),
        (4_000_000_000, "a cat", [("sd_inpaint", "done")]),
        (0, "a cat", [("sd_inpaint", "done")]),
        (24_000_000_000, "", [("eraser", "done")]),
        (0, "", [("eraser", "done")]),
    ],
)
def test_large_model_goes_first_where_it_fits_and_removal_goes_to_the_eraser(
    folders: dict[int, Path],
    context: Callable[..., CallContext],
    monkeypatch: pytest.MonkeyPatch,
    memory: int,
    prompt: str,
    steps: list[tuple[str, str]],
) -> None:
    monkeypatch.setattr("promptvision.tools.requirements.gpu_memory_bytes", lambda: memory)
    settings = Settings.from_mapping({"PROMPTVISION_MODEL_SD15_INPAINT": str(folders[9])})
    image, mask = Image.new("RGB", (64, 48), "white"), Image.new("L", (64, 48))
    mask.paste(255, (10, 10, 20, 20))
    with make_agent(TOOLS, settings=settings, models=promptvision_models()) as agent:
        reply = asyncio.run(
            agent.call_tool(
                "inpaint_image", {"image_url": _png(image), "mask_url": _png(mask), "prompt": prompt}
            )
        )
    assert [(step.tool, step.status) for step in reply.steps] == steps


def _png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
