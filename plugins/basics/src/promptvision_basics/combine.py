"""Combine several images in one."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

from PIL import Image

from promptvision.plugin import ArgumentsError, ToolContext, ToolFailed
from promptvision_basics.colours import RGB, read_colour
from promptvision_basics.geometry import MAX_PIXELS, MAX_SIDE
from promptvision_basics.models import CombineArgs, CombineResult
from promptvision_basics.placing import corner_of

__all__ = ["combine"]


def combine(args: CombineArgs, context: ToolContext) -> CombineResult:
    """Put images in a row, a column or a grid, or paste one on another."""
    images = [context.open(ref) for ref in (args.image_url, *args.others)]
    if args.layout == "paste":
        made = _paste(images, args, context)
    else:
        background = read_colour("background", args.background)
        columns = {"side by side": len(images), "stacked": 1, "grid": ceil(sqrt(len(images)))}[args.layout]
        made = _tile(images, columns, args.gap, background)
    return CombineResult(
        original_image_url=args.image_url,
        combined_image_url=context.save(made),
        width=made.width,
        height=made.height,
    )


def _tile(images: Sequence[Image.Image], columns: int, gap: int, background: RGB) -> Image.Image:
    """Rows of images in cells of equal size, with every image scaled to fit its cell.

    In a single row all images get the height of the first, in a single column its width.
    """
    first = images[0]
    if columns == len(images):
        cells = [(max(1, round(image.width * first.height / image.height)), first.height) for image in images]
    elif columns == 1:
        cells = [(first.width, max(1, round(image.height * first.width / image.width))) for image in images]
    else:
        cells = [first.size] * len(images)
    rows = [list(range(start, min(start + columns, len(images)))) for start in range(0, len(images), columns)]
    width = max(sum(cells[index][0] for index in row) + gap * (len(row) - 1) for row in rows)
    height = sum(max(cells[index][1] for index in row) for row in rows) + gap * (len(rows) - 1)
    _check_size(width, height)
    made = Image.new("RGB", (width, height), background)
    top = 0
    for row in rows:
        left = 0
        for index in row:
            _place(made, images[index], (left, top), cells[index])
            left += cells[index][0] + gap
        top += max(cells[index][1] for index in row) + gap
    return made


def _place(made: Image.Image, image: Image.Image, corner: tuple[int, int], cell: tuple[int, int]) -> None:
    scale = min(cell[0] / image.width, cell[1] / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    shown = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
    at = (corner[0] + (cell[0] - size[0]) // 2, corner[1] + (cell[1] - size[1]) // 2)
    _paste_with_alpha(made, shown, at)


def _paste_with_alpha(made: Image.Image, shown: Image.Image, at: tuple[int, int]) -> None:
    alpha = shown.getchannel("A") if "A" in shown.getbands() else None
    made.paste(shown.convert("RGB"), at, alpha)


def _paste(images: Sequence[Image.Image], args: CombineArgs, context: ToolContext) -> Image.Image:
    if len(images) != 2:
        raise ArgumentsError(f"others: 'paste' takes exactly one other image, not {len(images) - 1}")
    base, top = images
    mask = context.open(args.mask_url).convert("L") if args.mask_url is not None else None
    if mask is not None and mask.size != top.size:
        raise ArgumentsError(f"mask_url: the mask is {mask.size}, the pasted image {top.size}")
    layer = top.convert("RGBA")
    if mask is not None:
        clear = Image.new("L", layer.size)
        layer.putalpha(Image.composite(layer.getchannel("A"), clear, mask))
    if args.scale is not None:
        width = max(1, round(args.scale * base.width))
        layer = layer.resize(
            (width, max(1, round(layer.height * width / layer.width))), Image.Resampling.LANCZOS
        )
    made = base.convert("RGBA")
    left, upper = corner_of(args.place, base.size, layer.size)
    cut = (
        max(0, -left),
        max(0, -upper),
        min(layer.width, base.width - left),
        min(layer.height, base.height - upper),
    )
    made.alpha_composite(layer.crop(cut), (max(0, left), max(0, upper)))
    return made if "A" in base.getbands() else made.convert("RGB")


def _check_size(width: int, height: int) -> None:
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise ToolFailed(
            f"the result would be {width} x {height} pixels, which is too large; resize the images first"
        )
