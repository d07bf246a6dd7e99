"""The tool ``opencv_detect``: faces, people and things named by a colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promptvision.plugin import ANNOTATED, Box, DetectArgs, DetectResult, ToolContext, ToolFailed, draw_boxes
from promptvision_opencv.arrays import Array, flat_rgb
from promptvision_opencv.faces import find_faces
from promptvision_opencv.people import find_people
from promptvision_opencv.prompts import Kind, Request, read_prompt
from promptvision_opencv.regions import find_regions

__all__ = ["Detection", "detect", "find"]

_MOST_BOXES = 100
_BETTER = "promptvision-grounding-dino finds anything by its name"


@dataclass(frozen=True)
class Detection:
    """One found thing: box in pixels, label, score 0 to 1 with three decimals."""

    box: Box
    label: str
    score: float


def detect(args: DetectArgs, context: ToolContext) -> DetectResult:
    """Find what the prompt names.

    Raises:
        ToolFailed: no part of the prompt names a face, a person or a colour.
    """
    requests, foreign = read_prompt(args.prompt)
    if not requests:
        raise ToolFailed(
            f"opencv_detect: cannot look for {args.prompt!r}: it finds faces, people, and things named by a "
            f"colour with or without a shape ('red ball', 'blue box', 'yellow'); {_BETTER}"
        )
    image = context.open(args.image_url)
    rgb = flat_rgb(image)
    found: list[Detection] = []
    for number, request in enumerate(requests):
        context.progress(number, len(requests) + 1, f"looking for {request.label}")
        found += find(rgb, request)
    kept = sorted((d for d in found if d.score >= args.box_threshold), key=lambda d: -d.score)[:_MOST_BOXES]
    context.progress(len(requests), len(requests) + 1, "drawing")
    boxes, labels, scores = [d.box for d in kept], [d.label for d in kept], [d.score for d in kept]
    annotated = context.save(draw_boxes(image, boxes, labels, scores), kind=ANNOTATED)
    return DetectResult(
        prompt=args.prompt,
        original_image_url=args.image_url,
        bounding_boxes=boxes,
        centroids=[box.centroid for box in boxes],
        labels=labels,
        scores=scores,
        annotated_image_url=annotated,
        message=_message(requests, foreign, kept, args.box_threshold),
    )


def find(rgb: Array, request: Request) -> list[Detection]:
    """All that an image (H x W x 3 uint8) holds of one request, whatever its score."""
    pairs: Sequence[tuple[Box, float]]
    if request.kind is Kind.FACE:
        pairs = [(face.box, face.score) for face in find_faces(rgb)]
    elif request.kind is Kind.PERSON:
        pairs = [(person.box, person.score) for person in find_people(rgb)]
    else:
        assert request.colour is not None  # set for this kind, see Request
        pairs = [(region.box, region.score) for region in find_regions(rgb, request.colour, request.shape)]
    return [Detection(box, request.label, round(score, 3)) for box, score in pairs]


def _message(
    requests: list[Request], foreign: list[str], kept: list[Detection], threshold: float
) -> str | None:
    """What the user should know: what was not found, not checked or not understood."""
    labels = {detection.label for detection in kept}
    notes = [
        f"No {request.label} found with a score of {threshold:g} or more."
        for request in requests
        if request.label not in labels
    ]
    unchecked = dict.fromkeys(word for request in requests for word in request.unchecked)
    if unchecked:
        looked = " and ".join(dict.fromkeys(request.label for request in requests if request.unchecked))
        notes.append(f"Looked for {looked} only and could not check {_quoted(unchecked)}; {_BETTER}.")
    if foreign:
        notes.append(f"Could not look for {_quoted(foreign)}; {_BETTER}.")
    return " ".join(notes) or None


def _quoted(words: Sequence[str] | dict[str, None]) -> str:
    return ", ".join(f"'{word}'" for word in words)
