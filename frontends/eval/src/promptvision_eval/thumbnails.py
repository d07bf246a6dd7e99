"""Small copies of images for the report."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from promptvision.plugin import InputError, flat_rgb, normalise

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["SIDE_PX", "data_uri", "open_image", "open_thumbnail", "shrink"]

SIDE_PX = 480
"""Longest side."""


def open_image(path: Path) -> Image:
    """The image of a file as tools get it: upright, 8 bits a channel, in sRGB.

    Raises:
        InputError: it cannot be used.
    """
    try:
        return normalise(path.read_bytes()).image
    except OSError as exc:
        raise InputError(f"eval: {path}: {exc.strerror}", hint="check the data set") from exc


def open_thumbnail(path: Path | None) -> tuple[Image, float]:
    """A small RGB copy of an image file, and its size over that of the file; grey where there is none."""
    from PIL import Image

    if path is None or not path.is_file():
        return Image.new("RGB", (64, 64), "grey"), 1.0
    image = open_image(path)
    small = shrink(flat_rgb(image))
    return small, small.width / image.width


def shrink(image: Image) -> Image:
    """A copy of at most :data:`SIDE_PX` a side."""
    small = image.copy()
    small.thumbnail((SIDE_PX, SIDE_PX))
    return small


def data_uri(image: Image) -> str:
    """The image as WebP in a data URI."""
    buffer = BytesIO()
    shrink(flat_rgb(image)).save(buffer, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
