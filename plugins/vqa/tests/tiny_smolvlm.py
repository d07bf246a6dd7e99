"""Builds an untrained SmolVLM in the real file layout: a folder as ``save_pretrained`` writes it.

SmolVLM-256M and -500M are Idefics3 models. Text is cut into bytes; the special tokens are those of the real
vocabulary. Tests of any package may load this file by its path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["build"]

SIDE, PATCH, SCALE = 32, 8, 2
IMAGE_TOKENS = (SIDE // PATCH) ** 2 // SCALE**2
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<end_of_utterance>", "<fake_token_around_image>", "<image>")
PLACES = ("<global-img>", *(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)))
TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message.role | capitalize }}:"
    "{% for part in message.content %}{{ '<image>' if part.type == 'image' else part.text }}{% endfor %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)


def build(folder: Path, *, seed: int = 2) -> Path:
    """Write the checkpoint.

    Args:
        folder: where to; made if it is not there.
        seed: of the random weights.

    Returns:
        ``folder``.
    """
    import torch
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration

    torch.manual_seed(seed)
    processor = _processor()
    tokenizer = processor.tokenizer
    config: Any = Idefics3Config(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=SCALE,
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": SIDE,
            "patch_size": PATCH,
            "initializer_range": 1.0,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "pad_token_id": tokenizer.convert_tokens_to_ids("<|endoftext|>"),
            "bos_token_id": tokenizer.convert_tokens_to_ids("<|im_start|>"),
            "eos_token_id": tokenizer.convert_tokens_to_ids("<end_of_utterance>"),
            "initializer_range": 1.0,
        },
    )
    model: Any = Idefics3ForConditionalGeneration(config)
    model.generation_config.update(
        eos_token_id=config.text_config.eos_token_id, pad_token_id=config.text_config.pad_token_id
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _processor() -> Any:
    from transformers import Idefics3ImageProcessor, Idefics3Processor

    kind: Any = Idefics3ImageProcessor
    images = kind(
        size={"longest_edge": 2 * SIDE}, max_image_size={"longest_edge": SIDE}, do_image_splitting=True
    )
    whole: Any = Idefics3Processor
    return whole(images, _tokenizer(), image_seq_len=IMAGE_TOKENS, chat_template=TEMPLATE)


def _tokenizer() -> Any:
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import GPT2Tokenizer

    symbols = sorted(ByteLevel.alphabet())
    vocabulary = {word: index for index, word in enumerate((*SPECIAL, *symbols))}
    tokenizer: Any = GPT2Tokenizer(
        vocab=vocabulary,
        merges=[],
        unk_token="<|endoftext|>",
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        pad_token="<|endoftext|>",
    )
    tokenizer.add_special_tokens({"additional_special_tokens": [*SPECIAL, *PLACES]})
    return tokenizer
