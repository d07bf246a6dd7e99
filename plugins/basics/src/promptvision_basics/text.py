"""Write a text on an image."""

from __future__ import annotations

from PIL import ImageDraw, ImageFont

from promptvision.plugin import Box, ToolContext, ToolFailed
from promptvision_basics.colours import RGB, luminance, read_colour
from promptvision_basics.models import DrawTextArgs, DrawTextResult
from promptvision_basics.placing import corner_of

__all__ = ["draw_text"]

_WIDTH_SHARE = 0.9
_HEIGHT_SHARE = 0.12
_MIN_SIZE = 6
_MARGIN_SHARE = 0.03


def draw_text(args: DrawTextArgs, context: ToolContext) -> DrawTextResult:
    """Draw with Pillow's embedded font (Aileron), so no font file is needed."""
    image = context.open(args.image_url)
    made = image.convert("RGBA" if image.mode in ("LA", "RGBA") else "RGB")
    colour = read_colour("color", args.color)
    outline = _outline(args.outline, colour)
    draw = ImageDraw.Draw(made)
    size = args.size if args.size is not None else _fitting_size(draw, args.text, made.size)
    font = ImageFont.load_default(size)
    stroke = max(1, round(size / 14)) if outline is not None else 0
    left, top, right, bottom = _extent(draw, args.text, font, stroke)
    width, height = right - left, bottom - top
    if width > made.width or height > made.height:
        raise ToolFailed(
            f"the text takes {width} x {height} pixels at size {size:g}, the image has {made.width} x "
            f"{made.height}; use a smaller size, a shorter text or line breaks"
        )
    margin = min(
        round(_MARGIN_SHARE * min(made.size)), (made.width - width) // 2, (made.height - height) // 2
    )
    x, y = corner_of(args.place, made.size, (width, height), margin)
    draw.multiline_text(
        (x - left, y - top),
        args.text,
        fill=colour,
        font=font,
        align="center",
        stroke_width=stroke,
        stroke_fill=outline,
    )
    return DrawTextResult(
        original_image_url=args.image_url,
        text_image_url=context.save(made),
        box=Box(x, y, x + width, y + height),
    )


def _outline(outline: str | None, colour: RGB) -> RGB | None:
    if outline is None:
        return None
    if outline == "auto":
        return (0, 0, 0) if luminance(colour) > 127 else (255, 255, 255)
    return read_colour("outline", outline)


def _extent(
    draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, stroke: int
) -> tuple[int, int, int, int]:
    left, top, right, bottom = draw.multiline_textbbox(
        (0, 0), text, font=font, align="center", stroke_width=stroke
    )
    return int(left), int(top), -int(-right // 1), -int(-bottom // 1)


def _fitting_size(draw: ImageDraw.ImageDraw, text: str, size: tuple[int, int]) -> float:
    """A font size of an eighth of the image's height, or as large as the width allows."""
    lines = text.count("\n") + 1
    wanted = max(_MIN_SIZE, _HEIGHT_SHARE * size[1])
    font = ImageFont.load_default(wanted)
    left, top, right, bottom = _extent(draw, text, font, round(wanted / 14))
    fits = min(
        1.0,
        _WIDTH_SHARE * size[0] / max(1, right - left),
        0.8 * size[1] / max(1, bottom - top) if lines > 1 else 1,
    )
    return max(_MIN_SIZE, wanted * fits)
