"""The tool ``smolvlm``: answer a question about an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from transformers import StoppingCriteria, StoppingCriteriaList

from promptvision.plugin import (
    AskArgs,
    AskResult,
    ImageText,
    ToolContext,
    ToolFailed,
    flat_rgb,
    pad_aspect,
)
from promptvision_vqa.plugin import ASK

if TYPE_CHECKING:
    from promptvision.plugin import PretrainedModel

__all__ = ["MAX_NEW_TOKENS", "MOST_ASPECT", "answer", "ask"]

MAX_NEW_TOKENS = 200
"""About 150 words."""

MOST_ASPECT = 8.0
"""Highest aspect ratio of the model's input; the model scales the longer side to a fixed length."""


def ask(args: AskArgs, context: ToolContext) -> AskResult:
    """Answer a question. Decoding is greedy, so equal calls give equal answers.

    Raises:
        ToolFailed: the model gave no answer.
    """
    image = context.open(args.image_url)
    context.progress(0, MAX_NEW_TOKENS, "loading SmolVLM")
    model = context.lease(*ASK.requires.chosen_models(context.settings.value))
    written = 0

    def on_token() -> None:
        nonlocal written
        written += 1
        context.progress(written, MAX_NEW_TOKENS, "answering")

    text, is_whole = answer(model, image, args.question, on_token)
    if not text:
        raise ToolFailed("promptvision-vqa: the model gave no answer; ask in other words")
    return AskResult(
        original_image_url=args.image_url,
        answer=ImageText(text),
        message=None if is_whole else f"The answer was cut off after {MAX_NEW_TOKENS} tokens.",
    )


def answer(
    model: PretrainedModel, image: Image.Image, question: str, on_token: Callable[[], None]
) -> tuple[str, bool]:
    """Generate the answer.

    Args:
        model: the loaded model.
        image: any mode; transparent parts count as white.
        question: in English.
        on_token: called after each token; an exception in it stops the model.

    Returns:
        The answer, and whether the model completed it.
    """
    with model.lock:
        inputs = model.processor(
            text=_prompt(model.processor, question), images=[_within_aspect(image)], return_tensors="pt"
        )
    with torch.inference_mode():
        ids = model.model.generate(
            **inputs.to(model.model.device, model.model.dtype),
            max_new_tokens=MAX_NEW_TOKENS,
            do_sample=False,
            num_beams=1,
            stopping_criteria=StoppingCriteriaList([_Report(on_token)]),
        )
    written = ids[0, inputs["input_ids"].shape[1] :]
    with model.lock:
        text: str = model.processor.decode(written, skip_special_tokens=True)
    return text.strip(), len(written) < MAX_NEW_TOKENS


class _Report(StoppingCriteria):
    """Calls ``on_token`` for each token; an exception in it ends the generation."""

    def __init__(self, on_token: Callable[[], None]) -> None:
        self._on_token = on_token

    def __call__(self, input_ids: torch.LongTensor, scores: Any, **_: Any) -> torch.Tensor:
        self._on_token()
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


def _prompt(processor: Any, question: str) -> str:
    """The question in the chat template of the model."""
    content = [{"type": "image"}, {"type": "text", "text": _plain(processor, question)}]
    prompt: str = processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
    )
    return prompt


def _plain(processor: Any, text: str) -> str:
    """A text without the tokenizer's special tokens, such as ``<image>``."""
    for token in sorted(processor.tokenizer.get_added_vocab(), key=len, reverse=True):
        text = text.replace(token, " ")
    return " ".join(text.split())


def _within_aspect(image: Image.Image) -> Image.Image:
    """The image in RGB, padded with white below or on the right to at most :data:`MOST_ASPECT`."""
    return pad_aspect(flat_rgb(image), MOST_ASPECT)
