"""Paint a masked object in another colour, keeping its shading and highlights.

A lit surface reflects its own colour, brighter or darker with the light, plus the colour of the light itself:
the highlight. The two add up, so one can be replaced alone. Source: the dichromatic model of S. Shafer, Using
color to separate reflection components, 1985. All computation is in linear light, on arrays of H x W x 3 from
0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from promptvision_opencv.arrays import Array

__all__ = ["recolour"]

Floats = NDArray[np.float32]

_BAND = 4
"""Width in pixels of the edge in which a pixel can mix the object and its background."""
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of linear red, green and blue (ITU-R BT.709)."""
_CHROMATIC = 0.35
"""A pixel has a hue if its smallest channel is under 1 - this share of its largest, in linear light."""
_BLACK = 0.005
"""Linear value of the largest channel below which a surface is black."""
_LIT_PERCENTILE = 92.0
"""Percentile of the surface at full light; higher values are noise and rests of the highlight."""


@dataclass(frozen=True)
class _Surface:
    """Measurements of the object: smallest over largest channel of its colour, and its full brightness."""

    ratio: float
    luminance: float
    peak: float


def recolour(rgb: Array, mask: Array, colour: tuple[int, int, int]) -> Array:
    """Paint the masked area in a colour.

    Args:
        rgb: H x W x 3 uint8.
        mask: H x W uint8, 255 where to paint; not empty.
        colour: sRGB, 0 to 255.

    Returns:
        H x W x 3 uint8; pixels outside the mask are those of ``rgb``.
    """
    x, y, width, height = cv2.boundingRect(mask)
    margin = 4 * _BAND
    window = np.s_[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]
    part, inside = rgb[window], mask[window] > 127
    linear = _to_linear(part)
    core = _core(inside)
    own = _spread(linear, core)
    amount = _amount(linear, own, _spread(linear, ~inside), inside, core)
    surface = _measure(linear[core])
    new = _exchange(own, surface, _to_linear(np.array([[colour]], np.uint8))[0, 0])
    painted = _to_srgb(np.clip(linear + amount[..., None] * (new - own), 0, 1))
    result = rgb.copy()
    result[window][inside] = painted[inside]
    return result


def _core(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without its edge; the whole mask when it consists only of edge."""
    size = 2 * _BAND + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    core = cv2.erode(inside.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0
    return np.asarray(core if core.any() else inside, np.bool_)


def _spread(linear: Floats, known: NDArray[np.bool_]) -> Floats:
    """The known pixels, surrounded by the average of known pixels nearby."""
    weight = known.astype(np.float32)
    size = (0, 0)
    near = cv2.GaussianBlur(linear * weight[..., None], size, _BAND)
    total = cv2.GaussianBlur(weight, size, _BAND)[..., None]
    return np.where(known[..., None], linear, near / np.maximum(total, 1e-6)).astype(np.float32)


def _amount(
    linear: Floats, own: Floats, behind: Floats, inside: NDArray[np.bool_], core: NDArray[np.bool_]
) -> Floats:
    """The share of the object in each pixel: 1 in the core, 0 outside, measured in the edge.

    In the edge a colour lies on the line between those of object and background; its position there is the
    share. Where the two colours are similar, the distance from the border is used.
    """
    line = np.sqrt(np.clip(own, 0, 1)) - np.sqrt(np.clip(behind, 0, 1))
    length = (line**2).sum(axis=2)
    place = ((np.sqrt(linear) - np.sqrt(np.clip(behind, 0, 1))) * line).sum(axis=2) / np.maximum(length, 1e-6)
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5) / _BAND
    trust = np.clip(length / 0.02, 0, 1)
    amount = np.clip(trust * place + (1 - trust) * distance, 0, 1)
    return np.where(core, 1, np.where(inside, amount, 0)).astype(np.float32)


def _measure(pixels: Floats) -> _Surface:
    """Find the surface's own colour in N x 3 linear pixels."""
    least, greatest = pixels.min(axis=1), pixels.max(axis=1)
    ratios = least / np.maximum(greatest, 1e-4)
    has_hue = (ratios < 1 - _CHROMATIC) & (greatest > 0.01)
    ratio = float(np.median(ratios[has_hue])) if has_hue.mean() > 0.3 else 1.0
    surface = pixels if ratio == 1.0 else pixels[has_hue]
    own = surface - _highlight(surface, ratio)[..., None]
    luminance = own @ _LUMINANCE
    return _Surface(
        ratio=ratio,
        luminance=max(float(np.percentile(luminance, _LIT_PERCENTILE)), 0.004),
        peak=float(np.percentile(own.max(axis=1), _LIT_PERCENTILE)),
    )


def _highlight(pixels: Floats, ratio: float) -> Floats:
    """The colour of the light in each pixel; removing it restores the ratio of the smallest channel."""
    if ratio == 1.0:
        return np.zeros(pixels.shape[:-1], np.float32)
    extra = (pixels.min(axis=-1) - ratio * pixels.max(axis=-1)) / (1 - ratio)
    return np.asarray(np.maximum(extra, 0), np.float32)


def _exchange(pixels: Floats, surface: _Surface, colour: Floats) -> Floats:
    """Apply the new colour to every pixel under its original light."""
    if surface.peak < _BLACK:  # no light to keep: black times any colour stays black
        return np.asarray(colour + pixels, np.float32)
    highlight = _highlight(pixels, surface.ratio)
    shade = ((pixels - highlight[..., None]) @ _LUMINANCE) / surface.luminance
    over = np.maximum(shade - 1, 0)
    light = highlight + (over * surface.luminance if surface.ratio == 1.0 else over * 0.15)
    # A dark object in full light is either in the shade or painted dark: use a compromise.
    exposure = float(np.clip(np.sqrt(surface.peak / 0.6), 0.5, 1.0))
    return np.asarray(np.minimum(shade, 1.06)[..., None] * exposure * colour + light[..., None], np.float32)


def _to_linear(srgb: Array) -> Floats:
    value = srgb.astype(np.float32) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _to_srgb(linear: Floats) -> Array:
    value = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(value * 255).clip(0, 255), np.uint8)
