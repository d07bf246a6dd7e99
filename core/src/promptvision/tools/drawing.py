"""Draw boxes, labels and masks on an image. Pillow only."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from promptvision.images.colour import flat_rgb
from promptvision.types import Box

__all__ = ["draw_boxes", "draw_mask_overlay"]

_PALETTE = ("#ffd400", "#00c2ff", "#ff5ca8", "#6fe26f", "#ff8c1a", "#b48cff")
"""Colours that are bright enough for black text and distinguishable with common colour blindness."""

_DARK = "#111111"
_TINT = "#ff2bd6"
_SMALLEST_SIDE = 320
"""Smaller images are enlarged, since labels would hide them."""

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_Rectangle = tuple[int, int, int, int]


def draw_boxes(
    image: Image.Image, boxes: Sequence[Box], labels: Sequence[str], scores: Sequence[float]
) -> Image.Image:
    """Draw boxes with their labels and scores.

    Args:
        image: any mode; it is not changed.
        boxes: in pixels of the image; one label and one score each. Boxes with the same label share a colour.
            The first box is drawn last, on top.
        labels: the label of each box.
        scores: 0 to 1, drawn with two decimals.

    Returns:
        An RGB image. It has the size of the image, or a whole multiple of it when the longer side is under
        320 pixels, so that labels are readable.

    Raises:
        ValueError: boxes, labels and scores differ in number.
    """
    items = list(zip(boxes, labels, scores, strict=True))
    zoom = -(-_SMALLEST_SIDE // max(image.size)) if max(image.size) < _SMALLEST_SIDE else 1
    canvas = flat_rgb(image)
    if zoom > 1:
        canvas = canvas.resize((image.width * zoom, image.height * zoom), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(canvas)
    colours = {label: _PALETTE[i % len(_PALETTE)] for i, label in enumerate(dict.fromkeys(labels))}
    line = max(2, round(max(canvas.size) / 300))
    for box, label, _ in reversed(items):
        _frame(draw, _scaled(box, zoom, canvas.size), colours[label], line)
    taken: list[_Rectangle] = []
    for box, label, score in items:
        _tag(draw, _scaled(box, zoom, canvas.size), f"{label} {score:.2f}", colours[label], line, taken)
    return canvas


def draw_mask_overlay(image: Image.Image, mask: Image.Image) -> Image.Image:
    """Tint the masked part of an image and outline it.

    Args:
        image: any mode; it is not changed.
        mask: mode L, the size of the image; 255 is tinted, 0 is not changed.

    Returns:
        An RGB image of the size of the image.
    """
    mask = mask.convert("L").point(lambda value: 255 if value > 127 else 0)
    canvas = flat_rgb(image)
    tint = Image.new("RGB", canvas.size, _TINT)
    canvas.paste(Image.blend(canvas, tint, 0.45), mask=mask)
    width = max(1, round(max(canvas.size) / 500))
    grown = mask.filter(ImageFilter.MaxFilter(2 * width + 1))
    canvas.paste("white", mask=ImageChops.subtract(grown, mask))
    return canvas


def _scaled(box: Box, zoom: int, size: tuple[int, int]) -> _Rectangle:
    """The outermost pixels of the box on the canvas, clipped to it."""
    width, height = size
    left = min(max(round(box.x1 * zoom), 0), width - 1)
    top = min(max(round(box.y1 * zoom), 0), height - 1)
    right = min(max(round(box.x2 * zoom) - 1, left), width - 1)
    bottom = min(max(round(box.y2 * zoom) - 1, top), height - 1)
    return left, top, right, bottom


def _frame(draw: ImageDraw.ImageDraw, box: _Rectangle, colour: str, line: int) -> None:
    left, top, right, bottom = box
    halo = max(1, line // 2)
    draw.rectangle((left - halo, top - halo, right + halo, bottom + halo), outline=_DARK, width=halo)
    draw.rectangle(box, outline=colour, width=line)


def _tag(
    draw: ImageDraw.ImageDraw,
    box: _Rectangle,
    text: str,
    colour: str,
    line: int,
    taken: list[_Rectangle],
) -> None:
    """Write a label at the first position near the box that is free of other labels."""
    canvas_width, canvas_height = draw.im.size
    text, font, pad = _fitted(draw, text, (canvas_width, canvas_height))
    width = round(draw.textlength(text, font=font)) + 2 * pad
    height = round(_font_size(font) * 1.15) + pad
    x = min(max(box[0] - line // 2, 0), max(canvas_width - width, 0))
    places = [box[1] - height, box[3] + 1, box[1] + line, box[3] - height - line]
    places = [min(max(y, 0), max(canvas_height - height, 0)) for y in places]
    spots = [(x, y, x + width, y + height) for y in places]
    spot = next((s for s in spots if not any(_overlap(s, t) for t in taken)), spots[0])
    taken.append(spot)
    draw.rectangle((spot[0], spot[1], spot[2] - 1, spot[3] - 1), fill=colour, outline=_DARK)
    draw.text((spot[0] + pad, (spot[1] + spot[3]) / 2), text, fill=_DARK, font=font, anchor="lm")


def _fitted(draw: ImageDraw.ImageDraw, text: str, size: tuple[int, int]) -> tuple[str, _Font, int]:
    """Text, font and padding such that the label is not wider than the canvas."""
    wanted = max(14, round(max(size) / 38))
    font = ImageFont.load_default(size=wanted)
    pad = max(3, wanted // 4)
    widest = size[0] - 2 * pad
    while draw.textlength(text, font=font) > widest and len(text) > 4:
        head, _, score = text.rpartition(" ")
        text = f"{head[:-2].rstrip('…')}… {score}" if len(head) > 3 else text[:-1]
    return text, font, pad


def _font_size(font: _Font) -> float:
    return font.size if isinstance(font, ImageFont.FreeTypeFont) else 11.0


def _overlap(a: _Rectangle, b: _Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
