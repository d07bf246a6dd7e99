"""The tool ``florence``: ``caption_image`` with a local Florence-2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from promptvision.plugin import (
    Cancelled,
    CaptionArgs,
    CaptionResult,
    PretrainedModel,
    ToolContext,
    ToolFailed,
)
from promptvision_florence.generation import write, write_all
from promptvision_florence.plugin import REQUIRES

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["TASKS", "caption", "caption_all", "describe"]

TASKS = {
    "brief": "<CAPTION>",
    "detailed": "<DETAILED_CAPTION>",
    "more_detailed": "<MORE_DETAILED_CAPTION>",
}
"""Level of detail to the task that Florence-2 was trained on."""


def caption(args: CaptionArgs, context: ToolContext) -> CaptionResult:
    """Describe an image.

    Raises:
        ToolFailed: the model generated no text.
    """
    image = context.open(args.image_url)
    context.progress(0, 2, "loading Florence-2")
    florence = context.lease(*REQUIRES.chosen_models(context.settings.value))
    context.progress(1, 2, "describing the image")
    text = describe(florence, image, args.detail, context.check_cancelled)
    return CaptionResult(original_image_url=args.image_url, caption=text)


def caption_all(calls: Sequence[tuple[CaptionArgs, ToolContext]]) -> list[CaptionResult | Exception]:
    """Describe several images in the same detail at once."""
    first_args, first = calls[0]
    images = [context.open(args.image_url) for args, context in calls]
    florence = first.lease(
        *REQUIRES.chosen_models(first.settings.value), operation="florence captions", shape=(len(calls),)
    )
    for _, context in calls:
        with suppress(Cancelled):  # the others continue
            context.progress(1, 2, f"describing {len(calls)} images together")
    task = TASKS[first_args.detail]
    checks = [context.check_cancelled for _, context in calls]
    written = write_all(florence, images, task, checks)
    return [
        _result(florence, args, image, one)
        for (args, _), image, one in zip(calls, images, written, strict=True)
    ]


def _result(
    florence: PretrainedModel, args: CaptionArgs, image: Image, written: list[int] | Exception
) -> CaptionResult | Exception:
    if isinstance(written, Exception):
        return written
    try:
        text = _text(florence, image, TASKS[args.detail], written)
    except ToolFailed as exc:
        return exc
    return CaptionResult(original_image_url=args.image_url, caption=text)


def describe(florence: PretrainedModel, image: Image, detail: str, check: Callable[[], None]) -> str:
    """The caption of an image.

    Args:
        florence: the model.
        image: any mode.
        detail: a key of :data:`TASKS`.
        check: called after each token; raise in it to stop.

    Raises:
        ToolFailed: the model generated no text.
    """
    task = TASKS[detail]
    return _text(florence, image, task, write(florence, image, task, check))


def _text(florence: PretrainedModel, image: Image, task: str, written: list[int]) -> str:
    processor = florence.processor
    text = processor.decode(written, skip_special_tokens=False)
    answer: str = processor.post_process_generation(text, task=task, image_size=image.size)[task]
    if not answer:
        raise ToolFailed("Florence-2 generated no text for this image")
    return answer
