"""Drawn scenes with known contents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from skimage import data

from promptvision.plugin import Box


@dataclass(frozen=True)
class Drawing:
    """An image, and the true mask (0 or 255) and box of the object in it."""

    image: Image.Image
    mask: Image.Image

    @property
    def box(self) -> Box:
        left, top, right, bottom = self.mask.getbbox() or (0, 0, 1, 1)
        return Box(left, top, right, bottom)

    @property
    def rgb(self) -> np.ndarray:
        return np.array(self.image)

    @property
    def inside(self) -> np.ndarray:
        return np.array(self.mask) > 127


def _textured(width: int, height: int, seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).integers(90, 200, (height // 6, width // 6, 1), dtype=np.uint8)
    tone = np.concatenate([noise, (noise * 0.95).astype(np.uint8), (noise * 0.85).astype(np.uint8)], axis=2)
    return Image.fromarray(tone).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def ball() -> Drawing:
    """A shaded red ball, bright at the upper left and dark at the lower right, on a rough wall."""
    image = _textured(600, 450, 1)
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).ellipse((180, 110, 400, 330), fill=255)
    y, x = np.mgrid[:450, :600]
    shade = np.clip(1 - np.hypot(x - 240, y - 170) / 260, 0.15, 1)[..., None]
    glint = np.exp(-(((x - 240) / 14) ** 2 + ((y - 170) / 14) ** 2))[..., None]
    body = (shade * np.array([225, 28, 30]) + 225 * glint).clip(0, 255).astype(np.uint8)
    image.paste(Image.fromarray(body), mask=mask)
    return Drawing(image, mask)


@pytest.fixture
def box() -> Drawing:
    """A flat blue rectangle on a rough wall."""
    image = _textured(480, 360, 2)
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).rectangle((150, 90, 330, 250), fill=255)
    image.paste((40, 70, 190), mask=mask)
    return Drawing(image, mask)


@pytest.fixture
def walker() -> Drawing:
    """A dark standing figure in front of a plain wall."""
    image = Image.new("RGB", (480, 480), (176, 182, 186))
    mask = Image.new("L", image.size)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((221, 90, 259, 136), fill=255)
    draw.polygon([(198, 148), (282, 148), (270, 258), (210, 258)], fill=255)
    for start, end, width in (
        ((202, 158), (194, 250), 20),
        ((278, 158), (286, 250), 20),
        ((226, 250), (220, 402), 30),
        ((254, 250), (260, 402), 30),
        ((240, 130), (240, 150), 16),
    ):
        draw.line([start, end], fill=255, width=width)
    image.paste((40, 42, 54), mask=mask)
    return Drawing(image.filter(ImageFilter.GaussianBlur(1.2)), mask)


@pytest.fixture
def portrait() -> np.ndarray:
    """The portrait of an astronaut from scikit-image, 512 x 512 x 3."""
    return np.asarray(data.astronaut())  # type: ignore[no-untyped-call]  # not annotated there


@pytest.fixture
def cat() -> np.ndarray:
    """The head of a cat from scikit-image, 300 x 451 x 3."""
    return np.asarray(data.chelsea())  # type: ignore[no-untyped-call]  # not annotated there
