from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import Qwen3Config

from promptvision_transformers_llm.cache import PromptCache, shared_length


def read(model: Any, cache: PromptCache, prompt: list[int]) -> tuple[torch.Tensor, int]:
    """Scores after a prompt, and how many tokens the model had to read for them."""
    unread = cache.reuse(prompt)
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([unread]), past_key_values=cache.values, use_cache=True).logits
    cache.tokens += unread
    return logits[0, -1], len(unread)


def test_only_what_differs_is_read_and_the_scores_are_those_of_the_whole(chat: Any) -> None:
    model = chat.model
    cache = PromptCache(model.config, model.dtype, 512)
    system, question, other = list(range(10, 90)), list(range(100, 120)), list(range(200, 230))
    for prompt, expected in (
        (system + question, 100),
        (system + question + other, 30),
        (system + other, 30),
        (system + other, 1),
        (question, 20),
    ):
        scores, count = read(model, cache, prompt)
        assert count == expected
        assert cache.tokens == prompt
        with torch.inference_mode():
            whole = model(input_ids=torch.tensor([prompt])).logits[0, -1]
        assert torch.allclose(scores, whole, atol=1e-3)


def test_window_that_has_moved_on_is_read_again(chat: Any) -> None:
    config = Qwen3Config(
        vocab_size=600,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        use_sliding_window=True,
        sliding_window=16,
        max_window_layers=0,
    )
    from transformers import Qwen3ForCausalLM

    model: Any = Qwen3ForCausalLM(config)
    model.eval()
    cache = PromptCache(config, model.dtype, 512)
    begin = list(range(40))
    assert read(model, cache, [*begin, 50, 51])[1] == 42
    assert read(model, cache, [*begin, 50, 51, 52])[1] == 1, "what is only continued is kept"
    scores, count = read(model, cache, [*begin, 60])
    assert count == 41
    with torch.inference_mode():
        whole = model(input_ids=torch.tensor([[*begin, 60]])).logits[0, -1]
    assert torch.allclose(scores, whole, atol=1e-3)


@pytest.mark.parametrize(
    ("one", "other", "expected"), [("", "a", 0), ("ab", "abc", 2), ("abd", "abc", 2), ("x", "y", 0)]
)
def test_shared_length(one: str, other: str, expected: int) -> None:
    assert shared_length(one, other) == expected


def test_capacity_is_no_more_than_the_model_has_positions(chat: Any) -> None:
    config = chat.model.config
    assert PromptCache(config, torch.float32, 10**6).capacity == config.max_position_embeddings
    half = PromptCache(config, torch.bfloat16, 100).nbytes
    assert PromptCache(config, torch.float32, 100).nbytes == 2 * half == 100 * 2 * 2 * 2 * 8 * 4
