from __future__ import annotations

from typing import Any

import pytest
import torch

from promptvision.plugin import Cancelled
from promptvision_transformers_llm.generation import CHUNK, Sampling, generate
from promptvision_transformers_llm.grammar import Constraint, reply_grammar
from promptvision_transformers_llm.template import HERMES

PROMPT = [id_ % 500 for id_ in range(2 * CHUNK + 40)]


def nothing() -> None:
    """A check that never stops."""


def text_only(chat: Any) -> Constraint:
    return Constraint(chat.vocabulary, reply_grammar((), HERMES, chat.vocabulary.special))


def test_tokens_are_those_of_the_reference(chat: Any) -> None:
    """transformers' own loop with the same mask, and without the cache of an earlier prompt."""
    chat.cache.reuse([1, 2, 3])
    ours = [
        token
        for tokens in generate(chat, PROMPT, text_only(chat), Sampling(max_tokens=24), nothing)
        for token in tokens
    ]
    constraint = text_only(chat)
    state = {"count": 0}

    def allowed(_: int, ids: torch.Tensor) -> list[int]:
        if state["count"]:
            constraint.accept(int(ids[-1]))
        state["count"] += 1
        found: list[int] = constraint.allowed().nonzero().flatten().tolist()
        return found

    theirs = chat.model.generate(
        torch.tensor([PROMPT]), max_new_tokens=24, do_sample=False, prefix_allowed_tokens_fn=allowed
    )
    assert len(ours) >= 20
    assert ours[:20] == theirs[0, len(PROMPT) :].tolist()[:20]


def test_check_is_made_between_parts_of_a_prompt_and_before_each_token(chat: Any) -> None:
    chat.cache.clear()
    made: list[int] = []
    steps = generate(chat, PROMPT, text_only(chat), Sampling(), lambda: made.append(len(chat.cache.tokens)))
    next(steps)
    assert made == [0, CHUNK, 2 * CHUNK]
    next(steps)
    assert made[3:] == [len(PROMPT)]


@pytest.mark.parametrize("checks", [2, 5])
def test_cancelled_generation_leaves_a_cache_that_can_be_used(chat: Any, checks: int) -> None:
    chat.cache.clear()
    whole = [*generate(chat, PROMPT, text_only(chat), Sampling(max_tokens=8), nothing)]
    chat.cache.clear()
    left = checks

    def check() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        for _ in generate(chat, PROMPT, text_only(chat), Sampling(), check):
            pass
    assert 0 < len(chat.cache.tokens) < len(PROMPT) + checks
    assert [*generate(chat, PROMPT, text_only(chat), Sampling(max_tokens=8), nothing)] == whole


def test_failure_in_the_middle_of_a_part_empties_the_cache(
    chat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.cache.clear()
    last = chat.model.model.layers[-1]

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(last, "forward", fail)
        with pytest.raises(RuntimeError, match="out of memory"):
            next(generate(chat, PROMPT, text_only(chat), Sampling(), nothing))
    assert chat.cache.tokens == []
    assert chat.cache.values.get_seq_length() == 0


def test_text_ends_at_its_limit(chat: Any) -> None:
    tokens = [*generate(chat, PROMPT, text_only(chat), Sampling(max_tokens=5), nothing)]
    assert 1 <= len(tokens) <= 7


def test_temperature_makes_replies_differ(chat: Any) -> None:
    torch.manual_seed(0)
    replies = {str([*generate(chat, PROMPT, text_only(chat), Sampling(1.5, 6), nothing)]) for _ in range(5)}
    assert len(replies) > 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_nan_scores_still_give_an_allowed_token(
    chat: Any, monkeypatch: pytest.MonkeyPatch, value: float, temperature: float
) -> None:
    head = chat.model.lm_head
    monkeypatch.setattr(head, "forward", lambda states: torch.full((1, 1, 10_000), value))
    tokens = [*generate(chat, PROMPT, text_only(chat), Sampling(temperature, 3), nothing)]
    assert tokens
