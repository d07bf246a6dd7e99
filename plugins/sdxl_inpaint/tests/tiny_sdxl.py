"""Tiny SDXL checkpoints with random weights, in the folder layout of diffusers.

The tests of other members load this file by its path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["build_base", "build_refiner", "variables"]


def build_base(folder: Path, *, channels: int = 9) -> Path:
    """Write an SDXL inpainting pipeline (9 channels, or 4 like plain SDXL), 11 MB, and return its folder."""
    import torch

    torch.manual_seed(11)
    tokenizer = _tokenizer()
    pipeline = _diffusers().StableDiffusionXLInpaintPipeline(
        vae=_vae(),
        text_encoder=_text_encoder(projected=False),
        text_encoder_2=_text_encoder(projected=True),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=_unet(channels=channels, cross=64, ids=6),
        scheduler=_scheduler(),
        add_watermarker=False,
    )
    pipeline.save_pretrained(folder)
    return folder


def build_refiner(folder: Path) -> Path:
    """Write an SDXL refiner pipeline, 11 MB, and return its folder."""
    import torch

    torch.manual_seed(12)
    pipeline = _diffusers().StableDiffusionXLInpaintPipeline(
        vae=_vae(),
        text_encoder=None,
        text_encoder_2=_text_encoder(projected=True),
        tokenizer=None,
        tokenizer_2=_tokenizer(),
        unet=_unet(channels=4, cross=32, ids=5),
        scheduler=_scheduler(),
        requires_aesthetics_score=True,
        force_zeros_for_empty_prompt=False,
        add_watermarker=False,
    )
    pipeline.save_pretrained(folder)
    return folder


def variables(base: Path, refiner: Path, generator: Path | None = None) -> dict[str, str]:
    """Settings that replace the models by these folders, and limit the number of pixels."""
    folders = {
        "SDXL_INPAINT": base,
        "SDXL_TEXT_ENCODER": base,
        "SDXL_TEXT_ENCODER_2": base,
        "SDXL_VAE": base,
        "SDXL_REFINER": refiner,
    }
    if generator is not None:
        folders["SDXL_BASE"] = generator
    settings = {f"PROMPTVISION_MODEL_{name}": str(folder) for name, folder in folders.items()}
    return {**settings, "PROMPTVISION_SDXL_PIXELS": "16384"}


def _diffusers() -> Any:
    import diffusers

    return diffusers


def _tokenizer() -> Any:
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    symbols = sorted(ByteLevel.alphabet())
    words = [*symbols, *(symbol + "</w>" for symbol in symbols), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def _text_encoder(*, projected: bool) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=514,
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=3,
        num_attention_heads=4,
        projection_dim=32,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=513,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def _unet(*, channels: int, cross: int, ids: int) -> Any:
    return _diffusers().UNet2DConditionModel(
        sample_size=16,
        in_channels=channels,
        out_channels=4,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        transformer_layers_per_block=(1, 1),
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=ids * 8 + 32,
        cross_attention_dim=cross,
    )


def _vae() -> Any:
    return _diffusers().AutoencoderKL(
        block_out_channels=(32, 64, 64, 64),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        scaling_factor=0.13025,
        sample_size=128,
        force_upcast=False,
    )


def _scheduler() -> Any:
    return _diffusers().EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
        timestep_spacing="leading",
    )
