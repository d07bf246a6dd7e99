"""Decide which pixels an edit mask selects, for hand-drawn, generated and API-style masks.

Every tool reads masks with :func:`read_mask`. The rules are listed, with an example of each kind, in
``docs/masks.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from promptvision.errors import ArgumentsError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["EditMask", "read_mask"]

_MAX_LEVELS = 32
"""A channel with more levels than this has soft edges or lossy compression; class images have fewer."""
_MAX_PAINTS = 12
"""Opaque parts with more colours, counted at 4 bits per channel, are a photograph and not brush strokes."""
_ALPHA_RANGE = 16
"""Minimum difference between the most and the least opaque pixel for alpha to count as a mask."""
_ASPECT_TOLERANCE = 0.02
_MOST = 0.9
"""A mask that selects more than this share of the image gets a note, since it may be inverted."""


@dataclass(frozen=True, kw_only=True)
class EditMask:
    """The pixels that an edit may change.

    Args:
        image: mode L, the size of the image to edit; 0 = keep, 255 = edit. At least one pixel is 255.
        notes: one sentence for each choice that was made, for the tool's message.
    """

    image: Image
    notes: tuple[str, ...] = ()


def read_mask(mask: Image, size: tuple[int, int], *, name: str = "mask_url") -> EditMask:
    """Decide which pixels a mask selects.

    A varying alpha channel takes precedence. The opaque part is selected if it looks like brush strokes: a
    single strong colour, or less than half of the image. The transparent part is selected if the opaque part
    is a photograph or covers more than half of the image, as in the OpenAI image API. Without alpha every
    pixel that is not black is selected. Soft edges are selected from half of their strength.

    Args:
        mask: any mode; of the image's size, or of its aspect ratio.
        size: width and height of the image in pixels.
        name: the argument that holds the mask, for messages.

    Raises:
        ArgumentsError: the mask selects nothing, or has another aspect ratio than the image.
    """
    _check_aspect(mask.size, size, name)
    notes: list[str] = []
    selected = _select(_as_rgba(mask), notes)
    if mask.size != size:
        from PIL.Image import Resampling

        selected = selected.resize(size, Resampling.NEAREST)
        notes.append(
            f"The mask was resized from {mask.width} x {mask.height} to {size[0]} x {size[1]} pixels."
        )
    share = selected.histogram()[255] / (size[0] * size[1])
    if not share:
        raise ArgumentsError(
            f"{name}: the mask is empty, so there is nothing to change; segment the object first, or send a "
            "mask that is white where the image should change and black elsewhere"
        )
    if share > _MOST:
        notes.append(f"The mask selects {share:.0%} of the image; if that is wrong, invert it.")
    return EditMask(image=selected, notes=tuple(notes))


def _check_aspect(mask: tuple[int, int], image: tuple[int, int], name: str) -> None:
    scaled, wanted = mask[0] * image[1], mask[1] * image[0]
    if mask != image and abs(scaled - wanted) > _ASPECT_TOLERANCE * wanted:
        turned = " (width and height may be swapped)" if mask[0] * image[0] == mask[1] * image[1] else ""
        raise ArgumentsError(
            f"{name}: the mask has {mask[0]} x {mask[1]} pixels and the image {image[0]} x {image[1]}"
            f"{turned}; give a mask of the size or the aspect ratio of this image"
        )


def _as_rgba(mask: Image) -> Image:
    """The mask as RGBA; samples of more than 8 bits are scaled."""
    if mask.mode in ("I", "F") or mask.mode.startswith("I;16"):
        low, high = (float(value) for value in mask.getextrema())  # type: ignore[arg-type]
        factor = 255 / ((high if low >= 0 else high - low) or 1)
        wide = mask if mask.mode in ("I", "F") else mask.convert("I")
        mask = wide.point(lambda value: value * factor + -min(low, 0) * factor).convert("L")
    return mask.convert("RGBA")


def _select(mask: Image, notes: list[str]) -> Image:
    alpha = mask.getchannel("A")
    low, high = _extremes(alpha)
    if high - low < _ALPHA_RANGE:
        return _by_colour(mask.convert("RGB"), notes)
    opaque = alpha.point(lambda value: 255 if value - low > (high - low) / 2 else 0)
    if _is_mask_within(mask, opaque):
        notes.append("The opaque part of the mask that is not black was taken as the area to edit.")
        return _both(_by_colour(mask.convert("RGB"), []), opaque)
    if _are_strokes(mask, opaque):
        notes.append("The opaque part of the mask was taken as the area to edit.")
        return _strong(alpha.point(lambda value: value - low))
    notes.append("The transparent part of the mask was taken as the area to edit.")
    return _strong(alpha.point(lambda value: max(high - value, 0)))


def _by_colour(rgb: Image, notes: list[str]) -> Image:
    """Every pixel that is not black; without any black, every pixel that is not of the background colour."""
    value = _greatest(rgb)
    background = _background(rgb) if _extremes(value)[0] > 0 else None
    if background is None:
        grey = _extremes(_spread(rgb))[1] <= _ALPHA_RANGE
        return _strong(value, 0.5 if grey else 0.25)
    from PIL.Image import new
    from PIL.ImageChops import difference

    notes.append(
        "The mask has no black pixel; everything that differs from its background colour was taken as the "
        "area to edit."
    )
    return _strong(_greatest(difference(rgb, new("RGB", rgb.size, background))), 0.25)


def _background(rgb: Image) -> tuple[int, int, int] | None:
    """The flat colour of the corners and most of an image that also has other colours."""
    width, height = rgb.size
    corners = {rgb.getpixel((x, y)) for x in (0, width - 1) for y in (0, height - 1)}
    colours = rgb.getcolors(rgb.width * rgb.height) if len(corners) == 1 else None
    if not colours or len(colours) < 2:
        return None
    count, colour = max(colours)
    if colour not in corners or count * 2 < width * height or not isinstance(colour, tuple):
        return None
    if max(colour) < 128:  # a class image whose background class is not 0
        return None
    return colour[0], colour[1], colour[2]


def _is_mask_within(mask: Image, opaque: Image) -> bool:
    """Whether the opaque part is itself a mask: few colours, with black among the main ones."""
    paints = _paints(mask, opaque)
    area = opaque.histogram()[255]
    black = sum(count for count, colour in paints if max(colour) < 16)
    return 2 <= len(paints) <= _MAX_PAINTS and 0.1 * area <= black < 0.98 * area


def _are_strokes(mask: Image, opaque: Image) -> bool:
    paints = _paints(mask, opaque)
    if len(paints) > _MAX_PAINTS:
        return False
    if len(paints) == 1 and max(paints[0][1]) - min(paints[0][1]) >= 64:  # a single strong colour
        return True
    return opaque.histogram()[255] * 2 <= mask.width * mask.height


def _paints(mask: Image, opaque: Image) -> list[tuple[int, tuple[int, int, int]]]:
    """Colours of the opaque part at 4 bits per channel, most frequent first, without rare ones."""
    area = opaque.histogram()[255]
    rough = mask.convert("RGB").point(lambda value: value & 0xF0)
    rough.putalpha(opaque)
    counted: list[tuple[int, tuple[int, ...]]] = rough.getcolors(2**13) or []  # type: ignore[assignment]
    if not counted and area:  # more colours than could be counted
        return [(1, (0, 0, 0))] * (_MAX_PAINTS + 1)
    shown = [(count, (c[0], c[1], c[2])) for count, c in counted if c[3] and count * 500 >= area]
    if len(shown) <= 1 and len(counted) > 1000:  # so many that each of them is rare
        return [(1, (0, 0, 0))] * (_MAX_PAINTS + 1)
    return sorted(shown, reverse=True)


def _strong(channel: Image, share: float = 0.5) -> Image:
    """Pixels where a channel is set: above zero if it has few levels, else above a share of its maximum."""
    levels = sum(1 for count in channel.histogram() if count)
    highest = _extremes(channel)[1]
    if levels > _MAX_LEVELS:
        return _above(channel, share * highest)
    faint = max(1, highest // 16)
    return _above(channel, 0 if _is_solid(channel, faint) else faint)


def _is_solid(channel: Image, faint: int) -> bool:
    """Whether pixels from 1 to ``faint`` form areas, as classes do, rather than the noise of a JPEG."""
    from PIL.ImageFilter import MinFilter

    areas = channel.point(lambda value: 255 if 0 < value <= faint else 0)
    return areas.filter(MinFilter(3)).histogram()[255] * 2 >= areas.histogram()[255]


def _above(channel: Image, least: float) -> Image:
    return channel.point(lambda value: 255 if value > least else 0)


def _extremes(channel: Image) -> tuple[int, int]:
    low, high = cast("tuple[int, int]", channel.getextrema())
    return low, high


def _greatest(rgb: Image) -> Image:
    from PIL.ImageChops import lighter

    red, green, blue = rgb.split()
    return lighter(lighter(red, green), blue)


def _spread(rgb: Image) -> Image:
    """The chroma of each pixel: its largest minus its smallest channel."""
    from PIL.ImageChops import darker, subtract

    red, green, blue = rgb.split()
    return subtract(_greatest(rgb), darker(darker(red, green), blue))


def _both(first: Image, second: Image) -> Image:
    from PIL.ImageChops import darker

    return darker(first, second)
