"""Preprocessing steps for Tesseract, each with the condition (gate) under which it runs.

A step accepts a grey image (H x W uint8) or a :class:`Page` and returns it unchanged when its gate does not
apply. Their order, gates and thresholds were measured on rendered text; ``benchmarks/ocr.py`` repeats the
measurement. No step binarises: Tesseract does that better itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "Grey",
    "Matrix",
    "Page",
    "add_border",
    "denoise",
    "deskew",
    "flatten_paper",
    "glyph_height",
    "has_specks",
    "invert_dark",
    "is_dark",
    "noise_sigma",
    "outliers",
    "remove_outliers",
    "rotate",
    "scale_letters",
    "skew_angle",
    "stretch_contrast",
    "to_grey",
]

Grey: TypeAlias = NDArray[np.uint8]
"""H x W, 0 black to 255 white."""
Matrix: TypeAlias = NDArray[np.float64]
"""3 x 3, maps homogeneous pixel coordinates ``(x, y, 1)``; origin top left, pixel 0 spans 0 to 1."""

OUTLIER_STEP = 60
SPECK_SHARE = 0.001
PAPER_STROKE_PX = 60
MIN_CONTRAST = 8
NOISE_SIGMA = 8.0
SMALL_GLYPH_PX, ENLARGED_GLYPH_PX = 20, 30
LARGE_GLYPH_PX, SHRUNK_GLYPH_PX = 100, 40
MAX_SCALE, MAX_PIXELS = 4.0, 25_000_000
MAX_SKEW_DEGREES, MIN_SKEW_DEGREES = 46.0, 0.3
USUAL_SKEW_DEGREES, STEEP_GAIN = 20.0, 1.6
"""Factor by which steeper angles must make the lines of text sharper."""
BORDER_PX = 20


@dataclass(frozen=True)
class Page:
    """A grey image that is prepared for Tesseract.

    Args:
        grey: the pixels.
        to_original: transform from its pixels to those of the original image.
    """

    grey: Grey
    to_original: Matrix


def to_grey(image: Image) -> Grey:
    """Grey values; transparent parts become white or black, whichever contrasts with the drawing."""
    if "A" not in image.getbands():
        return np.asarray(image.convert("L"))
    drawn = np.asarray(image.convert("LA"), np.float32)
    alpha = drawn[..., 1] / 255
    mean_ink = float((drawn[..., 0] * alpha).sum() / max(float(alpha.sum()), 1.0))
    paper = 255 if mean_ink < 128 else 0
    return np.asarray(drawn[..., 0] * alpha + paper * (1 - alpha) + 0.5, np.uint8)


def is_dark(grey: Grey) -> bool:
    """Whether the ink is lighter than its surroundings: light ink on dark paper."""
    small = _shrink(grey, 800).astype(np.int16)
    surroundings = cv2.medianBlur(small.astype(np.uint8), 51).astype(np.int16)
    return float(np.mean((small - surroundings).astype(np.float64) ** 3)) > 0


def invert_dark(grey: Grey) -> Grey:
    """Invert light ink on dark paper. Gate: :func:`is_dark`."""
    return cv2.bitwise_not(grey).astype(np.uint8) if is_dark(grey) else grey


def outliers(grey: Grey) -> NDArray[np.bool_]:
    """Isolated pixels: far from the median around them, with at most one similar neighbour of eight."""
    far = cv2.absdiff(grey, cv2.medianBlur(grey, 5)) > OUTLIER_STEP
    padded = cv2.copyMakeBorder(grey, 1, 1, 1, 1, cv2.BORDER_REFLECT_101)
    height, width = grey.shape
    alike = np.zeros(grey.shape, np.uint8)
    for dy, dx in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)):
        alike += cv2.absdiff(grey, padded[dy : dy + height, dx : dx + width]) < OUTLIER_STEP // 2
    return np.asarray(far & (alike <= 1))


def has_specks(grey: Grey) -> bool:
    """Whether at least 0.1 % of all pixels are specks: isolated in a flat neighbourhood, as on blank paper.

    Small letters also have isolated pixels (thin strokes, serifs), but hardly any on blank paper.
    """
    ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)
    flat = cv2.subtract(cv2.dilate(grey, ring), cv2.erode(grey, ring)) < OUTLIER_STEP // 2
    return float(np.mean(outliers(grey) & flat)) >= SPECK_SHARE


def remove_outliers(grey: Grey) -> Grey:
    """Replace isolated pixels by the median around them. Gate: :func:`has_specks`.

    A median over the whole image would erase small letters, so all other pixels stay unchanged.
    """
    return np.where(outliers(grey), cv2.medianBlur(grey, 3), grey) if has_specks(grey) else grey


def flatten_paper(grey: Grey) -> Grey:
    """Divide by the brightness of the paper, to remove shadows and make the paper white.

    The paper is estimated on a quarter-size copy: a grey closing removes strokes of up to 60 px, then a blur.
    """
    height, width = grey.shape
    small = cv2.resize(grey, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    size = PAPER_STROKE_PX // 4
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    paper = cv2.resize(cv2.GaussianBlur(closed, (0, 0), size / 2), (width, height))
    return np.asarray(cv2.divide(grey, np.maximum(paper, 1), scale=255), np.uint8)


def stretch_contrast(grey: Grey) -> Grey:
    """Spread the values between ink (the darkest 0.5 %) and paper over the whole range.

    Gate: they are at least 8 grey values apart; less is noise on blank paper.
    """
    ink, paper = float(np.percentile(grey, 0.5)), paper_colour(grey)
    if paper - ink < MIN_CONTRAST:
        return grey
    spread = (grey.astype(np.float32) - ink) * (255 / (paper - ink))
    return np.asarray(np.clip(spread, 0, 255), np.uint8)


def noise_sigma(grey: Grey) -> float:
    """Standard deviation of the noise in grey values.

    Source: J. Immerkaer, "Fast noise variance estimation", 1996 (the mask); the median instead of the mean
    excludes the edges of letters.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = np.abs(cv2.filter2D(grey, cv2.CV_32F, mask))
    return float(np.median(response)) / (6 * 0.6745)


def denoise(grey: Grey) -> Grey:
    """Non-local means. Gate: :func:`noise_sigma` over 8; it is the slowest step."""
    sigma = noise_sigma(grey)
    if sigma <= NOISE_SIGMA:
        return grey
    return cv2.fastNlMeansDenoising(grey, None, h=sigma, templateWindowSize=7, searchWindowSize=21).astype(
        np.uint8
    )


def paper_colour(grey: Grey) -> int:
    """The median, which is the most common value on a page."""
    return int(np.median(grey))


def glyph_height(grey: Grey) -> float | None:
    """Typical height of a capital letter in pixels; None if nothing resembles letters."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(_ink(grey), connectivity=8)
    width, height, area = (stats[1:, column] for column in (2, 3, 4))
    long, short = np.maximum(width, height), np.minimum(width, height)
    letters = long[(long >= 5) & (area >= 10) & (long <= 4 * short) & (long < min(grey.shape) / 2)]
    return float(np.percentile(letters, 70)) if len(letters) >= 3 else None


def scale_letters(page: Page) -> Page:
    """Scale letters to a height that Tesseract reads well.

    Gates: under 20 px they are enlarged to about 30 px; over 100 px, where page segmentation starts to treat
        them as drawings, they are reduced to about 40 px.
    """
    glyph = glyph_height(page.grey)
    if glyph is None or SMALL_GLYPH_PX <= glyph <= LARGE_GLYPH_PX:
        return page
    if glyph > LARGE_GLYPH_PX:
        return _scale(page, SHRUNK_GLYPH_PX / glyph, cv2.INTER_AREA)
    scale = min(ENLARGED_GLYPH_PX / glyph, MAX_SCALE, (MAX_PIXELS / page.grey.size) ** 0.5)
    return _scale(page, scale, cv2.INTER_CUBIC) if scale > 1 else page


def _scale(page: Page, factor: float, interpolation: int) -> Page:
    height, width = page.grey.shape
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    grey = cv2.resize(page.grey, size, interpolation=interpolation).astype(np.uint8)
    back = np.diag([width / size[0], height / size[1], 1.0])
    return Page(grey, page.to_original @ back)


def rotate(page: Page, degrees: float) -> Page:
    """Rotate clockwise by any angle on a larger canvas, with corners in the paper colour."""
    height, width = page.grey.shape
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    size = (round(abs(width * cos) + abs(height * sin)), round(abs(width * sin) + abs(height * cos)))
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    forth = _shift(size[0] / 2, size[1] / 2) @ turn @ _shift(-width / 2, -height / 2)
    centres = _shift(-0.5, -0.5) @ forth @ _shift(0.5, 0.5)  # OpenCV counts from the centres of pixels
    grey = cv2.warpAffine(
        page.grey, centres[:2], size, flags=cv2.INTER_CUBIC, borderValue=paper_colour(page.grey)
    )
    return Page(grey.astype(np.uint8), page.to_original @ np.linalg.inv(forth))


def skew_angle(grey: Grey) -> float:
    """The clockwise rotation, between -46 and 46 degrees, that makes lines of text horizontal.

    Source: the projection profile of W. Postl (1986): the sums of the rows differ most for horizontal lines.
    """
    ys, xs = np.nonzero(_ink(_shrink(grey, 1000)))
    if len(ys) < 50:
        return 0.0
    coarse = _sharpest(xs, ys, np.arange(-USUAL_SKEW_DEGREES, USUAL_SKEW_DEGREES + 0.5, 1.0))
    angles = np.arange(-MAX_SKEW_DEGREES, MAX_SKEW_DEGREES + 0.5, 1.0)
    steep = float(max(angles, key=lambda angle: _smooth_sharpness(xs, ys, float(angle))))
    if _smooth_sharpness(xs, ys, steep) > STEEP_GAIN * _smooth_sharpness(xs, ys, coarse):
        coarse = steep
    fine = _sharpest(xs, ys, coarse + np.arange(-0.9, 0.95, 0.1))
    return float(np.clip(fine, -MAX_SKEW_DEGREES, MAX_SKEW_DEGREES))


def _sharpest(xs: NDArray[np.intp], ys: NDArray[np.intp], angles: NDArray[np.float64]) -> float:
    return float(max(angles, key=lambda angle: _sharpness(xs, ys, float(angle))))


def _sharpness(xs: NDArray[np.intp], ys: NDArray[np.intp], degrees: float) -> float:
    rows = xs * np.sin(np.radians(degrees)) + ys * np.cos(np.radians(degrees))
    profile = np.bincount((rows - rows.min()).astype(np.intp)).astype(np.float64)
    return float(np.square(np.diff(profile)).sum())


def _smooth_sharpness(xs: NDArray[np.intp], ys: NDArray[np.intp], degrees: float) -> float:
    """As :func:`_sharpness`, with each pixel spread over two rows: near 45 degrees rows would stay empty."""
    rows = xs * np.sin(np.radians(degrees)) + ys * np.cos(np.radians(degrees))
    rows = rows - rows.min()
    whole = rows.astype(np.intp)
    length = int(whole.max()) + 2
    below = np.bincount(whole, 1 - (rows - whole), length)
    profile = below + np.bincount(whole + 1, rows - whole, length)
    return float(np.square(np.diff(profile)).sum())


def deskew(page: Page) -> Page:
    """Rotate lines of text to horizontal. Gate: :func:`skew_angle` finds at least 0.3 degrees."""
    angle = skew_angle(page.grey)
    return rotate(page, angle) if abs(angle) >= MIN_SKEW_DEGREES else page


def add_border(page: Page) -> Page:
    """Add 20 px of the paper colour: white around grey paper would shift Tesseract's threshold."""
    wide = np.pad(page.grey, BORDER_PX, constant_values=paper_colour(page.grey))
    return Page(wide, page.to_original @ _shift(-BORDER_PX, -BORDER_PX))


def _ink(grey: Grey) -> Grey:
    _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    return mask.astype(np.uint8)


def _shrink(grey: Grey, longest_px: int) -> Grey:
    scale = longest_px / max(grey.shape)
    if scale >= 1:
        return grey
    size = [max(1, round(side * scale)) for side in grey.shape[::-1]]
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _shift(x: float, y: float) -> Matrix:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)
