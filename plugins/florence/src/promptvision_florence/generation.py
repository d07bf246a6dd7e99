"""Run Florence-2 on an image and a task.

Xiao et al., "Florence-2" (arXiv 2311.06242): every task maps text to text. A position in the image is written
as tokens ``<loc_0>`` to ``<loc_999>``, thousandths of its width or height.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from promptvision.plugin import ArgumentsError, PretrainedModel, flat_rgb

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "BINS",
    "MAX_NEW_TOKENS",
    "Certainty",
    "first_location",
    "plain_label",
    "words",
    "write",
    "write_all",
]

MAX_NEW_TOKENS = 1024
"""As in the model card's examples; about 700 words."""

BINS = 1000
"""Number of bins of a side of the image."""

TOLERANCE = 25
"""Distance in bins within which probabilities of a position are summed (2.5 % of a side)."""


def first_location(florence: PretrainedModel) -> int:
    """Id of ``<loc_0>``; the other location tokens follow it in order."""
    found: int = florence.processor.tokenizer.convert_tokens_to_ids("<loc_0>")
    return found


class Certainty(LogitsProcessor):
    """Records the probability of each generated token, without changing it.

    Args:
        first_location: see :func:`first_location`.
    """

    def __init__(self, first_location: int) -> None:
        self._first = first_location
        self._best: list[float] = []
        self._locations: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.LongTensor, scores: torch.Tensor) -> torch.Tensor:
        """Record one step; called by ``generate``."""
        probabilities = scores[0].float().softmax(dim=-1)
        self._best.append(float(probabilities.max()))
        self._locations.append(probabilities[self._first : self._first + BINS].cpu())
        return scores

    def of_token(self, position: int) -> float:
        """Probability of the token at a position; position 0 is the given start token."""
        return self._best[position - 1]

    def of_location(self, position: int, bin_: int) -> float:
        """Probability that the location at a position is within :data:`TOLERANCE` of a bin."""
        near = self._locations[position - 1][max(0, bin_ - TOLERANCE) : bin_ + TOLERANCE + 1]
        return min(1.0, float(near.sum()))


class _Check(StoppingCriteria):
    """Checks for cancellation after each token; an exception of ``check`` ends the generation."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check

    def __call__(self, input_ids: torch.LongTensor, scores: Any, **_: Any) -> torch.Tensor:
        self._check()
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


class _CheckEach(StoppingCriteria):
    """Checks several answers for cancellation after each token; an exception ends one of them."""

    def __init__(self, checks: Sequence[Callable[[], None]]) -> None:
        self.raised: dict[int, Exception] = {}
        self._checks = checks

    def __call__(self, input_ids: torch.LongTensor, scores: Any, **_: Any) -> torch.Tensor:
        for index, check in enumerate(self._checks):
            if index not in self.raised:
                try:
                    check()
                except Exception as exc:  # noqa: BLE001  # whatever it raises ends this answer alone
                    self.raised[index] = exc
        ended = [index in self.raised for index in range(len(self._checks))]
        return torch.tensor(ended, device=input_ids.device)


def write(
    florence: PretrainedModel,
    image: Image,
    prompt: str,
    check: Callable[[], None],
    certainty: Certainty | None = None,
) -> list[int]:
    """Generate the answer to a task with greedy decoding.

    Args:
        florence: the model.
        image: any mode; transparent parts are read as white.
        prompt: a task such as ``<CAPTION>``, followed by its text if the task takes one.
        check: called after each token; an exception stops the generation.
        certainty: records the probabilities.

    Returns:
        Token ids, the start token first.

    Raises:
        ArgumentsError: the prompt has more tokens than the model reads.
    """
    (written,) = _generate(florence, [image], prompt, _Check(check), [certainty] if certainty else [])
    return written


def write_all(
    florence: PretrainedModel, images: Sequence[Image], prompt: str, checks: Sequence[Callable[[], None]]
) -> list[list[int] | Exception]:
    """Generate the answers to one task about several images at once.

    Args:
        florence: the model.
        images: any modes.
        prompt: as for :func:`write`.
        checks: one for each image, called after each token; an exception ends the answer about that image.

    Returns:
        For each image the token ids, or what its check raised.
    """
    check = _CheckEach(checks)
    written = _generate(florence, images, prompt, check, [])
    return [check.raised.get(index, ids) for index, ids in enumerate(written)]


def _generate(
    florence: PretrainedModel,
    images: Sequence[Image],
    prompt: str,
    check: StoppingCriteria,
    processors: list[LogitsProcessor],
) -> list[list[int]]:
    with florence.lock:
        inputs = florence.processor(
            images=[flat_rgb(image) for image in images], text=[prompt] * len(images), return_tensors="pt"
        )
    model = florence.model
    _require_positions(model, inputs)
    with torch.inference_mode():
        ids = model.generate(
            **inputs.to(model.device, model.dtype),
            max_new_tokens=min(MAX_NEW_TOKENS, model.config.text_config.max_position_embeddings),
            num_beams=1,
            early_stopping=False,
            do_sample=False,
            logits_processor=LogitsProcessorList(processors),
            stopping_criteria=StoppingCriteriaList([check]),
        )
    end = model.generation_config.eos_token_id
    ends = {end} if isinstance(end, int) else set(end or ())
    return [_until_end(row, ends) for row in ids.tolist()]


def _until_end(ids: list[int], ends: set[int]) -> list[int]:
    """Tokens up to the first end token, without the padding behind it; the start token may equal it."""
    last = next((place for place, token in enumerate(ids) if place and token in ends), len(ids))
    return ids[: last + 1]


def _require_positions(model: Any, inputs: Any) -> None:
    """Reject input longer than the position table, which would break CUDA for the whole process."""
    embedded = int(inputs["attention_mask"].shape[1])
    limit = int(model.config.text_config.max_position_embeddings)
    if embedded > limit:
        raise ArgumentsError(
            f"prompt: {embedded} tokens with those of the image, Florence-2 reads {limit}; use a shorter name"
        )


def plain_label(florence: PretrainedModel, label: str) -> str:
    """A label without special tokens of the tokenizer, such as ``<image>`` or ``<loc_5>``."""
    with florence.lock:
        special = florence.processor.tokenizer.get_added_vocab()
    for token in sorted(special, key=len, reverse=True):
        label = label.replace(token, " ")
    return " ".join(label.split())


def words(florence: PretrainedModel, ids: Iterable[int]) -> str:
    """The plain text of tokens."""
    text: str = florence.processor.decode(list(ids), skip_special_tokens=True)
    return text.strip()
