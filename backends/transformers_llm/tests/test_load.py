from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from promptvision.plugin import ModelPool, SetupError
from promptvision_transformers_llm.load import load
from promptvision_transformers_llm.plugin import CONTEXT_TOKENS, MODEL


def test_pool_reserves_memory_for_the_full_cache(pool: ModelPool) -> None:
    with pool.lease(MODEL.id) as (chat,):
        weights = sum(each.numel() * each.element_size() for each in chat.model.parameters())
        values = 2 * 2 * 2 * 8 * CONTEXT_TOKENS * 4  # keys and values, layers, heads, width
        assert chat.cache.nbytes == values
        (loaded,) = pool.loaded()
        assert weights + values <= loaded.bytes < 1.1 * (weights + values)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_dtype_is_that_of_the_weights(checkpoint: Path, dtype: str) -> None:
    chat = load(checkpoint, "cpu", dtype)
    assert chat.model.dtype == getattr(torch, dtype)
    assert not chat.model.training


def test_every_end_token_of_the_model_ends_a_reply(chat: Any) -> None:
    assert chat.vocabulary.tokens.eos_tokens == chat.model.generation_config.eos_token_id
    assert chat.vocabulary.size == chat.model.config.vocab_size


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("chat_template.jinja", None, "it has no chat template"),
        ("tokenizer_config.json", {"eos_token": None}, "no end-of-text token"),
    ],
)
def test_model_that_cannot_chat_is_refused(
    checkpoint: Path, tmp_path: Path, name: str, change: dict[str, Any] | None, expected: str
) -> None:
    folder = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
    if change is None:
        (folder / name).unlink()
    else:
        written = json.loads((folder / name).read_text("utf-8"))
        (folder / name).write_text(json.dumps({**written, **change}), "utf-8")
    with pytest.raises(SetupError, match=expected) as caught:
        load(folder, "cpu", "float32")
    assert "PROMPTVISION_MODEL_QWEN3_0_6B" in str(caught.value)


def test_missing_weights_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
    weights = load_file(folder / "model.safetensors")
    removed = next(name for name in weights if name.endswith("q_proj.weight"))
    save_file(
        {name: tensor for name, tensor in weights.items() if name != removed},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(SetupError, match="1 missing or of another shape"):
        load(folder, "cpu", "float32")
