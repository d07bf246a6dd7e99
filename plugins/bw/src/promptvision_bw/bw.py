"""Black and white: the luma of each pixel."""

from __future__ import annotations

from promptvision.plugin import EDIT, BwResult, ImageArgs, ToolContext

__all__ = ["convert"]


def convert(args: ImageArgs, context: ToolContext) -> BwResult:
    """Run the tool ``bw``: grey values by ITU-R 601 luma (Pillow's ``convert("L")``), transparency kept."""
    image = context.open(args.image_url)
    grey = image.convert("LA" if "A" in image.getbands() else "L")
    return BwResult(original_image_url=args.image_url, bw_image_url=context.save(grey, kind=EDIT))
