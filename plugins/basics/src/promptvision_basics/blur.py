"""Blur, pixelate or black out regions, so that their content cannot be recovered."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

from PIL import Image, ImageChops, ImageFilter

from promptvision.plugin import Box, ToolContext, ToolFailed
from promptvision_basics.models import BlurArgs, BlurResult

__all__ = ["blur", "obscure"]

_ROOM = 0.08
"""Margin around a detected box, as a share of its size: detectors cut off hair and the edges of letters."""
_MIN_SHARE = 4
"""At full strength a region becomes this many pixels or blocks across."""
_WEAKEST_SHARE = 24


def blur(args: BlurArgs, context: ToolContext) -> BlurResult:
    """Obscure the whole image, each box, a mask, or everything except a mask."""
    image = context.open(args.image_url)
    if args.mask_url is not None:
        mask = context.open(args.mask_url).convert("L")
        made, count = _by_mask(image, mask, args), 1
    elif args.bounding_boxes:
        made, count = _by_boxes(image, args.bounding_boxes, args), len(args.bounding_boxes)
    else:
        made, count = obscure(image, args.style, args.strength), 0
    if ImageChops.difference(made.convert("RGBA"), image.convert("RGBA")).getbbox(alpha_only=False) is None:
        raise ToolFailed("blurring changed no pixel: the region has one colour only")
    return BlurResult(original_image_url=args.image_url, blurred_image_url=context.save(made), regions=count)


def _by_boxes(image: Image.Image, boxes: Sequence[Box], args: BlurArgs) -> Image.Image:
    made = image.copy()
    for box in boxes:
        across, down = _ROOM * (box.x2 - box.x1), _ROOM * (box.y2 - box.y1)
        left, top = max(0, floor(box.x1 - across)), max(0, floor(box.y1 - down))
        right, bottom = min(image.width, ceil(box.x2 + across)), min(image.height, ceil(box.y2 + down))
        if right > left and bottom > top:
            region = (left, top, right, bottom)
            made.paste(obscure(image.crop(region), args.style, args.strength), region)
    return made


def _by_mask(image: Image.Image, mask: Image.Image, args: BlurArgs) -> Image.Image:
    if mask.size != image.size:
        raise ToolFailed(f"mask_url: the mask is {mask.size}, the image {image.size}; they must be equal")
    if args.keep_target:
        mask = ImageChops.invert(mask)
    region = mask.getbbox()
    if region is None:
        raise ToolFailed("mask_url: the mask selects no pixel")
    part = obscure(image.crop(region), args.style, args.strength)
    made = image.copy()
    made.paste(Image.composite(part, image.crop(region), mask.crop(region)), region)
    return made


def obscure(image: Image.Image, style: str, strength: float) -> Image.Image:
    """An image of the same size and mode without its details.

    Args:
        image: mode L, LA, RGB or RGBA.
        style: ``blur`` (Gaussian), ``pixelate`` (mean of each block) or ``solid`` (black).
        strength: above 0 to 1; relative to the size of the image, so that a large face loses as much as a
            small one.
    """
    if style == "solid":
        black = Image.new(image.mode, image.size)
        if "A" in image.getbands():
            black.putalpha(image.getchannel("A"))
        return black
    side = max(image.size)
    share = _WEAKEST_SHARE + (_MIN_SHARE - _WEAKEST_SHARE) * strength
    if style == "blur":
        radius = side / share
        return image.filter(ImageFilter.GaussianBlur(radius))
    block = max(2, round(side / share))
    small = (max(1, round(image.width / block)), max(1, round(image.height / block)))
    return image.resize(small, Image.Resampling.BOX).resize(image.size, Image.Resampling.NEAREST)
