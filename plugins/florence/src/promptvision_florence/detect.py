"""The tool ``florence_detect``: ``detect_objects`` with Florence-2.

The task ``<OPEN_VOCABULARY_DETECTION>`` accepts one name and returns all its positions, so each label needs a
separate run and every box has a requested label. ``<CAPTION_TO_PHRASE_GROUNDING>`` accepts several but
selects the words itself, and ``<OD>`` accepts none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from promptvision.plugin import (
    ArgumentsError,
    Box,
    DetectArgs,
    Detection,
    DetectResult,
    PretrainedModel,
    ToolContext,
    detect_by_words,
    split_labels,
)
from promptvision_florence.generation import Certainty, first_location, plain_label, words, write
from promptvision_florence.plugin import REQUIRES
from promptvision_florence.regions import bounding_box, split_regions

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_LABELS", "TASK", "detect", "find"]

TASK = "<OPEN_VOCABULARY_DETECTION>"
MAX_LABELS = 10
"""Maximum number of labels; each takes one run of the model."""

TRIANGLE = 6
"""Number of location tokens of the smallest polygon."""


def detect(args: DetectArgs, context: ToolContext) -> DetectResult:
    """Find the objects of ``args.prompt``; ``args.text_threshold`` has no effect.

    Raises:
        ArgumentsError: the prompt names nothing, too many objects, or one that the model cannot read.
    """
    labels = split_labels(args.prompt)
    if not 1 <= len(labels) <= MAX_LABELS:
        raise ArgumentsError(f"prompt: names {len(labels)} objects to look for; name 1 to {MAX_LABELS}")
    image = context.open(args.image_url)

    def look_for(words: list[str]) -> tuple[list[Detection], tuple[str, ...]]:
        context.progress(0, len(words), "loading Florence-2")
        florence = context.lease(*REQUIRES.chosen_models(context.settings.value))
        found: list[Detection] = []
        for done, label in enumerate(words):
            context.progress(done, len(words), f"looking for {label}")
            found += find(florence, image, label, args.box_threshold, context.check_cancelled)
        return sorted(found, key=lambda each: -each.score), ()

    return detect_by_words(args, context, image, look_for)


def find(
    florence: PretrainedModel, image: Image, label: str, threshold: float, check: Callable[[], None]
) -> list[Detection]:
    """Find one object.

    Args:
        florence: the model.
        image: any mode.
        label: the name to search for.
        threshold: boxes with a score below it are dropped. A score is the probability of the least certain of
            the four sides, with :data:`~promptvision_florence.generation.TOLERANCE`.
        check: called after each token; an exception stops the generation.

    Raises:
        ArgumentsError: the label is empty, or has more tokens than the model reads.
    """
    if not (text := plain_label(florence, label)):
        raise ArgumentsError(f"prompt: {label!r} is a special token of Florence-2; name an object")
    first = first_location(florence)
    certainty = Certainty(first)
    ids = write(florence, image, TASK + text, check, certainty)
    tokens = florence.processor.tokenizer.convert_tokens_to_ids
    things = list(_objects(florence, ids, first, tokens("<sep>")))
    best: dict[Box, float] = {}
    for places in _outlines(things) if tokens("<poly>") in ids else _boxes(chain.from_iterable(things)):
        bins = [ids[place] - first for place in places]
        score = min(map(certainty.of_location, places, bins))
        box = bounding_box(bins, *image.size)
        if box is not None and score >= threshold:
            best[box] = max(score, best.get(box, 0))
    return [Detection(box, label, score) for box, score in best.items()]


def _objects(florence: PretrainedModel, ids: list[int], first: int, separator: int) -> Iterator[list[range]]:
    """Positions of the location tokens of each named object; one with several parts has several ranges."""
    parts: list[range] = []
    for region in split_regions(ids, first):
        text = [ids[place] for place in region.text]
        if text == [separator]:
            if parts:
                parts.append(region.locations)
            continue
        if parts:
            yield parts
        parts = [region.locations] if words(florence, text) else []
    if parts:
        yield parts


def _boxes(regions: Iterable[range]) -> Iterator[range]:
    """Positions of the four location tokens of each box; several may follow one name."""
    for places in regions:
        yield from (places[start : start + 4] for start in range(0, len(places) - 3, 4))


def _polygons(regions: Iterable[range]) -> Iterator[range]:
    """Positions of all location tokens of each polygon."""
    return (places[: len(places) // 2 * 2] for places in regions if len(places) >= TRIANGLE)


def _outlines(things: Iterable[list[range]]) -> Iterator[list[int]]:
    """Positions of the location tokens of all polygons of each object."""
    outlines = (list(chain.from_iterable(_polygons(parts))) for parts in things)
    return (outline for outline in outlines if outline)
