"""The tool: ``detect_objects`` by Grounding DINO."""

from __future__ import annotations

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
from promptvision_grounding_dino.find import Finding, find
from promptvision_grounding_dino.plugin import DETECT

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_BOXES", "detect"]

MAX_BOXES = 100
"""As many as ``segment_objects`` takes."""


def detect(args: DetectArgs, context: ToolContext) -> DetectResult:
    """Find what ``args.prompt`` names.

    A box is kept when its score is above both thresholds: the score is that of the word that names it.

    Raises:
        ArgumentsError: the prompt names nothing, or has more tokens than the model reads.
        ToolFailed: the model returned values that are no numbers.
    """
    labels = split_labels(args.prompt)
    if not labels:
        raise ArgumentsError("prompt: names nothing to look for; give a noun phrase such as 'lion'")
    picture = context.open(args.image_url)
    context.progress(0, 2, "loading Grounding DINO")
    detector = context.lease(*DETECT.requires.chosen_models(context.settings.value))
    context.progress(1, 2, f"looking for {', '.join(labels)}")
    findings = find(detector, picture, labels, max(args.box_threshold, args.text_threshold))
    context.progress(2, 2, f"found {len(findings)}")
    return _result(args, context, picture, findings[:MAX_BOXES], _message(labels, len(findings)))


def _result(
    args: DetectArgs, context: ToolContext, picture: Image, findings: list[Finding], message: str | None
) -> DetectResult:
    boxes = [Box(*finding.box) for finding in findings]
    labels = [finding.label for finding in findings]
    scores = [round(finding.score, 3) for finding in findings]
    annotated = args.image_url
    if boxes:
        annotated = context.save(draw_boxes(picture, boxes, labels, scores), kind=ANNOTATED)
    return DetectResult(
        original_image_url=args.image_url,
        prompt=args.prompt,
        bounding_boxes=boxes,
        centroids=[Point(*(round(value, 2) for value in box.centroid)) for box in boxes],
        labels=labels,
        scores=scores,
        annotated_image_url=annotated,
        message=message,
    )


def _message(labels: list[str], found: int) -> str | None:
    if not found:
        return f"Nothing found for {', '.join(labels)}; a lower box_threshold shows weaker matches."
    return f"These are the {MAX_BOXES} best of {found} boxes." if found > MAX_BOXES else None
