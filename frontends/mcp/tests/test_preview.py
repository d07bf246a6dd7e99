"""Previews fit their limits, whatever the image."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from promptvision_mcp.preview import MAX_BYTES, MAX_SIDE, encode_preview


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (768, 768), (1500, 1000)])
def test_preview_fits(mode: str, size: tuple[int, int]) -> None:
    data, media_type = encode_preview(Image.effect_noise(size, 120).convert(mode))
    made = Image.open(io.BytesIO(data))
    assert len(data) <= MAX_BYTES
    assert max(made.size) <= MAX_SIDE
    assert Image.MIME[made.format or ""] == media_type


def test_mask_stays_lossless_and_keeps_its_values() -> None:
    mask = Image.new("L", (700, 700))
    mask.paste(255, (100, 100, 300, 300))
    data, media_type = encode_preview(mask)
    assert media_type == "image/png"
    assert Image.open(io.BytesIO(data)).tobytes() == mask.tobytes()


def test_transparency_is_shown_on_white() -> None:
    data, _ = encode_preview(Image.new("RGBA", (8, 8), (200, 0, 0, 0)))
    assert Image.open(io.BytesIO(data)).getpixel((4, 4)) == (255, 255, 255)
