"""Convert detections to the result of ``detect_objects``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from promptvision.tools.choices import Candidate, measure_lightness, select_by_labels
from promptvision.tools.context import ANNOTATED
from promptvision.tools.operations import DetectArgs, DetectResult
from promptvision.types import Box, Point

if TYPE_CHECKING:
    from PIL.Image import Image

    from promptvision.tools.context import ToolContext

__all__ = ["MAX_BOXES", "Detection", "detect_by_words", "detection_result"]

MAX_BOXES = 100
"""Maximum number of boxes, equal to that of ``segment_objects``."""


class Detection(NamedTuple):
    """One box: ``[x1, y1, x2, y2]`` in pixels, the requested label, and a score from 0 to 1."""

    box: Box
    label: str
    score: float


def detect_by_words(
    args: DetectArgs,
    context: ToolContext,
    image: Image,
    find: Callable[[list[str]], tuple[Sequence[Detection], Sequence[str]]],
) -> DetectResult:
    """The result of an open-vocabulary detector, reduced to the objects that the prompt refers to.

    The detector gets the words that describe the objects; words that choose among them ("the left one", "two
    of", "except") are resolved here.

    Args:
        args: arguments of the call.
        context: context of the call.
        image: the image to search.
        find: called once with the labels to search for; returns detections and sentences for the message.

    Raises:
        ArgumentsError: the prompt names nothing, or means everything but something.
    """
    labels: list[str] = []
    notes: list[str] = []

    def candidates(wanted: list[str]) -> list[Candidate]:
        labels.extend(wanted)
        found, remarks = find(wanted)
        notes.extend(remarks)
        return [Candidate(one.box, one.label, one.score, measure_lightness(image, one.box)) for one in found]

    choice = select_by_labels(args.prompt, candidates, image.size, strict=args.strict)
    is_explained = bool(choice.note) and not choice.note.endswith(" found.")
    return detection_result(
        args,
        context,
        image,
        () if is_explained else labels,
        [Detection(one.box, one.label, one.score) for one in choice.chosen],
        [*notes, choice.note] if is_explained else notes,
        () if choice.is_exact else ("which one is meant",),
    )


def detection_result(
    args: DetectArgs,
    context: ToolContext,
    image: Image,
    labels: Sequence[str],
    found: Sequence[Detection],
    notes: Sequence[str] = (),
    doubts: Sequence[str] = (),
) -> DetectResult:
    """The result of a detector, with the boxes drawn on the image; at most :data:`MAX_BOXES` of them.

    Args:
        args: arguments of the call.
        context: context of the call.
        image: the searched image.
        labels: the searched labels; named in the message if nothing was found.
        found: detections, best first.
        notes: sentences for the message.
        doubts: see :class:`~promptvision.tools.operations.DetectResult`.
    """
    from promptvision.tools.drawing import draw_boxes

    message = list(notes)
    if not found and labels:
        message.append(f"Nothing found for {', '.join(labels)}; a lower box_threshold shows weaker matches.")
    elif len(found) > MAX_BOXES:
        message.append(f"These are the {MAX_BOXES} best of {len(found)} boxes.")
    kept = found[:MAX_BOXES]
    boxes = [each.box for each in kept]
    names = [each.label for each in kept]
    scores = [round(each.score, 3) for each in kept]
    annotated = args.image_url
    if boxes:
        annotated = context.save(draw_boxes(image, boxes, names, scores), kind=ANNOTATED)
    return DetectResult(
        original_image_url=args.image_url,
        prompt=args.prompt,
        bounding_boxes=boxes,
        centroids=[Point(*(round(value, 2) for value in box.centroid)) for box in boxes],
        labels=names,
        scores=scores,
        annotated_image_url=annotated,
        doubts=list(doubts) or None,
        message=" ".join(message) or None,
    )
