"""A small version of an image, for the context of a language model."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from promptvision.plugin import flat_rgb

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_BYTES", "MAX_SIDE", "encode_preview"]

MAX_SIDE = 768
"""Longest side in pixels."""
MAX_BYTES = 150_000
"""Maximum size in bytes; at most 200 KB as base64."""

_QUALITIES = (85, 70, 50)


def encode_preview(image: Image) -> tuple[bytes, str]:
    """The bytes and the media type of an image scaled to fit :data:`MAX_SIDE` and :data:`MAX_BYTES`.

    A mask stays PNG, which keeps its edges; transparency is flattened onto white.
    """
    scaled = _scale(image, MAX_SIDE)
    if scaled.mode in ("1", "L"):
        data = _encode(scaled, "PNG")
        if len(data) <= MAX_BYTES:
            return data, "image/png"
    flat = scaled if scaled.mode in ("L", "RGB") else flat_rgb(scaled)
    while True:
        for quality in _QUALITIES:
            data = _encode(flat, "JPEG", quality=quality)
            if len(data) <= MAX_BYTES:
                return data, "image/jpeg"
        flat = _scale(flat, max(flat.size) * 3 // 4)


def _scale(image: Image, side: int) -> Image:
    from PIL import Image as pillow  # noqa: N813

    longest = max(image.size)
    if longest <= side:
        return image
    size = (max(1, image.width * side // longest), max(1, image.height * side // longest))
    return image.resize(size, pillow.Resampling.LANCZOS, reducing_gap=2.0)


def _encode(image: Image, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
