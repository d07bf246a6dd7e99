"""A tiny Stable Diffusion inpainting checkpoint with random weights, and a LoRA for it.

The tests of other members load this file by its path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["build", "build_lora"]


def build(folder: Path, *, channels: int = 9, with_lora: bool = True) -> Path:
    """Write a pipeline (9 channels, or 4 like plain Stable Diffusion) and return its folder."""
    import diffusers
    import torch

    torch.manual_seed(21)
    kind: Any = diffusers.StableDiffusionInpaintPipeline
    pipeline = kind(
        vae=_vae(),
        text_encoder=_text_encoder(),
        tokenizer=_tokenizer(),
        unet=_unet(channels),
        scheduler=_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    if with_lora:
        build_lora(pipeline, folder / "lcm")
    return folder


def build_lora(pipeline: Any, folder: Path) -> Path:
    """Write a LoRA of the UNet's attention with random weights, and return its folder."""
    import torch
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    pipeline.unet.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_k", "to_v"]))
    weights = get_peft_model_state_dict(pipeline.unet)
    generator = torch.Generator().manual_seed(22)
    random = {name: torch.randn(part.shape, generator=generator) / 4 for name, part in weights.items()}
    pipeline.save_lora_weights(folder, unet_lora_layers=random)
    return folder


def _tokenizer() -> Any:
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    symbols = sorted(ByteLevel.alphabet())
    words = [*symbols, *(symbol + "</w>" for symbol in symbols), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def _text_encoder() -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        vocab_size=514,
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=513,
    )
    return CLIPTextModel(config)


def _unet(channels: int) -> Any:
    import diffusers

    kind: Any = diffusers.UNet2DConditionModel
    return kind(
        sample_size=64,
        in_channels=channels,
        out_channels=4,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        cross_attention_dim=32,
    )


def _vae() -> Any:
    import diffusers

    kind: Any = diffusers.AutoencoderKL
    return kind(
        block_out_channels=(8, 16, 16, 16),
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        sample_size=128,
    )


def _scheduler() -> Any:
    import diffusers

    kind: Any = diffusers.PNDMScheduler
    return kind(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        skip_prk_steps=True,
        set_alpha_to_one=False,
        steps_offset=1,
    )
