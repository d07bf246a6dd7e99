"""The prompt cache: the key-value cache of the last request, reused by the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache

__all__ = ["PromptCache", "shared_length"]


class PromptCache:
    """Keys and values of one token sequence; the next request reuses their common prefix.

    The steps of a turn share a prefix, and the turns of all conversations share the system prompt.

    Args:
        config: of the model.
        dtype: of the keys and values.
        capacity: the longest sequence, in tokens.
    """

    def __init__(self, config: Any, dtype: torch.dtype, capacity: int) -> None:
        self._config = config.get_text_config()
        positions = getattr(self._config, "max_position_embeddings", None) or capacity
        self.capacity = min(capacity, positions)
        self.nbytes = self.capacity * _token_bytes(self._config, dtype)
        """Maximum size; the model pool counts it with the weights."""
        self.tokens: list[int] = []
        self._values = DynamicCache(config=self._config)

    @property
    def values(self) -> DynamicCache:
        """The keys and values of :attr:`tokens`, as the model takes and extends them."""
        return self._values

    def reuse(self, prompt: list[int]) -> list[int]:
        """Keep the common prefix with a prompt, drop the rest, and return the tokens still to be read.

        At least the last token is returned, because the next one is predicted from it.
        """
        if surplus := len(self.tokens) - shared_length(self.tokens, prompt[:-1]):
            self._crop(surplus)
        return prompt[len(self.tokens) :]

    def clear(self) -> None:
        """Drop everything."""
        self.tokens = []
        self._values = DynamicCache(config=self._config)

    def _crop(self, surplus: int) -> None:
        # A recurrent state or a sliding window cannot be cropped.
        if any(self._values.is_sliding) or not self._values.is_croppable:
            self.clear()
            return
        self._values.crop(-surplus)
        del self.tokens[-surplus:]


def shared_length(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Length of the common prefix of two sequences."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def _token_bytes(config: Any, dtype: torch.dtype) -> int:
    """Bytes of the keys and values of one token, in all layers; an upper bound."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * config.num_hidden_layers * heads * width * dtype.itemsize)
