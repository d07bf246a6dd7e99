"""A plugin for commands under test: fast tools in plain PIL, one that waits, and one that cannot run here.

``wait_here`` touches the file that ``MARK`` names and then waits until it is cancelled, or, with
``IGNORE_CANCEL`` set, forever.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from PIL import Image as PillowImage
from PIL import ImageOps

from promptvision import Image, Requirements, Settings, Tool, ToolContext, hookimpl, tool
from promptvision.plugin import ImageRef, ImageResult, Operation, ToolLike
from promptvision.plugins.specs import Finding
from promptvision.tools import operations


def to_bw(args: operations.ImageArgs, context: ToolContext) -> operations.BwResult:
    """Greyscale."""
    grey = context.open(args.image_url).convert("L")
    return operations.BwResult(original_image_url=args.image_url, bw_image_url=context.save(grey))


@tool(phrases=["mirror it"])
def mirror(image: Image, times: int = 1) -> Image:
    """Mirror an image left to right.

    Args:
        image: the image.
        times: how often.
    """
    for _ in range(times):
        image = ImageOps.mirror(image)
    return image


@tool(phrases=["make it see-through"])
def fade(image: Image) -> Image:
    """Make the left half transparent."""
    faded = image.convert("RGBA")
    faded.paste(PillowImage.new("RGBA", (image.width // 2, image.height), (9, 9, 9, 0)))
    return faded


class StoredAs(ImageResult):
    """An image in another format, as ``format`` says."""

    image_url: ImageRef
    format: str


def _store_as(extension: str) -> Callable[[operations.ImageArgs, ToolContext], StoredAs]:
    def store(args: operations.ImageArgs, context: ToolContext) -> StoredAs:
        stored = context.save_as(context.open(args.image_url), extension)
        media_type = context.stat(stored).media_type
        return StoredAs(original_image_url=args.image_url, image_url=stored, format=media_type)

    return store


def converters() -> Iterable[Tool]:
    """One tool for each format."""
    for extension in ("webp", "png"):
        operation = Operation(
            name=f"store_as_{extension}",
            description="Store as a file.",
            args=operations.ImageArgs,
            result=StoredAs,
            phrases=(f"store it as {extension}",),
        )
        yield Tool(name=f"{extension}_writer", operation=operation, run=_store_as(extension))


@tool(phrases=["wait here"])
def wait_here(image: Image, context: ToolContext) -> str:
    """Wait until asked to stop."""
    context.progress(1, 4, "waiting")
    Path(os.environ["MARK"]).touch()
    while True:
        if "IGNORE_CANCEL" not in os.environ:
            context.check_cancelled()
        time.sleep(0.01)


@tool(phrases=["say something odd"])
def say_odd(image: Image) -> str:
    """Return an escape sequence."""
    return "red \x1b[31m text \u202e"


@tool(phrases=["fetch the moon"], requires=Requirements(binaries={"moon-rocket": "apt-get install moon"}))
def fetch_moon(image: Image) -> Image:
    """Needs a program that is not installed."""
    return image


@tool(phrases=["break it"])
def break_it(image: Image) -> str:
    """Break."""
    return str(1 // 0)


def check_moon(settings: Settings) -> Finding:
    return Finding("moon", "warn", "it is far away", "wait")


def check_badly(settings: Settings) -> Finding:
    raise RuntimeError("this check is broken")


@hookimpl
def promptvision_tools() -> Iterable[ToolLike]:
    grey = Tool(name="grey", operation=operations.CONVERT_TO_BW, run=to_bw)
    return [grey, mirror, fade, wait_here, say_odd, fetch_moon, break_it, *converters()]


@hookimpl
def promptvision_checks() -> Iterable[Callable[[Settings], Finding]]:
    return [check_moon, check_badly]
