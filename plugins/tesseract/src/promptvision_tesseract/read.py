"""Reading the text of an image: prepare it, read it twice, keep the better reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from promptvision.plugin import Box, ExtractTextResult, ToolContext, Word
from promptvision_tesseract import preprocess
from promptvision_tesseract.engine import Engine, Reading, Token, installed_languages
from promptvision_tesseract.languages import check_languages
from promptvision_tesseract.plugin import TesseractArgs
from promptvision_tesseract.preprocess import Grey, Matrix, Page
from promptvision_tesseract.text import MAX_CHARACTERS, clean, drop_strokes, join_lines, within_limit

__all__ = ["is_plain_better", "place", "prepare", "read"]


def prepare(grey: Grey, turn: Callable[[Grey], int]) -> Page:
    """Run every preprocessing step in its order.

    Args:
        grey: H x W uint8.
        turn: given the image as far as it is prepared, says by how many degrees (0, 90, 180, 270) to turn
            it clockwise.
    """
    for step in (
        preprocess.invert_dark,
        preprocess.remove_outliers,
        preprocess.flatten_paper,
        preprocess.stretch_contrast,
        preprocess.denoise,
    ):
        grey = step(grey)
    page = preprocess.scale_letters(Page(grey, np.eye(3)))
    if degrees := turn(page.grey):
        page = preprocess.rotate(page, degrees)
    return preprocess.add_border(preprocess.deskew(page))


def is_plain_better(plain: Reading, prepared: Reading) -> bool:
    """Whether the reading of the untouched image is to be preferred.

    Confidence alone does not reveal text that was dropped, so the plain reading must be surer by more than
    one point and have at least 0.8 times as many characters.
    """
    return plain.confidence > prepared.confidence + 1 and plain.characters >= 0.8 * prepared.characters


def place(token: Token, to_original: Matrix, width: int, height: int) -> Token | None:
    """The word with its text cleaned and its box in an image of this size; None when nothing is left of it.

    The box is the smallest upright one around the corners, clipped to the image, in tenths of a pixel.
    """
    x1, y1, x2, y2 = token.box
    corners = to_original @ np.array([[x1, x2, x2, x1], [y1, y1, y2, y2], [1, 1, 1, 1]], np.float64)
    left, right = (round(float(np.clip(side, 0, width)), 1) for side in (corners[0].min(), corners[0].max()))
    top, bottom = (round(float(np.clip(side, 0, height)), 1) for side in (corners[1].min(), corners[1].max()))
    text = clean(token.text).strip()
    if not text or left >= right or top >= bottom:
        return None
    return replace(token, text=text, box=(left, top, right, bottom))


def read(args: TesseractArgs, context: ToolContext) -> ExtractTextResult:
    """Run the tool ``tesseract``: text with its lines, and words with boxes in the image's own pixels.

    Raises:
        ArgumentsError: a language code is no language code.
        SetupError: Tesseract or the data of a language is not installed.
        ToolFailed: Tesseract failed or took too long.
    """
    installed = installed_languages()
    languages = check_languages(args.languages, installed)
    grey = preprocess.to_grey(context.open(args.image_url))
    engine = Engine(languages, check=context.check_cancelled)
    page, reading = _read_best(grey, engine, context, preprocessed=args.preprocess, osd="osd" in installed)
    placed = (place(token, page.to_original, grey.shape[1], grey.shape[0]) for token in reading.tokens)
    found = [token for token in placed if token is not None]
    kept = within_limit(found, MAX_CHARACTERS)
    return ExtractTextResult(
        original_image_url=args.image_url,
        extracted_text=join_lines(kept),
        words=[
            Word(text=token.text, box=Box(*token.box), confidence=round(token.confidence, 1))
            for token in kept
        ],
        message=_message(len(found), len(kept)),
    )


def _read_best(
    grey: Grey, engine: Engine, context: ToolContext, *, preprocessed: bool, osd: bool
) -> tuple[Page, Reading]:
    context.progress(0, 3, "reading the image as it is")
    untouched = Page(grey, np.eye(3))
    plain = engine.read(grey)
    if not preprocessed:
        return untouched, plain
    context.progress(1, 3, "preparing the image")
    page = prepare(grey, lambda upright: engine.find_turn(upright) if osd else 0)
    context.progress(2, 3, "reading the prepared image")
    reading = engine.read(page.grey)
    best, chosen = (untouched, plain) if is_plain_better(plain, reading) else (page, reading)
    return best, Reading(tuple(drop_strokes(chosen.tokens)))


def _message(found: int, kept: int) -> str | None:
    if not found:
        return "No text was found in the picture."
    if kept < found:
        return f"There is more text: the first {kept} of {found} words are returned."
    return None
