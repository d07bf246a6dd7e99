"""Paste a model's result into the image, without changing pixels outside the mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

    from promptvision.images.windows import Window

__all__ = ["feather", "paste_inside"]

_HALF = 128


def feather(mask: Image) -> Image:
    """The blend weight of the new image: 0 outside the mask, half on its outermost pixels, 255 inside.

    Parts without an inside, and parts at the image border, are 255. Masks of segmenters are about a pixel
    wider than the object, so a longer fade would leave its outline visible.

    Args:
        mask: mode L, 0 = keep, 255 = edit.
    """
    from PIL.ImageChops import darker, lighter
    from PIL.ImageFilter import MaxFilter

    inside = mask
    for offset in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        neighbour = mask.copy()  # beyond the edge of the image a pixel is its own neighbour
        neighbour.paste(mask, offset)
        inside = darker(inside, neighbour)
    rim = mask.point(lambda value: _HALF if value else 0)
    thin = inside.filter(MaxFilter(3)).point(lambda value: 0 if value else 255)
    return lighter(lighter(inside, rim), darker(mask, thin))


def paste_inside(image: Image, mask: Image, painted: Image, window: Window | None = None) -> Image:
    """The image with the painted part inside the mask; same size and mode, the rest bit-identical.

    Args:
        image: the original; mode L, LA, RGB or RGBA. A transparent image becomes opaque where it is painted,
            unless ``painted`` has an alpha channel.
        mask: of the image's size, mode L, 0 = keep, 255 = edit.
        painted: any mode; scaled to the window.
        window: its position in the image; default: the whole image.
    """
    from PIL.Image import Resampling, composite

    left, top, right, bottom = window or (0, 0, *image.size)
    new = painted
    if new.size != (right - left, bottom - top):
        new = new.resize((right - left, bottom - top), Resampling.LANCZOS)
    if new.mode != image.mode:
        new = new.convert(image.mode)  # an added alpha is opaque
    box = (left, top, right, bottom)
    result = image.copy()
    result.paste(composite(new, image.crop(box), feather(mask).crop(box)), (left, top))
    return result
