"""The tool ``grounding_dino``: ``detect_objects`` with Grounding DINO."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from promptvision.plugin import (
    Box,
    DetectArgs,
    Detection,
    DetectResult,
    ToolContext,
    detect_by_words,
)
from promptvision_grounding_dino.find import Finding, find
from promptvision_grounding_dino.plugin import DETECT

__all__ = ["detect"]


def detect(args: DetectArgs, context: ToolContext) -> DetectResult:
    """Find the objects of ``args.prompt``, limited to those that it selects ("the left lion").

    A box is kept if its score is above ``args.box_threshold``. ``args.text_threshold`` only determines which
    names are marked as uncertain.

    Raises:
        ArgumentsError: the prompt names nothing, too many objects, or a name that the model cannot read.
        ToolFailed: the model returned values that are not finite.
    """
    image = context.open(args.image_url)

    def look_for(labels: list[str]) -> tuple[list[Detection], list[str]]:
        context.progress(0, 2, "loading Grounding DINO")
        detector = context.lease(*DETECT.requires.chosen_models(context.settings.value))
        context.progress(1, 2, f"looking for {', '.join(labels)}")
        findings = find(detector, image, labels, args.box_threshold)
        context.progress(2, 2, f"found {len(findings)}")
        found = [Detection(Box(*finding.box), finding.label, finding.score) for finding in findings]
        return found, [*_notes_of_same(findings), *_notes_of_names(findings, args.text_threshold)]

    return detect_by_words(args, context, image, look_for)


def _notes_of_same(findings: Sequence[Finding]) -> Iterator[str]:
    """Report labels that were dropped since another one matches the same box better."""
    pairs = dict.fromkeys((other, finding.label) for finding in findings for other in finding.also)
    for other, label in pairs:
        yield f"A box for {other!r} is the same as one for {label!r} and was dropped."


def _notes_of_names(findings: Sequence[Finding], threshold: float) -> Iterator[str]:
    if uncertain := sum(finding.score < threshold for finding in findings):
        yield f"{uncertain} of {len(findings)} boxes have a name that is uncertain: below text_threshold."
