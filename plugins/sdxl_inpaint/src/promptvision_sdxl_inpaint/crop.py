"""Cut a part of an image out for the model, and paste what it painted back.

Masks are H x W bool arrays here, True = edit. Windows are ``(left, top, right, bottom)`` in pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from promptvision.plugin import Window, choose_window, paste_inside

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LATENT", "MAX_ASPECT", "WORK_PIXELS", "Crop", "make_crop", "paste"]

WORK_PIXELS = 1024 * 1024
"""SDXL was trained at about this many pixels (Podell et al. 2023, section 2.2)."""

LATENT = 8
"""Side of the square of pixels that one latent stands for."""

MAX_ASPECT = 4
"""The most elongated format that SDXL was trained on (Podell et al. 2023, appendix I); longer windows are
padded."""

_BLUR, _THRESHOLD = 3, 127


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A part of the image at the size that the model works on.

    Args:
        window: where it was cut out.
        image: RGB, sides multiples of 8, about as many pixels as the model was trained on.
        content: where the window is in ``image``; the rest is padding.
        latents: bool, one cell per 8 x 8 pixels of ``image``: True where latents are painted. Covers the mask
            and at least one cell around it.
    """

    window: Window
    image: Image.Image
    content: Window
    latents: NDArray[np.bool_]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """``latents`` at the size of ``image``."""
        return self.latents.repeat(LATENT, axis=0).repeat(LATENT, axis=1)


def make_crop(
    image: Image.Image,
    mask: NDArray[np.bool_],
    work_pixels: int = WORK_PIXELS,
    part: NDArray[np.bool_] | None = None,
) -> Crop:
    """Cut out a part of the mask with margin and scale it to about ``work_pixels``.

    Args:
        image: any mode; transparency is ignored.
        mask: of the image's size, not empty.
        work_pixels: how many pixels the crop should have, up to rounding to multiples of 8.
        part: the part of the mask that the window must hold; default: all of it.
    """
    window = choose_window(Image.fromarray(mask if part is None else part).convert("L"))
    left, top, right, bottom = window
    size, inner = _work_size(right - left, bottom - top, work_pixels)
    pixels = np.asarray(image.crop(window).convert("RGB").resize(inner, Image.Resampling.LANCZOS))
    padding = ((0, size[1] - inner[1]), (0, size[0] - inner[0]))
    latents = _latent_mask(mask[top:bottom, left:right], inner)
    return Crop(
        window=window,
        image=Image.fromarray(np.pad(pixels, (*padding, (0, 0)), mode="edge")),
        content=(0, 0, *inner),
        latents=np.pad(latents, [(0, pixels_after // LATENT) for _, pixels_after in padding]),
    )


def _work_size(width: int, height: int, work_pixels: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Size that the model works on, and the size of the window in it."""
    wide, high = max(width, height / MAX_ASPECT), max(height, width / MAX_ASPECT)
    scale = math.sqrt(work_pixels / (wide * high))
    return (_multiple(wide * scale), _multiple(high * scale)), (
        _multiple(width * scale),
        _multiple(height * scale),
    )


def _multiple(side: float) -> int:
    return max(LATENT, round(side / LATENT) * LATENT)


def _latent_mask(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which latents to paint: all that the mask touches once its outline is smoothed, and their neighbours.

    The mask is blurred with sigma 3 and cut at 127; thin parts that the blur would lose are kept.
    """
    scaled = Image.fromarray(mask).convert("L").resize(size, Image.Resampling.BOX)
    touched = np.asarray(scaled) > 0
    blurred = np.asarray(Image.fromarray(touched).convert("L").filter(ImageFilter.GaussianBlur(_BLUR)))
    smooth = np.asarray(touched | (blurred > _THRESHOLD))
    cells = smooth.reshape(size[1] // LATENT, LATENT, size[0] // LATENT, LATENT)
    return _grow(np.asarray(cells.any(axis=(1, 3))))


def _grow(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(Image.fromarray(mask).convert("L").filter(ImageFilter.MaxFilter(3))) > 0


def paste(image: Image.Image, mask: NDArray[np.bool_], crop: Crop, painted: Image.Image) -> Image.Image:
    """Paste what was painted; same size and mode, every pixel outside the mask unchanged.

    Args:
        image: the original; mode L, LA, RGB or RGBA. A grey image stays grey; a transparent one becomes
            opaque where it is painted.
        mask: where pixels may change.
        crop: what :func:`make_crop` cut out of the image.
        painted: RGB, of the crop's size.
    """
    part = painted.crop(crop.content)
    return paste_inside(image, Image.fromarray(mask).convert("L"), part, crop.window)
