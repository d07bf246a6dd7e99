"""The tool ``florence_ocr``: ``extract_text`` with Florence-2."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from promptvision.plugin import Box, ExtractTextArgs, ExtractTextResult, PretrainedModel, ToolContext, Word
from promptvision_florence.generation import Certainty, first_location, words, write
from promptvision_florence.plugin import REQUIRES
from promptvision_florence.regions import bounding_box, split_regions

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["TASK", "Line", "read_lines", "read_text"]

TASK = "<OCR_WITH_REGION>"
CORNERS = 8
"""Number of location tokens after each text: x and y of the four corners of a possibly slanted box."""


@dataclass(frozen=True)
class Line:
    """Text at one position; no box if it has no area. ``confidence`` runs from 0 to 100."""

    text: str
    box: Box | None
    confidence: float


def read_text(args: ExtractTextArgs, context: ToolContext) -> ExtractTextResult:
    """Read the text of an image in any language; an item is a word or a whole line."""
    image = context.open(args.image_url)
    context.progress(0, 2, "loading Florence-2")
    florence = context.lease(*REQUIRES.chosen_models(context.settings.value))
    context.progress(1, 2, "reading")
    lines = read_lines(florence, image, context.check_cancelled)
    return ExtractTextResult(
        original_image_url=args.image_url,
        extracted_text="\n".join(line.text for line in lines),
        words=[Word(text=line.text, box=line.box, confidence=line.confidence) for line in lines if line.box],
        message=None if lines else "No text was found.",
    )


def read_lines(florence: PretrainedModel, image: Image, check: Callable[[], None]) -> list[Line]:
    """Texts and positions, in the reading order of the model.

    Args:
        florence: the model.
        image: any mode.
        check: called after each token; an exception stops the generation.
    """
    first = first_location(florence)
    certainty = Certainty(first)
    ids = write(florence, image, TASK, check, certainty)
    lines = []
    for region in split_regions(ids, first):
        text = words(florence, (ids[place] for place in region.text))
        if text and len(region.locations) >= CORNERS:
            bins = [ids[place] - first for place in region.locations[:CORNERS]]
            box = bounding_box(bins, *image.size)
            lines.append(Line(text, box, _confidence(certainty, region.text)))
    return lines


def _confidence(certainty: Certainty, places: range) -> float:
    """Geometric mean of the probabilities of the tokens, in percent, without the given start token."""
    logs = [math.log(max(certainty.of_token(place), 1e-9)) for place in places if place > 0]
    return round(100 * math.exp(sum(logs) / len(logs)), 1) if logs else 0.0
