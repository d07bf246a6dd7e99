"""Brightness, contrast, saturation, sharpness, gamma, sepia and negative."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PIL import Image, ImageEnhance, ImageOps

from promptvision.plugin import ToolContext
from promptvision_basics.models import AdjustArgs, AdjustResult

__all__ = ["adjust", "to_sepia"]

_SEPIA = (0.393, 0.769, 0.189, 0, 0.349, 0.686, 0.168, 0, 0.272, 0.534, 0.131, 0)
"""Rows of red, green and blue. Source: the ``sepia()`` matrix of W3C Filter Effects Module Level 1."""

Change = Callable[[Image.Image], Image.Image]


def adjust(args: AdjustArgs, context: ToolContext) -> AdjustResult:
    """Apply the requested adjustments in the order of the arguments; transparency is kept."""
    image = context.open(args.image_url)
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    made = image.convert("L" if image.mode in ("L", "LA") else "RGB")
    for change in _changes(args):
        context.check_cancelled()
        made = change(made)
    if alpha is not None:
        made.putalpha(alpha)
    return AdjustResult(original_image_url=args.image_url, adjusted_image_url=context.save(made))


def _changes(args: AdjustArgs) -> Iterator[Change]:
    if args.brightness != 1:
        yield lambda image: ImageEnhance.Brightness(image).enhance(args.brightness)
    if args.contrast != 1:
        yield lambda image: ImageEnhance.Contrast(image).enhance(args.contrast)
    if args.saturation != 1:
        yield lambda image: ImageEnhance.Color(image).enhance(args.saturation)
    if args.sharpness != 1:
        yield lambda image: ImageEnhance.Sharpness(image).enhance(args.sharpness)
    if args.gamma != 1:
        table = [round(255 * (value / 255) ** (1 / args.gamma)) for value in range(256)]
        yield lambda image: image.point(table * len(image.getbands()))
    if args.sepia:
        yield to_sepia
    if args.invert:
        yield ImageOps.invert


def to_sepia(image: Image.Image) -> Image.Image:
    """An RGB image in sepia tones.

    Args:
        image: mode L or RGB.
    """
    return image.convert("RGB").convert("RGB", _SEPIA)
