from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import pytest
from PIL import Image, ImageDraw, ImageFont

DrawPage: TypeAlias = Callable[..., Image.Image]
TEXT = ("Every harbour keeps a ledger of ships", "The gardener waters the roses at noon", "Bring a good map")


@pytest.fixture
def draw_page() -> DrawPage:
    """Draw lines of text with Pillow's embedded font, so no font needs to be installed."""

    def draw(
        lines: Sequence[str] = TEXT,
        *,
        px: int = 28,
        ink: str = "black",
        paper: str = "white",
        size: tuple[int, int] = (700, 240),
        at: tuple[int, int] = (40, 40),
    ) -> Image.Image:
        page = Image.new("RGB", size, paper)
        pen = ImageDraw.Draw(page)
        for number, line in enumerate(lines):
            pen.text((at[0], at[1] + number * px * 1.6), line, font=ImageFont.load_default(px), fill=ink)
        return page

    return draw
