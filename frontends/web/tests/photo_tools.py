"""A third party's plugin for the tests of the page: a tool with a form, and one that takes its time."""

from __future__ import annotations

import time
from typing import Literal

from PIL import Image as Images

from promptvision.plugin import Image, ToolContext, tool


@tool(phrases=["wait a moment"], cacheable=False)
def linger(image: Image, context: ToolContext, seconds: float = 6.0) -> Image:
    """Copy an image slowly.

    Args:
        image: the image to copy.
        seconds: how long to take.
    """
    steps = 60
    for done in range(steps):
        context.progress(done, steps, "lingering")
        time.sleep(seconds / steps)
    return image.copy()


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
