"""A sign in the dark, read through the agent, which Tesseract cannot read."""

from __future__ import annotations

import io
import shutil
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from promptvision import Reply
from promptvision.testing import make_agent
from promptvision_rapidocr.plugin import RAPIDOCR

SIZE = (720, 480)


@pytest.fixture
def dark_sign() -> bytes:
    """A sign seen at an angle in front of foliage, underexposed and noisy, as PNG."""
    rng = np.random.default_rng(1)
    board = Image.new("RGB", (460, 220), (205, 225, 235))
    pen = ImageDraw.Draw(board)
    pen.rectangle((6, 6, 453, 213), outline=(40, 20, 60), width=4)
    for text, y, px in (("HOTEL", 72, 64), ("Reception", 155, 44)):
        pen.text((230, y), text, font=ImageFont.load_default(px), fill=(40, 20, 60), anchor="mm")
    corners = np.array([[0, 0], [460, 0], [460, 220], [0, 220]], np.float32)
    seen = np.array([[80, 150], [630, 95], [590, 385], [140, 330]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, seen)
    scene = np.full((SIZE[1], SIZE[0], 3), 110, np.float64)
    for cells in (6, 24, 96):
        scene += cv2.resize(rng.normal(0, 30, (cells, cells, 3)), SIZE, interpolation=cv2.INTER_CUBIC)
    shown = cv2.warpPerspective(np.ones((220, 460), np.uint8), matrix, SIZE)[..., None] > 0
    lit = np.where(shown, cv2.warpPerspective(np.asarray(board), matrix, SIZE), np.clip(scene, 0, 255))
    dark = np.clip(lit * 0.16 + rng.normal(0, 6, lit.shape) + 6, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(dark).save(file, "PNG")
    return file.getvalue()


def ask(tool: Any, image: bytes) -> Reply:
    return make_agent([tool]).run_sync("what does the sign say?", image=image)


def test_dark_sign_is_read_through_the_agent(dark_sign: bytes) -> None:
    reply = ask(RAPIDOCR, dark_sign)
    assert [(step.operation, step.tool, step.status) for step in reply.steps] == [
        ("extract_text", "rapidocr", "done")
    ]
    assert reply.fields["extracted_text"].split() == ["HOTEL", "Reception"]
    assert "HOTEL" in reply.text_response
    assert "Reception" in reply.text_response
    assert all(word["confidence"] > 80 for word in reply.fields["words"])


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_tesseract_cannot_read_the_dark_sign(dark_sign: bytes) -> None:
    tesseract = pytest.importorskip("promptvision_tesseract.plugin").TESSERACT
    words = ask(tesseract, dark_sign).fields.get("extracted_text", "").split()
    assert "HOTEL" not in words
    assert "Reception" not in words


def test_agent_prefers_rapidocr_for_the_dark_sign(dark_sign: bytes) -> None:
    tesseract = pytest.importorskip("promptvision_tesseract.plugin").TESSERACT
    reply = make_agent([tesseract, RAPIDOCR]).run_sync("what does the sign say?", image=dark_sign)
    assert reply.steps[0].tool == "rapidocr"
    assert reply.fields["extracted_text"].split() == ["HOTEL", "Reception"]
