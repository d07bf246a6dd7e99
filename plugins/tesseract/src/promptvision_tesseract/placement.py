"""Map boxes of words from the prepared page to the original image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from promptvision_tesseract.engine import Token
from promptvision_tesseract.preprocess import Matrix
from promptvision_tesseract.text import clean

__all__ = ["place"]


def place(token: Token, to_original: Matrix, width: int, height: int) -> Token | None:
    """Map a word to an image of this size and clean its text; None when nothing remains.

    The box is the bounding box of the corners, clipped to the image, in tenths of a pixel.
    """
    x1, y1, x2, y2 = token.box
    corners = to_original @ np.array([[x1, x2, x2, x1], [y1, y1, y2, y2], [1, 1, 1, 1]], np.float64)
    left, right = (round(float(np.clip(side, 0, width)), 1) for side in (corners[0].min(), corners[0].max()))
    top, bottom = (round(float(np.clip(side, 0, height)), 1) for side in (corners[1].min(), corners[1].max()))
    text = clean(token.text).strip()
    if not text or left >= right or top >= bottom:
        return None
    return replace(token, text=text, box=(left, top, right, bottom))
