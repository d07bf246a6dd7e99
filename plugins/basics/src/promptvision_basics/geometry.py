"""Crop, rotate, flip and resize."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PIL import Image

from promptvision.plugin import ArgumentsError, Box, ToolContext, ToolFailed
from promptvision_basics.colours import read_colour
from promptvision_basics.models import (
    CropArgs,
    CropResult,
    FlipArgs,
    FlipResult,
    Part,
    ResizeArgs,
    ResizeResult,
    RotateArgs,
    RotateResult,
)

__all__ = ["crop", "fit_aspect", "flip", "part_of", "resize", "rotate"]

MAX_PIXELS = 25_000_000
"""Maximum number of pixels of a result, equal to the limit of uploads."""
MAX_SIDE = 16_384

_QUARTERS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}


def crop(args: CropArgs, context: ToolContext) -> CropResult:
    """Keep a box, a part or a target, then fit it to the aspect ratio."""
    image = context.open(args.image_url)
    box = _kept(args, image.size)
    if args.aspect is not None:
        grows = args.target is not None
        box = fit_aspect(box, _ratio(args.aspect), image.size, grow=grows)
    left, top, right, bottom = _pixels(box, image.size)
    made = image.crop((left, top, right, bottom))
    return CropResult(
        original_image_url=args.image_url,
        cropped_image_url=context.save(made),
        box=Box(left, top, right, bottom),
        width=made.width,
        height=made.height,
    )


def _kept(args: CropArgs, size: tuple[int, int]) -> Box:
    width, height = size
    if args.box is not None:
        return args.box
    if args.part is not None:
        return part_of(args.part, size)
    if args.target is not None and args.bounding_boxes:
        return _around(args.bounding_boxes, args.margin)
    return Box(0, 0, width, height)


def _around(boxes: Sequence[Box], margin: float) -> Box:
    """The smallest box around all boxes, with a margin on every side."""
    left, top = min(box.x1 for box in boxes), min(box.y1 for box in boxes)
    right, bottom = max(box.x2 for box in boxes), max(box.y2 for box in boxes)
    across, down = margin * (right - left), margin * (bottom - top)
    return Box(left - across, top - down, right + across, bottom + down)


def part_of(part: Part, size: tuple[int, int]) -> Box:
    """The box of a named part.

    Args:
        part: such as ``"left half"``, ``"top third"``, ``"bottom right"`` (a quarter) or ``"center"``.
        size: width and height in pixels.
    """
    width, height = size
    left, top, right, bottom = 0.0, 0.0, 1.0, 1.0
    share = {"half": 1 / 2, "third": 1 / 3}.get(part.split()[-1], 1 / 2)
    if part == "center":
        left, top, right, bottom = 1 / 4, 1 / 4, 3 / 4, 3 / 4
    if "left" in part:
        right = share
    if "right" in part:
        left = 1 - share
    if "top" in part:
        bottom = share
    if "bottom" in part:
        top = 1 - share
    return Box(left * width, top * height, right * width, bottom * height)


def _ratio(aspect: str) -> float:
    across, down = (float(number) for number in re.split(r"[:/x]", aspect.replace(" ", "")))
    return across / down


def fit_aspect(box: Box, ratio: float, size: tuple[int, int], *, grow: bool) -> Box:
    """A box of an aspect ratio with the same centre.

    Args:
        box: the original box.
        ratio: width by height.
        size: of the image, which bounds the box.
        grow: enlarge the box, as far as the image allows, to keep its content; else crop it.
    """
    width, height = box.x2 - box.x1, box.y2 - box.y1
    is_wide = width / height > ratio
    if is_wide == grow:
        height = width / ratio
    else:
        width = height * ratio
    shrink = min(1.0, size[0] / width, size[1] / height)
    width, height = width * shrink, height * shrink
    middle = box.centroid
    left = min(max(middle.x - width / 2, 0), size[0] - width)
    top = min(max(middle.y - height / 2, 0), size[1] - height)
    return Box(left, top, left + width, top + height)


def _pixels(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Whole pixels inside the image; at least one."""
    left, top = max(0, round(box.x1)), max(0, round(box.y1))
    right, bottom = min(size[0], round(box.x2)), min(size[1], round(box.y2))
    if right <= left or bottom <= top:
        raise ArgumentsError(
            f"box: {[round(value) for value in box]} has no pixel in an image of {size[0]} x {size[1]} pixels"
        )
    return left, top, right, bottom


def rotate(args: RotateArgs, context: ToolContext) -> RotateResult:
    """Rotate by any angle; multiples of 90 degrees are lossless."""
    image = context.open(args.image_url)
    angle = (args.degrees if args.direction == "counterclockwise" else -args.degrees) % 360
    made = _turned(image, angle, args)
    return RotateResult(
        original_image_url=args.image_url,
        rotated_image_url=context.save(made),
        width=made.width,
        height=made.height,
    )


def _turned(image: Image.Image, angle: float, args: RotateArgs) -> Image.Image:
    if angle == 0:
        return image.copy()
    if angle in _QUARTERS and (args.expand or angle == 180):
        return image.transpose(_QUARTERS[int(angle)])
    if args.fill is None:
        image = image.convert("LA" if image.mode in ("L", "LA") else "RGBA")
        corner: tuple[int, ...] = (0,) * len(image.getbands())
    else:
        red, green, blue = read_colour("fill", args.fill)
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        corner = (red, green, blue, 255)[: len(image.getbands())]
    made = image.rotate(angle, Image.Resampling.BICUBIC, expand=args.expand, fillcolor=corner)
    _check_size(made.size)
    return made


def flip(args: FlipArgs, context: ToolContext) -> FlipResult:
    """Mirror left to right or top to bottom."""
    ways = {"horizontal": Image.Transpose.FLIP_LEFT_RIGHT, "vertical": Image.Transpose.FLIP_TOP_BOTTOM}
    made = context.open(args.image_url).transpose(ways[args.direction])
    return FlipResult(original_image_url=args.image_url, flipped_image_url=context.save(made))


def resize(args: ResizeArgs, context: ToolContext) -> ResizeResult:
    """Resample with Lanczos."""
    image = context.open(args.image_url)
    size = new_size(args, image.size)
    _check_size(size)
    made = image.resize(size, Image.Resampling.LANCZOS)
    return ResizeResult(
        original_image_url=args.image_url,
        resized_image_url=context.save(made),
        width=made.width,
        height=made.height,
    )


def new_size(args: ResizeArgs, size: tuple[int, int]) -> tuple[int, int]:
    """The requested width and height in pixels; never below 1.

    Args:
        args: the arguments.
        size: current width and height.
    """
    width, height = size
    if args.width is not None and args.height is not None and not args.keep_aspect:
        return args.width, args.height
    if args.percent is not None:
        factor = args.percent / 100
    elif args.longest_side is not None:
        factor = args.longest_side / max(size)
    else:
        factor = min(
            args.width / width if args.width is not None else float("inf"),
            args.height / height if args.height is not None else float("inf"),
        )
    return max(1, round(width * factor)), max(1, round(height * factor))


def _check_size(size: tuple[int, int]) -> None:
    if max(size) > MAX_SIDE or size[0] * size[1] > MAX_PIXELS:
        raise ToolFailed(
            f"the result would be {size[0]} x {size[1]} pixels; at most {MAX_SIDE} a side and "
            f"{MAX_PIXELS // 1_000_000} megapixels are possible; use a smaller size"
        )
