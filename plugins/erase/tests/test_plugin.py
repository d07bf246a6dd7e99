"""The plugin's hooks, and the choice of its tool for removal only."""

from __future__ import annotations

import asyncio
import re
from io import BytesIO
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from promptvision import Agent
from promptvision.plugin import (
    InpaintArgs,
    InpaintResult,
    Settings,
    Tool,
    ToolContext,
    ToolFailed,
    operations,
)
from promptvision.testing import make_agent
from promptvision_erase.plugin import ERASE, LAMA, MIGAN, promptvision_models, promptvision_tools


def test_hooks_offer_the_tool_and_both_models() -> None:
    assert promptvision_tools() == [ERASE]
    assert promptvision_models() == [MIGAN, LAMA]


def test_models_are_pinned_and_of_a_permissive_licence() -> None:
    for spec in promptvision_models():
        (file,) = spec.files
        assert re.fullmatch(r"[0-9a-f]{40}", spec.revision)
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256 or "")
        assert file.size == spec.weight_bytes["float32"]
        assert spec.license in ("MIT", "Apache-2.0")


def test_setting_chooses_the_model() -> None:
    settings = Settings.from_mapping({"PROMPTVISION_ERASE_MODEL": "lama"})
    assert ERASE.requires.chosen_models(settings.value) == ("lama",)


def paint(args: InpaintArgs, context: ToolContext) -> InpaintResult:
    made = context.save(Image.new("RGB", context.open(args.image_url).size, "orange"))
    return InpaintResult(original_image_url=args.image_url, inpainted_image_url=made)


def perform(agent: Agent, image: Image.Image, mask: Image.Image, **values: str) -> list[tuple[str, str]]:
    """The steps of one call of ``inpaint_image``."""
    given = {name: _png(each) for name, each in (("image_url", image), ("mask_url", mask))}
    reply = asyncio.run(agent.call_tool("inpaint_image", {**given, **values}))
    return [(step.tool, step.status) for step in reply.steps]


def _png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def refuse(args: InpaintArgs, context: ToolContext) -> InpaintResult:
    raise ToolFailed("out of paint")


@pytest.mark.parametrize(
    ("prompt", "steps"),
    [
        ("", [("erase", "done")]),
        ("  ", [("erase", "done")]),
        ("an orange cat", [("broken", "failed"), ("painter", "done")]),
    ],
)
def test_removal_goes_to_erase_and_painting_to_the_others_in_order(
    graphs: dict[str, Path], prompt: str, steps: list[tuple[str, str]]
) -> None:
    tools = [
        ERASE,
        Tool(name="painter", operation=operations.INPAINT, run=paint, priority=10),
        Tool(name="broken", operation=operations.INPAINT, run=refuse, priority=50),
    ]
    settings = Settings.from_mapping({"PROMPTVISION_MODEL_MIGAN_512": str(graphs["migan"])})
    image, mask = Image.new("RGB", (64, 48), "white"), Image.new("L", (64, 48))
    mask.paste(255, (10, 10, 20, 20))
    with make_agent(tools, settings=settings, models=promptvision_models()) as agent:
        assert perform(agent, image, mask, prompt=prompt) == steps


def test_failed_removal_falls_back_to_a_tool_for_any_arguments(
    tiny_inpainting: ModuleType, tmp_path: Path
) -> None:
    broken = tiny_inpainting.build(tmp_path / "broken.onnx", "lama", broken=True)
    settings = Settings.from_mapping({"PROMPTVISION_MODEL_MIGAN_512": str(broken)})
    painter = Tool(name="painter", operation=operations.INPAINT, run=paint, priority=10)
    image, mask = Image.new("RGB", (64, 48), "white"), Image.new("L", (64, 48), 255)
    with make_agent([ERASE, painter], settings=settings, models=promptvision_models()) as agent:
        assert perform(agent, image, mask) == [("erase", "failed"), ("painter", "done")]
