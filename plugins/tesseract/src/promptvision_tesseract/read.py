"""The tool ``tesseract``: prepare an image, read it twice, keep the better reading, and complete it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from promptvision.plugin import Box, ExtractTextResult, ToolContext, Word
from promptvision_tesseract import preprocess
from promptvision_tesseract.contrast import (
    contrast_page,
    count_pieces,
    has_unread_ink,
    remove_leaders,
    remove_rules,
)
from promptvision_tesseract.engine import Engine, Reading, Token, installed_languages
from promptvision_tesseract.languages import check_languages
from promptvision_tesseract.order import arrange
from promptvision_tesseract.placement import place
from promptvision_tesseract.plugin import TesseractArgs
from promptvision_tesseract.preprocess import Grey, Page
from promptvision_tesseract.recover import drop_noise, recover
from promptvision_tesseract.short import read_line, read_line_or_turned, read_upside_down
from promptvision_tesseract.text import MAX_CHARACTERS, drop_strokes, join_lines, within_limit
from promptvision_tesseract.vertical import read_stacked, reread_vertical

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["is_plain_better", "place", "prepare", "read", "read_few_letters", "to_rgb"]


MIN_SIDE_PX = 6
"""Minimum side of an image in pixels that can contain a letter."""
FEW_CHARACTERS, SURE_CONFIDENCE = 24, 96.0
"""Shorter texts with a lower confidence are also read upside down: orientation detection needs more text."""
FEW_LETTERS = 4
"""Maximum number of pieces of ink of a single character or a short number."""
FEW_PIECES = 100
"""Maximum number of pieces of ink of a short text."""


def to_rgb(image: Image) -> NDArray[np.uint8]:
    """H x W x 3; transparent parts as in :func:`promptvision_tesseract.preprocess.to_grey`."""
    if "A" in image.getbands():
        return np.repeat(preprocess.to_grey(image)[..., None], 3, axis=2)
    return np.asarray(image.convert("RGB"))


def prepare(grey: Grey, turn: Callable[[Grey], int]) -> Page:
    """Run every preprocessing step in its order.

    Args:
        grey: H x W uint8.
        turn: called with the prepared image, returns its clockwise rotation in degrees (0, 90, 180, 270).
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
    angle = preprocess.skew_angle(page.grey)
    if abs(angle) > preprocess.USUAL_SKEW_DEGREES:  # orientation detection fails on steep lines
        page = preprocess.rotate(page, angle)
    if degrees := turn(page.grey):
        page = preprocess.rotate(page, degrees)
    return preprocess.add_border(preprocess.deskew(page))


def is_plain_better(plain: Reading, prepared: Reading) -> bool:
    """Whether the reading of the unprocessed image is better.

    Confidence alone does not reveal dropped text, so the plain reading must have more than one point of
    additional confidence and at least 0.8 times as many characters.
    """
    return plain.confidence > prepared.confidence + 1 and plain.characters >= 0.8 * prepared.characters


def read(args: TesseractArgs, context: ToolContext) -> ExtractTextResult:
    """Run the tool ``tesseract``: text with its lines, and words with boxes in the image's own pixels.

    Raises:
        ArgumentsError: a language code is not valid.
        SetupError: Tesseract or the data of a language is not installed.
        ToolFailed: Tesseract failed or took too long.
    """
    installed = installed_languages()
    languages = check_languages(args.languages, installed)
    image = context.open(args.image_url)
    if min(image.size) < MIN_SIDE_PX:
        return _result(args, [], 0)
    grey = preprocess.to_grey(image)
    engine = Engine(languages, deadline=context.deadline, check=context.check_cancelled)
    page, reading = _read_best(grey, engine, context, preprocessed=args.preprocess, osd="osd" in installed)
    if args.preprocess:
        page, reading = _complete(image, page, reading, engine, context)
    placed = (place(token, page.to_original, grey.shape[1], grey.shape[0]) for token in reading.tokens)
    found = [token for token in placed if token is not None]
    return _result(args, within_limit(found, MAX_CHARACTERS), len(found))


def _result(args: TesseractArgs, kept: list[Token], found: int) -> ExtractTextResult:
    return ExtractTextResult(
        original_image_url=args.image_url,
        extracted_text=join_lines(kept),
        words=[
            Word(text=token.text, box=Box(*token.box), confidence=round(token.confidence, 1))
            for token in kept
        ],
        message=_message(found, len(kept)),
    )


def _complete(
    image: Image, page: Page, reading: Reading, engine: Engine, context: ToolContext
) -> tuple[Page, Reading]:
    """Read remaining ink, drop noise, and sort the words in reading order."""
    bare = remove_leaders(remove_rules(contrast_page(to_rgb(image))))

    def is_complete(page: Page, reading: Reading) -> bool:
        placed = (
            place(token, page.to_original, image.width, image.height) for token in drop_noise(reading.tokens)
        )
        return not has_unread_ink(bare, [token.box for token in placed if token is not None])

    if not is_complete(page, reading):
        context.progress(2, 3, "reading the remaining text")
        page, reading = recover(bare, page, reading, engine, is_complete)
    may_be_short = has_unread_ink(bare, []) and count_pieces(bare) <= FEW_PIECES
    if may_be_short and reading.characters <= FEW_CHARACTERS and reading.confidence < SURE_CONFIDENCE:
        if count_pieces(bare) <= FEW_LETTERS:  # "-1" upside down is "L-"; three equal readings are safer
            line_page, line = read_line_or_turned(bare, engine)
            if line.tokens:
                return line_page, line
        context.progress(2, 3, "reading the short text upside down")
        page, reading = read_upside_down(bare, page, reading, engine)
    kept = drop_noise(drop_strokes(reading.tokens))
    if not kept:
        page, reading = read_few_letters(bare, engine)
        kept = list(reading.tokens)
    return page, Reading(tuple(arrange(kept)))


def read_few_letters(bare: Grey, engine: Engine) -> tuple[Page, Reading]:
    """Read an image of a few letters only: stacked, or in one line."""
    stacked = Reading(tuple(drop_noise(read_stacked(bare, engine).tokens)))
    return (Page(bare, np.eye(3)), stacked) if stacked.tokens else read_line(bare, engine)


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
    reading = reread_vertical(page, engine.read(page.grey), engine)
    if is_plain_better(plain, reading):
        return untouched, reread_vertical(untouched, plain, engine)
    return page, reading


def _message(found: int, kept: int) -> str | None:
    if not found:
        return "No text was found in the image."
    if kept < found:
        return f"There is more text: the first {kept} of {found} words are returned."
    return None
