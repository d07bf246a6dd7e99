"""The tool: ``detect_objects`` by Florence-2.

Of its tasks, ``<OPEN_VOCABULARY_DETECTION>`` takes one name and returns all places of it, so each thing asked
for is a run of its own and every box has a name that was asked for. ``<CAPTION_TO_PHRASE_GROUNDING>`` takes
several but chooses which words it places, and ``<OD>`` takes none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from promptvision.plugin import (
    ANNOTATED,
    ArgumentsError,
    Box,
    DetectArgs,
    DetectResult,
    Point,
    ToolContext,
    draw_boxes,
    split_labels,
)
from promptvision_florence.generation import Certainty, first_location, words, write
from promptvision_florence.load import Florence
from promptvision_florence.plugin import REQUIRES
from promptvision_florence.regions import box_round, split_regions

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_LABELS", "TASK", "detect", "find"]

TASK = "<OPEN_VOCABULARY_DETECTION>"
MAX_LABELS = 10
"""Each takes a run of the model."""

TRIANGLE = 6
"""Location tokens of the smallest polygon."""

MAX_BOXES = 100
"""As many as ``segment_objects`` takes."""

Found = tuple[Box, str, float]
"""Where, the name asked for, and how certain the model is of the place, 0 to 1."""


def detect(args: DetectArgs, context: ToolContext) -> DetectResult:
    """Find what ``args.prompt`` names; ``args.text_threshold`` has nothing to act on here.

    Raises:
        ArgumentsError: the prompt names nothing, or too many things.
    """
    labels = split_labels(args.prompt)
    if not 1 <= len(labels) <= MAX_LABELS:
        raise ArgumentsError(f"prompt: names {len(labels)} things to look for; name 1 to {MAX_LABELS}")
    picture = context.open(args.image_url)
    context.progress(0, len(labels), "loading Florence-2")
    florence = context.lease(*REQUIRES.chosen_models(context.settings.value))
    found: list[Found] = []
    for done, label in enumerate(labels):
        context.progress(done, len(labels), f"looking for {label}")
        found += find(florence, picture, label, args.box_threshold, context.check_cancelled)
    found.sort(key=lambda each: -each[2])
    return _result(args, context, picture, labels, found)


def find(
    florence: Florence, picture: Image, label: str, threshold: float, check: Callable[[], None]
) -> list[Found]:
    """Find one thing.

    Args:
        florence: what to run.
        image: any mode.
        label: what to look for.
        threshold: boxes with a score below it are dropped. A score is the probability of the least certain of
            the four sides, with :data:`~promptvision_florence.generation.TOLERANCE`.
        check: called after each token; raise in it to stop.
    """
    first = first_location(florence)
    certainty = Certainty(first)
    ids = write(florence, picture, TASK + label, check, certainty)
    regions = [
        region.locations
        for region in split_regions(ids, first)
        if words(florence, (ids[place] for place in region.text))
    ]
    polygon = florence.processor.tokenizer.convert_tokens_to_ids("<poly>")
    best: dict[Box, float] = {}
    for places in _polygons(regions) if polygon in ids else _boxes(regions):
        bins = [ids[place] - first for place in places]
        score = min(map(certainty.of_location, places, bins))
        box = box_round(bins, *picture.size)
        if box is not None and score >= threshold:
            best[box] = max(score, best.get(box, 0))
    return [(box, label, score) for box, score in best.items()]


def _boxes(regions: Iterable[range]) -> Iterator[range]:
    """Positions of the four location tokens of each box; several may stand behind one name."""
    for places in regions:
        yield from (places[start : start + 4] for start in range(0, len(places) - 3, 4))


def _polygons(regions: Iterable[range]) -> Iterator[range]:
    """Positions of all location tokens of each polygon."""
    return (places[: len(places) // 2 * 2] for places in regions if len(places) >= TRIANGLE)


def _result(
    args: DetectArgs, context: ToolContext, picture: Image, labels: list[str], found: list[Found]
) -> DetectResult:
    message = None
    if not found:
        message = f"Nothing found for {', '.join(labels)}; a lower box_threshold shows weaker matches."
    elif len(found) > MAX_BOXES:
        message = f"These are the {MAX_BOXES} best of {len(found)} boxes."
    kept = found[:MAX_BOXES]
    boxes = [box for box, _, _ in kept]
    names = [label for _, label, _ in kept]
    scores = [round(score, 3) for _, _, score in kept]
    annotated = args.image_url
    if boxes:
        annotated = context.save(draw_boxes(picture, boxes, names, scores), kind=ANNOTATED)
    return DetectResult(
        original_image_url=args.image_url,
        prompt=args.prompt,
        bounding_boxes=boxes,
        centroids=[Point(*(round(value, 2) for value in box.centroid)) for box in boxes],
        labels=names,
        scores=scores,
        annotated_image_url=annotated,
        message=message,
    )
