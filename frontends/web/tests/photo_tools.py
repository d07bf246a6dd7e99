"""A third party's plugin for the tests of the page: a tool with a form, and one that waits for the test."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Literal

from PIL import Image as Images

from promptvision.plugin import Image, ModelSpec, ToolContext, WeightFile, hookimpl, tool

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
def frame(image: Image, width: int = 12, shade: Literal["black", "white", "red"] = "black") -> Image:
    """Draw a frame around an image.

    Args:
        image: the image to frame.
        width: of the frame, in pixels.
        shade: colour of the frame.
    """
    framed = Images.new("RGB", (image.width + 2 * width, image.height + 2 * width), shade)
    framed.paste(image.convert("RGB"), (width, width))
    return framed


@hookimpl
def promptvision_models() -> list[ModelSpec]:
    """A model on the hub that the test started."""
    hub = os.environ.get("PROMPTVISION_TEST_HUB")
    if hub is None:
        return []
    weights = bytes(range(256)) * 16_000
    file = WeightFile(
        "toy.bin", sha256=hashlib.sha256(weights).hexdigest(), size=len(weights), url=f"{hub}/toy.bin"
    )
    return [
        ModelSpec(
            id="toy-captions",
            source=f"{hub}/toy.bin",
            revision="1",
            files=(file,),
            license="Apache-2.0",
            license_url="https://www.apache.org/licenses/LICENSE-2.0",
        )
    ]
