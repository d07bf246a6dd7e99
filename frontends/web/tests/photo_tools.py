"""A third party's plugin: tools with forms, one that waits, one that asks, and one whose model is missing."""

from __future__ import annotations

import hashlib
import importlib
import os
import time
from pathlib import Path
from typing import Literal

from PIL import Image as Images

from promptvision.plugin import (
    Image,
    Middleware,
    ModelSpec,
    Requirements,
    Tool,
    ToolContext,
    WeightFile,
    hookimpl,
    tool,
)

APPROVALS = importlib.import_module("approve_steps")
"""The example of the documentation."""
HUB = os.environ.get("PROMPTVISION_TEST_HUB", "http://127.0.0.1:9")
GATE = Path(os.environ["PROMPTVISION_TEST_GATE"])
LONGEST_S = 180
POLL_S = 0.05


@tool(phrases=["wait a moment"], cacheable=False)
def wait_at_gate(image: Image, context: ToolContext) -> Image:
    """Copy an image as soon as the gate is open.

    Args:
        image: the image to copy.
    """
    steps = round(LONGEST_S / POLL_S)
    for done in range(steps):
        if GATE.exists():
            return image.copy()
        context.progress(done, steps, "waiting at the gate")
        time.sleep(POLL_S)
    raise TimeoutError("the gate stayed closed")


@tool
def frame(
    image: Image,
    width: int = 12,
    shade: Literal["black", "white", "red"] = "black",
    layers: Literal[1, 2] = 1,
) -> Image:
    """Draw a frame around an image.

    Args:
        image: the image to frame.
        width: of the frame, in pixels.
        shade: colour of the frame.
        layers: how many frames.
    """
    edge = width * layers
    framed = Images.new("RGB", (image.width + 2 * edge, image.height + 2 * edge), shade)
    framed.paste(image.convert("RGB"), (edge, edge))
    return framed


@tool(phrases=["describe the toy"], requires=Requirements(models=("toy-captions",)))
def describe_toy(image: Image) -> str:
    """Describe a toy.

    Args:
        image: the image of the toy.
    """
    return f"a toy of {image.width} x {image.height} pixels"


@hookimpl
def promptvision_tools() -> list[Tool]:
    """The tool of the example, which leaves the machine and costs money."""
    return [APPROVALS.develop]


@hookimpl
def promptvision_middleware() -> list[Middleware]:
    """The middleware of the example, which asks before such a tool."""
    return [APPROVALS.ApproveSteps()]


@hookimpl
def promptvision_models() -> list[ModelSpec]:
    """Two models on the hub that the test started."""
    return [model("toy-captions"), model("toy-tags")]


def model(name: str) -> ModelSpec:
    weights = bytes(range(256)) * 16_000
    file = WeightFile(
        f"{name}.bin",
        sha256=hashlib.sha256(weights).hexdigest(),
        size=len(weights),
        url=f"{HUB}/{name}.bin",
    )
    return ModelSpec(
        id=name,
        source=f"{HUB}/{name}.bin",
        revision="1",
        files=(file,),
        license="Apache-2.0",
        license_url="https://www.apache.org/licenses/LICENSE-2.0",
    )
