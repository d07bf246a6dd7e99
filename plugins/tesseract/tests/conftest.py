from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from promptvision_tesseract.preprocess import Grey

TEXT = (
    "Every harbour keeps a ledger of ships",
    "The gardener waters the roses at noon",
    "Please return the blue folder on Friday",
    "A lantern hung above the narrow door",
    "Seven bottles stood on the wooden shelf",
    "Bring warm clothes and a good map",
)

DrawPage: TypeAlias = Callable[..., Grey]


@pytest.fixture
def text() -> str:
    """The default text of :func:`draw_page`."""
    return "\n".join(TEXT)


@pytest.fixture
def draw_page() -> DrawPage:
    """Draw lines of text with Pillow's embedded font, so no font needs to be installed."""

    def draw(
        lines: Sequence[str] = TEXT,
        *,
        px: int = 28,
        ink: int = 20,
        paper: int = 250,
        size: tuple[int, int] = (700, 360),
    ) -> Grey:
        page = Image.new("L", size, paper)
        pen = ImageDraw.Draw(page)
        for number, line in enumerate(lines):
            pen.text((40, 40 + number * px * 1.6), line, font=ImageFont.load_default(px), fill=ink)
        return np.asarray(page)

    return draw


@pytest.fixture
def add_specks() -> Callable[[Grey], Grey]:
    """Set 3 % of the pixels to black or white."""

    def add_specks(page: Grey) -> Grey:
        chance = np.random.default_rng(5).random(page.shape)
        return np.where(chance < 0.015, 0, np.where(chance < 0.03, 255, page)).astype(np.uint8)

    return add_specks


@pytest.fixture
def shade() -> Callable[[Grey], Grey]:
    """Darken a page from full brightness on the left to a seventh of it on the right."""

    def shade(page: Grey) -> Grey:
        return (page * np.linspace(1, 0.14, page.shape[1])).astype(np.uint8)

    return shade


@pytest.fixture
def make_noisy() -> Callable[[Grey, float], Grey]:
    """Add Gaussian noise of a given standard deviation."""

    def make_noisy(page: Grey, sigma: float) -> Grey:
        noise = np.random.default_rng(7).normal(0, sigma, page.shape)
        return np.clip(page + noise, 0, 255).astype(np.uint8)

    return make_noisy
