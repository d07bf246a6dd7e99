"""What the model gets to see of an image, and how its answer goes back in.

Masks are H x W bool arrays here, True = edit. Windows are ``(left, top, right, bottom)`` in pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FEATHER", "LATENT", "WORK_PIXELS", "Crop", "choose_window", "feather", "make_crop", "paste"]

WORK_PIXELS = 1024 * 1024
"""SDXL was trained at about this many pixels (Podell et al. 2023, section 2.2)."""

LATENT = 8
"""Side of the square of pixels that one latent stands for."""

FEATHER = 4
"""How many pixels inside the mask's edge the new image fades in over."""

_MARGIN, _SMALLEST_MARGIN = 0.5, 64
_SMALLEST_WINDOW = 512
_BLUR, _THRESHOLD = 3, 127

Window = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A part of the image at the size that the model works on.

    Args:
        window: where it was cut out.
        image: RGB, sides multiples of 8, about as many pixels as the model was trained on.
        latents: bool, a cell per 8 x 8 pixels of ``image``: True where latents are painted anew. Covers
            the mask and at least one cell around it.
    """

    window: Window
    picture: Image.Image
    latents: NDArray[np.bool_]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """``latents`` at the size of ``image``."""
        return self.latents.repeat(LATENT, axis=0).repeat(LATENT, axis=1)


def make_crop(picture: Image.Image, mask: NDArray[np.bool_], work_pixels: int = WORK_PIXELS) -> Crop:
    """Cut out the mask with margin and scale it to about ``work_pixels``.

    Args:
        image: any mode; transparency is left out.
        mask: of the image's size, not empty.
        work_pixels: how many pixels the crop shall have, give or take the rounding to multiples of 8.
    """
    window = choose_window(mask)
    size = _work_size(window, work_pixels)
    part = picture.crop(window).convert("RGB").resize(size, Image.Resampling.LANCZOS)
    left, top, right, bottom = window
    return Crop(window=window, picture=part, latents=_latent_mask(mask[top:bottom, left:right], size))


def choose_window(mask: NDArray[np.bool_]) -> Window:
    """The mask's bounding box, grown so that the model sees what it must fit in with.

    By half the box's longer side and at least 64 pixels; to at least 512 pixels a side and no longer than
    twice as long as wide; all of it as far as the image reaches.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
    margin = max(_SMALLEST_MARGIN, int(_MARGIN * max(width, height)))
    wide, high = (max(side + 2 * margin, _SMALLEST_WINDOW) for side in (width, height))
    wide, high = max(wide, high // 2), max(high, wide // 2)
    left, right = _span(int(columns[0]), width, wide, mask.shape[1])
    top, bottom = _span(int(rows[0]), height, high, mask.shape[0])
    return left, top, right, bottom


def _span(start: int, length: int, wanted: int, limit: int) -> tuple[int, int]:
    """A stretch of ``wanted`` pixels around another, moved to lie within ``0..limit``."""
    wanted = min(wanted, limit)
    first = min(max(0, start + (length - wanted) // 2), limit - wanted)
    return first, first + wanted


def _work_size(window: Window, work_pixels: int) -> tuple[int, int]:
    width, height = window[2] - window[0], window[3] - window[1]
    scale = math.sqrt(work_pixels / (width * height))
    return _multiple(width * scale), _multiple(height * scale)


def _multiple(side: float) -> int:
    return max(LATENT, round(side / LATENT) * LATENT)


def _latent_mask(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which latents to paint: all that the mask touches once its outline is smoothed, and their neighbours.

    The mask is blurred with sigma 3 and cut at 127; what the blur would lose of thin parts stays.
    """
    scaled = Image.fromarray(mask).convert("L").resize(size, Image.Resampling.BOX)
    touched = np.asarray(scaled) > 0
    blurred = np.asarray(Image.fromarray(touched).convert("L").filter(ImageFilter.GaussianBlur(_BLUR)))
    smooth = np.asarray(touched | (blurred > _THRESHOLD))
    cells = smooth.reshape(size[1] // LATENT, LATENT, size[0] // LATENT, LATENT)
    return _grow(np.asarray(cells.any(axis=(1, 3))))


def _grow(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(Image.fromarray(mask).convert("L").filter(ImageFilter.MaxFilter(3))) > 0


def feather(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How much of the new image to take: 0 outside the mask, rising inside its edge to 1.

    It rises over :data:`FEATHER` pixels, over fewer where the mask is thinner, and not at all where the
    mask ends with the image.
    """
    layer = Image.fromarray(mask).convert("L")
    depth = mask.astype(np.uint8)
    for _ in range(FEATHER):
        layer = layer.filter(ImageFilter.MinFilter(3))
        depth += np.asarray(layer) > 0
    deepest = Image.fromarray(depth).filter(ImageFilter.MaxFilter(2 * FEATHER + 1))
    share: NDArray[np.float32] = (depth / np.maximum(np.asarray(deepest), 1)).astype(np.float32)
    return share


def paste(picture: Image.Image, mask: NDArray[np.bool_], crop: Crop, painted: Image.Image) -> Image.Image:
    """Put what was painted back; same size and mode, every pixel outside the mask as it was.

    Args:
        image: the original; mode L, LA, RGB or RGBA. A grey image stays grey; a transparent one becomes
            opaque where it is painted.
        mask: where pixels may change.
        crop: what :func:`make_crop` cut out of the image.
        painted: RGB, of the crop's size.
    """
    left, top, right, bottom = crop.window
    part = painted.resize((right - left, bottom - top), Image.Resampling.LANCZOS)
    new = np.asarray(part.convert(picture.mode)).astype(np.float32)  # an added alpha is opaque
    pixels = np.array(picture)
    old = pixels[top:bottom, left:right]
    share = feather(mask)[top:bottom, left:right].reshape(*old.shape[:2], *([1] * (old.ndim - 2)))
    mixed = np.rint(share * new + (1 - share) * old).astype(np.uint8)
    pixels[top:bottom, left:right] = np.where(share > 0, mixed, old)
    return Image.fromarray(pixels)
