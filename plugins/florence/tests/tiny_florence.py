"""Build an untrained Florence-2 of a quarter of a million parameters in the real file layout.

Tests of any package may load this file by its path. The result is a folder in the layout of
``save_pretrained``, 1.2 MB, read by the same code as the published weights. Text is tokenised into bytes; the
location tokens ``<loc_0>`` to ``<loc_999>`` and the region tags are those of the real vocabulary.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["build"]

SIDE = 64
INIT_STD = 1.0
"""Wide enough that the untrained model does not repeat one token forever."""

POSITIONS = 96
"""Maximum number of tokens read and written: the untrained model rarely stops by itself."""

IMAGE_TOKENS = (SIDE // 32) ** 2 + 1
TAGS = ("od", "ocr", "cap", "ncap", "dcap", "grounding", "and", "sep", "poly", "seg", "region_cap")
PARSERS = (
    "pure_text",
    "ocr",
    "description_with_bboxes",
    "description_with_polygons",
    "phrase_grounding",
    "polygons",
    "bboxes",
    "description_with_bboxes_or_polygons",
)


def build(folder: Path, *, seed: int = 2) -> Path:
    """Write the checkpoint.

    Args:
        folder: the folder to write to; created if missing.
        seed: of the random weights.

    Returns:
        ``folder``.
    """
    import torch
    from transformers import CLIPImageProcessor, Florence2ForConditionalGeneration, Florence2Processor

    torch.manual_seed(seed)
    tokenizer = _tokenizer()
    images: Any = CLIPImageProcessor(
        size={"height": SIDE, "width": SIDE}, do_center_crop=False, image_seq_length=IMAGE_TOKENS
    )
    images.image_seq_length = IMAGE_TOKENS
    processor: Any = Florence2Processor(
        images, tokenizer, post_processor_config={parser: {} for parser in PARSERS}
    )
    processor.save_pretrained(folder)
    model: Any = Florence2ForConditionalGeneration(_config(tokenizer))
    model.generation_config.update(num_beams=3, early_stopping=True, no_repeat_ngram_size=3)  # as published
    model.save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import BartTokenizer

    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = BartTokenizer(vocab=vocabulary, merges=[], extra_special_tokens={"image_token": "<image>"})
    tags = [f"<{slash}{tag}>" for tag in TAGS for slash in ("", "/")]
    tokenizer.add_tokens([f"<loc_{number}>" for number in range(1000)] + tags)
    return tokenizer


def _config(tokenizer: Any) -> Any:
    from transformers import BartConfig, Florence2Config, Florence2VisionConfig

    return Florence2Config(
        vision_config=Florence2VisionConfig(
            depths=(1, 1, 1, 1),
            embed_dim=(16, 16, 32, 32),
            num_heads=(1, 1, 2, 2),
            num_groups=(1, 1, 2, 2),
            window_size=4,
            projection_dim=32,
        ),
        text_config=BartConfig(
            vocab_size=len(tokenizer),
            d_model=32,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            init_std=INIT_STD,
            max_position_embeddings=POSITIONS,
        ),
        image_token_id=tokenizer.image_token_id,
    )
