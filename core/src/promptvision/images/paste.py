"""Put what a model painted back into the image, so that no pixel outside the mask changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

    from promptvision.images.windows import Window

__all__ = ["feather", "paste_inside"]

_HALF = 128


def feather(mask: Image) -> Image:
    """How much of the new image to take: 0 outside the mask, half on its outermost pixels, 255 inside.

    Where the mask is so thin that it has no inside, and where it ends with the image, all of it is 255. Masks
    of segmenters are about a pixel wider than the thing, so a longer fade would leave its outline visible.

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
    """The image with what was painted inside the mask; same size and mode, the rest bit-identical.

    Args:
        image: the original; mode L, LA, RGB or RGBA. A transparent one becomes opaque where it is painted,
            unless what was painted has an alpha channel of its own.
        mask: of the image's size, mode L, 0 = keep, 255 = edit.
        painted: any mode; scaled to the window.
        window: where it belongs; default: the whole image.
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
