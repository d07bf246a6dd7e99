"""Small tools for the six operations that process real pixels with Pillow, for tests of the loop."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image, ImageChops, ImageColor, ImageDraw

from promptvision.tools import operations
from promptvision.tools.context import ANNOTATED, ToolContext
from promptvision.tools.tool import Tool
from promptvision.types import Box, ImageRef, ImageText, MaskRef

__all__ = ["make_tools"]


def make_tools(things: Mapping[str, str] | None = None, texts: Mapping[str, str] | None = None) -> list[Tool]:
    """Tools named ``find_colour``, ``box_mask``, ``fill``, ``describe``, ``recite`` and ``grey``.

    Args:
        things: object name to its unique colour; the colours of Pillow are names by themselves. An object is
            found, and painted, as a patch of its colour.
        texts: image id to the text that is read from it; other images have no text.
    """
    palette = _Palette(things or {})
    return [
        Tool(name="find_colour", operation=operations.DETECT, run=palette.detect),
        Tool(name="box_mask", operation=operations.SEGMENT, run=_segment),
        Tool(name="fill", operation=operations.INPAINT, run=palette.inpaint),
        Tool(name="describe", operation=operations.CAPTION, run=palette.caption),
        Tool(name="recite", operation=operations.EXTRACT_TEXT, run=_Texts(texts or {}).read),
        Tool(name="grey", operation=operations.CONVERT_TO_BW, run=_to_bw),
    ]


class _Palette:
    """Finds and paints objects by their colours."""

    def __init__(self, things: Mapping[str, str]) -> None:
        self._things = dict(things)

    def detect(self, args: operations.DetectArgs, context: ToolContext) -> operations.DetectResult:
        """Find one object: all pixels of its colour, in one box."""
        image = context.open(args.image_url).convert("RGB")
        found = self._find(image, str(args.prompt))
        boxes = [found] if found else []
        return operations.DetectResult(
            prompt=args.prompt,
            original_image_url=args.image_url,
            bounding_boxes=boxes,
            centroids=[box.centroid for box in boxes],
            labels=[str(args.prompt)] * len(boxes),
            scores=[1.0] * len(boxes),
            annotated_image_url=context.save(_annotate(image, boxes), kind=ANNOTATED),
            message=None if boxes else f"there is no {args.prompt}",
        )

    def inpaint(self, args: operations.InpaintArgs, context: ToolContext) -> operations.InpaintResult:
        """Fill the mask with the colour of the prompted object."""
        image = context.open(args.image_url).convert("RGB")
        image.paste(self._colour(args.prompt) or (128, 128, 128), mask=context.open(args.mask_url))
        return operations.InpaintResult(
            original_image_url=args.image_url, inpainted_image_url=context.save(image)
        )

    def caption(self, args: operations.CaptionArgs, context: ToolContext) -> operations.CaptionResult:
        """Name the objects in the image."""
        image = context.open(args.image_url).convert("RGB")
        seen = [name for name in self._things if self._find(image, name)]
        caption = ImageText(f"A picture of {' and '.join(seen) or 'nothing that has a name'}.")
        return operations.CaptionResult(original_image_url=args.image_url, caption=caption)

    def _colour(self, name: str) -> tuple[int, ...] | None:
        known = self._things.get(name, (name.split() or [""])[0])
        try:
            return ImageColor.getrgb(known)
        except ValueError:
            return None

    def _find(self, image: Image.Image, name: str) -> Box | None:
        colour = self._colour(name)
        if colour is None:
            return None
        distance = ImageChops.difference(image, Image.new("RGB", image.size, colour))
        per_band = [band.point(lambda value: 255 * (value == 0)) for band in distance.split()]
        same = ImageChops.darker(ImageChops.darker(per_band[0], per_band[1]), per_band[2])
        box = same.getbbox()
        return Box(*map(float, box)) if box else None


class _Texts:
    """Returns the text registered for an image."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def read(self, args: operations.ExtractTextArgs, context: ToolContext) -> operations.ExtractTextResult:
        """Recite the text of an image."""
        text = ImageText(self._texts.get(args.image_url.id, ""))
        return operations.ExtractTextResult(original_image_url=args.image_url, extracted_text=text, words=[])


def _annotate(image: Image.Image, boxes: list[Box]) -> Image.Image:
    drawn = image.copy()
    for box in boxes:
        ImageDraw.Draw(drawn).rectangle((box.x1, box.y1, box.x2 - 1, box.y2 - 1), outline="lime")
    return drawn


def _segment(args: operations.SegmentArgs, context: ToolContext) -> operations.SegmentResult:
    """Use each box as its mask."""
    size = context.open(args.image_url).size
    masks: list[MaskRef] = []
    merged = Image.new("L", size, 0)
    for box in args.bounding_boxes:
        mask = Image.new("L", size, 0)
        ImageDraw.Draw(mask).rectangle((box.x1, box.y1, box.x2 - 1, box.y2 - 1), fill=255)
        masks.append(context.save_mask(mask))
        merged.paste(255, mask=mask)
    return operations.SegmentResult(
        original_image_url=args.image_url, merged_mask_url=context.save_mask(merged), mask_urls=masks
    )


def _to_bw(args: operations.ImageArgs, context: ToolContext) -> operations.BwResult:
    """Greyscale."""
    grey: ImageRef = context.save(context.open(args.image_url).convert("L"))
    return operations.BwResult(original_image_url=args.image_url, bw_image_url=grey)
