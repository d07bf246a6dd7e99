"""Build an untrained Grounding DINO of half a million parameters in the real file layout.

Tests of any package may load this file by its path. The result is a folder in the layout of
``save_pretrained``, 2 MB, read by the same code as the published weights. Special tokens have the ids of the
real vocabulary, since 101, 102, 1012 and 1029 are hard-coded in the model.
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

__all__ = ["WORDS", "build"]

WORDS = ("lion", "tree", "red", "ball", "melon", "zucchini", "person", "sky")
"""Words with their own token; all others are split into letters, like rare words in the real model."""

SPECIAL = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}


def build(folder: Path, *, seed: int = 0) -> Path:
    """Write the checkpoint.

    Args:
        folder: the folder to write to; created if missing.
        seed: of the random weights.

    Returns:
        ``folder``.
    """
    import torch
    from transformers import (
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessor,
        GroundingDinoProcessor,
    )

    torch.manual_seed(seed)
    model: Any = GroundingDinoForObjectDetection(_config())
    images = GroundingDinoImageProcessor(size={"shortest_edge": 128, "longest_edge": 200})
    model.save_pretrained(folder)
    processor: Any = GroundingDinoProcessor(images, _tokenizer())  # type: ignore[no-untyped-call]
    processor.save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    from transformers import BertTokenizer

    return BertTokenizer(vocab=_vocabulary())


def _vocabulary() -> dict[str, int]:
    letters = string.ascii_lowercase + string.digits
    words = iter([*letters, *(f"##{letter}" for letter in letters), *WORDS])
    by_id = {number: token for token, number in SPECIAL.items()}
    tokens = (by_id.get(number) or next(words, f"[unused{number}]") for number in range(1031))
    return {token: number for number, token in enumerate(tokens)}


def _config() -> Any:
    from transformers import BertConfig, GroundingDinoConfig, SwinConfig

    return GroundingDinoConfig(
        backbone_config=SwinConfig(
            image_size=128,
            embed_dim=16,
            depths=[1, 1, 1, 1],
            num_heads=[1, 1, 2, 2],
            window_size=4,
            out_features=["stage2", "stage3", "stage4"],  # type: ignore[call-arg]
        ),
        text_config=BertConfig(
            vocab_size=1031,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=512,
        ),
        d_model=32,
        encoder_layers=2,
        encoder_ffn_dim=64,
        encoder_attention_heads=2,
        decoder_layers=2,
        decoder_ffn_dim=64,
        decoder_attention_heads=2,
        num_queries=20,
    )
