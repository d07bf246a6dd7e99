"""The grammar of a reply: a call of an offered function with valid arguments, or plain text.

The grammar masks tokens that must not follow, so every reply fits it, whatever the weights. llguidance
compiles Lark grammars and JSON schemas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer

from promptvision.plugin import Function
from promptvision_transformers_llm.template import CallSyntax

__all__ = ["Constraint", "Vocabulary", "bounded", "reply_grammar"]

_OPTIONS = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    "coerce_one_of": True,
    "lenient": True,  # a keyword that llguidance does not know is left to the validation of arguments
}
_LARGEST = 1e9
"""Limit for numbers without one: some JSON numbers are infinite in Python."""

_TEXT = r"/[^\s<{\[`\x00-\x1f][^<\x00-\x08\x0b-\x1f]*/"
"""Text never looks like a call: it has no tags, and does not begin like JSON or a fenced block."""

_FORMS = {
    1: re.compile(rb'"[}\]]*$'),
    2: re.compile(rb"[}\]]+$"),
    3: re.compile(rb'[^"0-9.+eE-]'),
    4: re.compile(rb"[1-9]+$"),
}
"""Ranks of :attr:`Vocabulary.ranks`, by what a token looks like."""


def reply_grammar(functions: Sequence[Function], syntax: CallSyntax, special: Mapping[str, int]) -> str:
    """The Lark grammar of a reply.

    Args:
        functions: what may be called; if there are none, the reply is text.
        syntax: how a call is written.
        special: text of a special token to its id; such a token is not made of characters.
    """
    rules, calls = [], ["text"]
    for index, function in enumerate(functions):
        schema = json.dumps({**bounded(function.parameters), "x-guidance": _OPTIONS})
        opening = _literal(f"{syntax.opening}{function.name}{syntax.middle}", special)
        rules.append(f"call_{index}: {opening} %json {schema} {_literal(syntax.closing, special)}")
        calls.append(f"call_{index}")
    return "\n".join([f"start: {' | '.join(calls)}", "text: TEXT", f"TEXT: {_TEXT}", *rules])


def bounded(schema: Any) -> Any:
    """A JSON schema in which every number has a lowest and a highest value."""
    if isinstance(schema, list):
        return [bounded(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {
        key: value if key in ("enum", "const", "default") else bounded(value) for key, value in schema.items()
    }
    if schema.get("type") in ("number", "integer"):
        if "exclusiveMinimum" not in made:
            made.setdefault("minimum", -_LARGEST)
        if "exclusiveMaximum" not in made:
            made.setdefault("maximum", _LARGEST)
    return made


def _literal(text: str, special: Mapping[str, int]) -> str:
    """A text in Lark: strings, and special tokens by their id."""
    pattern = "|".join(map(re.escape, sorted(special, key=len, reverse=True)))
    parts = re.split(f"({pattern})", text) if pattern else [text]
    return " ".join(f"<[{special[part]}]>" if part in special else json.dumps(part) for part in parts if part)


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a model.

    Args:
        tokens: the bytes of each token, and the tokens that end a reply.
        added: text and id of tokens that were added to the tokenizer.
    """

    tokens: LLTokenizer
    added: Mapping[str, int]

    @property
    def size(self) -> int:
        """Number of tokens."""
        return self.tokens.vocab_size

    @cached_property
    def special(self) -> dict[str, int]:
        """Those of ``added`` that a grammar must name by their ids."""
        return {text: id_ for text, id_ in self.added.items() if self.tokens.is_special_token(id_)}

    @cached_property
    def ranks(self) -> Any:
        """How directly each token leads to the end of a reply; the lowest rank ends it soonest.

        0: the end itself. 1: a quote, which ends a string, or begins a key or value that the next quote ends.
        2: brackets, which end arrays and objects. 3: what ends a number. 4: digits other than zero: a number
        may have to be another one than zero, and may not end in zeros. 5: the rest.
        """
        ranks = np.full(self.size, 5, np.uint8)
        for token in range(self.size):
            text = self.tokens.decode_bytes([token])
            ranks[token] = next((rank for rank, form in _FORMS.items() if form.match(text)), 5)
        ranks[self.tokens.eos_tokens] = 0
        return ranks


class Constraint:
    """The state of the grammar in one reply.

    Args:
        vocabulary: of the model.
        grammar: of :func:`reply_grammar`.

    Raises:
        ValueError: the grammar is invalid.
    """

    def __init__(self, vocabulary: Vocabulary, grammar: str) -> None:
        self._vocabulary = vocabulary
        self._matcher = LLMatcher(vocabulary.tokens, grammar, log_level=0)
        self._raise_error()

    @property
    def is_complete(self) -> bool:
        """Whether nothing can follow."""
        return self._matcher.is_stopped()

    def allowed(self, *, is_closing: bool = False) -> torch.Tensor:
        """Which tokens may follow: one boolean per token of the vocabulary.

        Args:
            is_closing: allow only tokens that lead to the end of the reply.
        """
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        self._raise_error()
        mask = np.unpackbits(bits, count=self._vocabulary.size, bitorder="little").astype(bool)
        if is_closing:
            ranks = self._vocabulary.ranks
            mask &= ranks == ranks[mask].min(initial=ranks.max())
        return torch.from_numpy(mask)

    def accept(self, token: int) -> list[int]:
        """Accept a token, and return the tokens that must follow it, which are accepted too."""
        self._matcher.consume_token(token)
        forced: list[int] = [] if self.is_complete else self._matcher.compute_ff_tokens()
        if forced:
            self._matcher.consume_tokens(forced)
        self._raise_error()
        return forced

    def _raise_error(self) -> None:
        if self._matcher.is_error():
            raise ValueError(self._matcher.get_error().partition("\n")[0])
