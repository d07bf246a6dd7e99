"""Cut a part of an image out for a diffusion model, and paste what it painted back.

Masks are mode L here, 0 = keep, 255 = edit. Windows are ``(left, top, right, bottom)`` in pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from promptvision.images.paste import paste_inside
from promptvision.images.windows import Window, choose_window

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["CELL", "MAX_ASPECT", "Crop", "make_crop"]

CELL = 8
"""Side of the square of pixels that one latent of Stable Diffusion stands for."""

MAX_ASPECT = 4
"""The most elongated format that SDXL was trained on (Podell et al. 2023, appendix I); longer windows are
padded."""

_BLUR, _HALF = 3, 127


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A part of the image at the size that the model works on.

    Args:
        window: where it was cut out.
        image: RGB, sides multiples of 8, about as many pixels as the model was trained on.
        content: where the window is in ``image``; the rest is padding.
        cells: mode L, one pixel per 8 x 8 pixels of ``image``: 255 where the model paints. Covers the mask
            and at least one cell around it.
    """

    window: Window
    image: Image
    content: Window
    cells: Image

    @property
    def mask(self) -> Image:
        """``cells`` at the size of ``image``."""
        from PIL.Image import Resampling

        return self.cells.resize(self.image.size, Resampling.NEAREST)

    def paste(self, image: Image, mask: Image, painted: Image) -> Image:
        """Paste what was painted; same size and mode, every pixel outside the mask unchanged.

        Args:
            image: the original; mode L, LA, RGB or RGBA. A grey image stays grey; a transparent one becomes
                opaque where it is painted.
            mask: of the original's size: where pixels may change.
            painted: RGB, of the size of :attr:`image`.
        """
        return paste_inside(image, mask, painted.crop(self.content), self.window)


def make_crop(image: Image, mask: Image, work_pixels: int, part: Image | None = None) -> Crop:
    """Cut out a part of the mask with margin and scale it to about ``work_pixels``.

    Args:
        image: any mode; transparency is ignored.
        mask: of the image's size, not empty.
        work_pixels: how many pixels the crop should have, up to rounding to multiples of 8.
        part: the part of the mask that the window must hold; default: all of it.
    """
    from PIL.Image import Resampling, new

    window = choose_window(mask if part is None else part)
    left, top, right, bottom = window
    size, inner = _work_size(right - left, bottom - top, work_pixels)
    scaled = image.crop(window).convert("RGB").resize(inner, Resampling.LANCZOS)
    cells = new("L", (size[0] // CELL, size[1] // CELL))
    cells.paste(_cells(mask.crop(window), inner))
    return Crop(window=window, image=_extend(scaled, size), content=(0, 0, *inner), cells=cells)


def _work_size(width: int, height: int, work_pixels: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Size that the model works on, and the size of the window in it."""
    wide, high = max(width, height / MAX_ASPECT), max(height, width / MAX_ASPECT)
    scale = math.sqrt(work_pixels / (wide * high))
    return (_multiple(wide * scale), _multiple(high * scale)), (
        _multiple(width * scale),
        _multiple(height * scale),
    )


def _multiple(side: float) -> int:
    return max(CELL, round(side / CELL) * CELL)


def _extend(image: Image, size: tuple[int, int]) -> Image:
    """Pad with the last column and row."""
    from PIL.Image import new

    width, height = image.size
    padded = new(image.mode, size)
    padded.paste(image)
    if size[0] > width:
        edge = image.crop((width - 1, 0, width, height))
        padded.paste(edge.resize((size[0] - width, height)), (width, 0))
    if size[1] > height:
        edge = padded.crop((0, height - 1, size[0], height))
        padded.paste(edge.resize((size[0], size[1] - height)), (0, height))
    return padded


def _cells(mask: Image, size: tuple[int, int]) -> Image:
    """Which latents to paint: all that the mask touches once its outline is smoothed, and their neighbours.

    The mask is blurred with sigma 3 and cut at 127; thin parts that the blur would lose are kept.
    """
    from PIL.Image import Resampling
    from PIL.ImageChops import lighter
    from PIL.ImageFilter import GaussianBlur, MaxFilter

    touched = mask.resize(size, Resampling.BOX).point(lambda value: 255 if value else 0)
    blurred = touched.filter(GaussianBlur(_BLUR)).point(lambda value: 255 if value > _HALF else 0)
    share = lighter(touched, blurred).reduce(CELL)  # one pixel of 64 gives 4
    return share.point(lambda value: 255 if value else 0).filter(MaxFilter(3))
