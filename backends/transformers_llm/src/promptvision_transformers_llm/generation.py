"""Generate a reply, token by token.

``model.generate`` is not used, because it reads a prompt in one piece, which takes seconds on a CPU and
cannot be cancelled, and because it runs the model for tokens that the grammar determines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from promptvision_transformers_llm.grammar import Constraint
from promptvision_transformers_llm.load import ChatModel

__all__ = ["MAX_TOKENS", "Sampling", "generate"]

MAX_TOKENS = 512
"""Length after which a reply is closed."""

CLOSING_TOKENS = 512
"""Tokens that closing a reply may take: enough for all required arguments of a function."""

CHUNK = 256
"""Tokens of a prompt that are read between two checks for cancellation."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen.

    Args:
        temperature: 0 takes the most likely one.
        max_tokens: number of tokens after which the reply is closed.
    """

    temperature: float = 0.0
    max_tokens: int = MAX_TOKENS


def generate(
    chat: ChatModel,
    prompt: list[int],
    constraint: Constraint,
    sampling: Sampling,
    check: Callable[[], None],
) -> Iterator[list[int]]:
    """Yield the tokens of a reply without its end token; several at once where the grammar determines them.

    Args:
        chat: the model; the caller holds its lock.
        prompt: token ids.
        constraint: the grammar state, which is advanced.
        sampling: how to choose.
        check: called before each token, and between the parts of a long prompt; raise in it to stop.

    Raises:
        ValueError: the reply does not end.
    """
    unread, written = chat.cache.reuse(prompt), 0
    while not constraint.is_complete:
        if written >= sampling.max_tokens + CLOSING_TOKENS:
            raise ValueError(f"the reply did not end within {written} tokens")
        scores = _read(chat, unread, check)
        mask = constraint.allowed(is_closing=written >= sampling.max_tokens)
        token = _choose(scores, mask, sampling.temperature)
        if token in chat.vocabulary.tokens.eos_tokens:
            return
        unread = [token, *constraint.accept(token)]
        written += len(unread)
        yield unread


def _read(chat: ChatModel, tokens: list[int], check: Callable[[], None]) -> torch.Tensor:
    """Run the model on tokens and return the scores of the next token, float32, on the CPU."""
    logits: Any = None
    for start in range(0, len(tokens), CHUNK):
        check()
        part = tokens[start : start + CHUNK]
        ids = torch.tensor([part], device=chat.model.device)
        try:
            with torch.inference_mode():
                logits = chat.model(
                    input_ids=ids, past_key_values=chat.cache.values, use_cache=True, logits_to_keep=1
                ).logits
        except BaseException:
            chat.cache.clear()  # some layers have read the part and some have not
            raise
        chat.cache.tokens += part
    scores: torch.Tensor = logits[0, -1].float().cpu()
    return scores


def _choose(scores: torch.Tensor, mask: torch.Tensor, temperature: float) -> int:
    """Choose one of the allowed tokens; NaN scores count as the lowest."""
    masked = torch.full((len(mask),), -1e30)
    masked[: len(scores)] = scores[: len(mask)].nan_to_num(-1e30, 1e30, -1e30)
    masked[~mask] = -torch.inf
    if temperature == 0:
        return int(masked.argmax())
    return int(torch.multinomial(torch.softmax(masked / temperature, dim=-1), 1))
