"""A plugin for processes under test: tools that record each run in a file, and can be paused.

``NOTES`` is the file, ``SERVER`` the name of the process, and ``HOLD``, if set, a file for which
``segment_objects`` waits before it continues, and ignores a cancellation.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageDraw

from promptvision.plugins.specs import hookimpl
from promptvision.tools import operations
from promptvision.tools.context import ANNOTATED, ToolContext
from promptvision.tools.tool import Tool
from promptvision.types import Box

PLUGIN_API = 1

BOX = Box(4, 4, 20, 20)


def note(what: str) -> None:
    """Add a line: what runs, and where."""
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(f"{what} {os.environ['SERVER']}\n")


def hold() -> None:
    """Wait until the file that ``HOLD`` names is there."""
    while (gate := os.environ.get("HOLD")) and not Path(gate).exists():
        time.sleep(0.01)


def detect(args: operations.DetectArgs, context: ToolContext) -> operations.DetectResult:
    """One box, always."""
    note("detect")
    return operations.DetectResult(
        prompt=args.prompt,
        original_image_url=args.image_url,
        bounding_boxes=[BOX],
        centroids=[BOX.centroid],
        labels=[str(args.prompt)],
        scores=[1.0],
        annotated_image_url=context.save(context.open(args.image_url), kind=ANNOTATED),
    )


def segment(args: operations.SegmentArgs, context: ToolContext) -> operations.SegmentResult:
    """The box as its mask, after the hold."""
    note("segment")
    hold()
    mask = Image.new("L", context.open(args.image_url).size, 0)
    ImageDraw.Draw(mask).rectangle((BOX.x1, BOX.y1, BOX.x2 - 1, BOX.y2 - 1), fill=255)
    saved = context.save_mask(mask)
    return operations.SegmentResult(
        original_image_url=args.image_url, merged_mask_url=saved, mask_urls=[saved]
    )


def inpaint(args: operations.InpaintArgs, context: ToolContext) -> operations.InpaintResult:
    """The mask filled with the colour that the prompt names."""
    note("inpaint")
    image = context.open(args.image_url).convert("RGB")
    image.paste(args.prompt, mask=context.open(args.mask_url))
    return operations.InpaintResult(
        original_image_url=args.image_url, inpainted_image_url=context.save(image)
    )


@hookimpl
def promptvision_tools() -> Iterable[Tool]:
    """Detection, segmentation and inpainting."""
    return [
        Tool(name="noting_detect", operation=operations.DETECT, run=detect),
        Tool(name="noting_segment", operation=operations.SEGMENT, run=segment),
        Tool(name="noting_inpaint", operation=operations.INPAINT, run=inpaint),
    ]
