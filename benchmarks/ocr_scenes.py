"""Rendered scenes with lettering: perspective, curves, neon, low light and busy backgrounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from ocr_cases import Case, load_font
from PIL import Image, ImageDraw, ImageFilter

__all__ = ["scenes"]

Rgb: TypeAlias = NDArray[np.uint8]
SIZE = (720, 480)
SIGNS = (
    ("OPEN", "Bakery"),
    ("HOTEL", "Reception"),
    ("Platform 9", "to Lisbon"),
    ("NO ENTRY", "Staff only"),
    ("Fresh fish", "Market hall"),
    ("CAFE LUNA", "since 1987"),
    ("Library", "Second floor"),
    ("SPEED 30", "School zone"),
)
FACES = ("DejaVuSans-Bold.ttf", "LiberationSerif-Bold.ttf", "LiberationSans-Bold.ttf", "DejaVuSerif.ttf")


def scenes() -> Iterator[Case]:
    """Eight scenes of each kind, the same in every run."""
    for kind, draw in KINDS.items():
        for number, sign in enumerate(SIGNS):
            rng = np.random.default_rng((len(kind), number))
            yield Case(kind, Image.fromarray(draw(sign, FACES[number % len(FACES)], rng)), " ".join(sign))


def _backdrop(rng: np.random.Generator, contrast: float = 60) -> Rgb:
    """Smooth clouds of colour at several scales, as of foliage or masonry."""
    scene = np.full((SIZE[1], SIZE[0], 3), rng.integers(70, 150, 3), np.float64)
    for cells in (6, 24, 96):
        noise = rng.normal(0, contrast / 2, (cells, cells, 3))
        scene += cv2.resize(noise, SIZE, interpolation=cv2.INTER_CUBIC)
    return np.clip(scene, 0, 255).astype(np.uint8)


def _board(
    sign: tuple[str, str], face: str, paper: tuple[int, int, int], ink: tuple[int, int, int]
) -> Image.Image:
    board = Image.new("RGB", (460, 220), paper)
    pen = ImageDraw.Draw(board)
    pen.rectangle((6, 6, 453, 213), outline=ink, width=4)
    pen.text((230, 72), sign[0], font=load_font(face, 64), fill=ink, anchor="mm")
    pen.text((230, 155), sign[1], font=load_font(face, 44), fill=ink, anchor="mm")
    return board


def _colours(rng: np.random.Generator) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    dark, light = rng.integers(10, 80, 3).tolist(), rng.integers(190, 250, 3).tolist()
    return (tuple(dark), tuple(light)) if rng.random() < 0.5 else (tuple(light), tuple(dark))


def _perspective(sign: tuple[str, str], face: str, rng: np.random.Generator) -> Rgb:
    board = np.asarray(_board(sign, face, *_colours(rng)))
    height, width = board.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners * 1.1 + np.array([100, 110]) + rng.uniform(-55, 55, (4, 2))
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    scene = _backdrop(rng)
    shown = cv2.warpPerspective(np.ones((height, width), np.uint8), matrix, SIZE)
    return np.where(shown[..., None] > 0, cv2.warpPerspective(board, matrix, SIZE), scene).astype(np.uint8)


def _curved(sign: tuple[str, str], face: str, rng: np.random.Generator) -> Rgb:
    flat = np.asarray(_board(sign, face, *_colours(rng)).resize(SIZE))
    y, x = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    bend = float(rng.uniform(30, 60)) * np.sin(np.pi * x / SIZE[0])
    return np.asarray(
        cv2.remap(
            flat, x, (y + bend - 20).astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )


def _neon(sign: tuple[str, str], face: str, rng: np.random.Generator) -> Rgb:
    colour = [(255, 60, 160), (60, 230, 255), (255, 170, 40), (120, 255, 90)][int(rng.integers(4))]
    tubes = Image.new("RGB", SIZE, (12, 10, 18))
    pen = ImageDraw.Draw(tubes)
    pen.text((360, 180), sign[0], font=load_font(face, 96), fill=colour, anchor="mm")
    pen.text((360, 320), sign[1], font=load_font(face, 64), fill=colour, anchor="mm")
    glow = np.asarray(tubes.filter(ImageFilter.GaussianBlur(14)), np.float64)
    wall = _backdrop(rng, 20).astype(np.float64) * 0.15
    return np.clip(np.asarray(tubes, np.float64) + 1.4 * glow + wall, 0, 255).astype(np.uint8)


def _low_light(sign: tuple[str, str], face: str, rng: np.random.Generator) -> Rgb:
    scene = _perspective(sign, face, rng).astype(np.float64) * 0.16
    return np.clip(scene + rng.normal(0, 6, scene.shape) + 6, 0, 255).astype(np.uint8)


def _busy(sign: tuple[str, str], face: str, rng: np.random.Generator) -> Rgb:
    scene = Image.fromarray(_backdrop(rng, 90))
    pen = ImageDraw.Draw(scene)
    is_light = bool(rng.random() < 0.5)
    ink, edge = ((250, 250, 250), (0, 0, 0)) if is_light else ((10, 10, 10), (255, 255, 255))
    for text, y, px in ((sign[0], 170, 90), (sign[1], 320, 60)):
        pen.text(
            (360, y), text, font=load_font(face, px), fill=ink, anchor="mm", stroke_width=2, stroke_fill=edge
        )
    return np.asarray(scene)


KINDS: dict[str, Callable[[tuple[str, str], str, np.random.Generator], Rgb]] = {
    "perspective": _perspective,
    "curved": _curved,
    "neon": _neon,
    "low light": _low_light,
    "busy background": _busy,
}
