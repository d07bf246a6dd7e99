"""Hook implementations of promptvision-sdxl-inpaint: two tools and their six models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from promptvision.plugin import (
    GenerateArgs,
    Gpu,
    InpaintArgs,
    ModelSpec,
    Requirements,
    Section,
    Tool,
    WeightFile,
    hookimpl,
    operations,
)

__all__ = [
    "BASE",
    "GENERATE",
    "GENERATOR",
    "INPAINT",
    "PLUGIN_API",
    "REFINER",
    "SPECS",
    "TEXT_ENCODER",
    "TEXT_ENCODER_2",
    "VAE",
    "SdxlArgs",
    "SdxlGenerateArgs",
]

PLUGIN_API = 1


class SdxlSection(Section):
    """Inpainting and generating with SDXL."""

    sdxl_pixels: int | None = Field(
        None, description="Pixels that are painted at a time; default: the trained size."
    )
    sdxl_content_check: str | None = Field(
        None, description="Function 'module:function' that accepts or rejects each result."
    )
    sdxl_xformers: bool = Field(
        False, description="Use xformers for attention on a GPU; torch's own is usually faster."
    )


BASE = "sdxl-inpaint"
GENERATOR = "sdxl-base"
REFINER = "sdxl-refiner"
TEXT_ENCODER = "sdxl-text-encoder"
TEXT_ENCODER_2 = "sdxl-text-encoder-2"
VAE = "sdxl-vae"

_RAIL = "CreativeML Open RAIL++-M"
_RAIL_URL = "https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md"


class SdxlArgs(InpaintArgs):
    """Arguments of ``inpaint_image`` with SDXL."""

    guidance: float = Field(7.5, ge=1, le=30, description="How closely to follow the prompt; 1 ignores it.")
    refiner: bool = Field(True, description="Run the last fifth with the refiner, for finer detail.")
    refiner_steps: int | None = Field(
        None,
        ge=1,
        le=150,
        description="Step count of the refiner's schedule, of which it runs the last fifth. Default: that of "
        "'steps'; with any other, the noise level jumps where the refiner takes over.",
    )


class SdxlGenerateArgs(GenerateArgs):
    """Arguments of ``generate_image`` when SDXL fulfils it."""

    negative_prompt: str | None = Field(None, max_length=2000, description="What must not appear.")
    seed: int | None = Field(None, ge=0, lt=2**32, description="Same seed, same image.")
    steps: int = Field(30, ge=1, le=150, description="Denoising steps.")
    guidance: float = Field(5.0, ge=1, le=30, description="How closely to follow the prompt; 1 ignores it.")


def _bytes(parameters: int) -> dict[str, int]:
    return {"float16": 2 * parameters, "bfloat16": 2 * parameters, "float32": 4 * parameters}


def _hub(id_: str, source: str, revision: str, files: tuple[WeightFile, ...], **more: Any) -> ModelSpec:
    options: dict[str, Any] = {
        "license": _RAIL,
        "license_url": _RAIL_URL,
        "dtypes": {"cuda": ("float16",), "cpu": ("float32",)},
        "tier": "full",
        "movable": True,
        **more,
    }
    return ModelSpec(
        id=id_,
        source=source,
        revision=revision,
        files=files,
        load=f"promptvision_sdxl_inpaint.load:{options.pop('loader')}",
        **options,
    )


def _base(id_: str, files: tuple[WeightFile, ...], **more: Any) -> ModelSpec:
    return _hub(
        id_,
        "diffusers/stable-diffusion-xl-1.0-inpainting-0.1",
        "115134f363124c53c7d878647567d04daf26e41e",
        files,
        **more,
    )


_UNET_PEAK = {"float16": 600_000_000, "float32": 1_200_000_000}
"""Activations of one guided step at 1024 x 1024. ComfyUI's estimate: latents x batch x bytes x 0.008 MiB."""

SPECS = (
    _base(
        BASE,
        (
            WeightFile("unet/config.json"),
            WeightFile(
                "unet/diffusion_pytorch_model.fp16.safetensors",
                sha256="6470840731e98cc16713ddf3ac7ee458c9fdbcb881a98c6727cd4a938f227d3f",
                size=5_135_178_560,
            ),
            WeightFile("scheduler/scheduler_config.json"),
        ),
        weight_bytes=_bytes(2_567_478_084),
        peak_bytes=_UNET_PEAK,
        loader="load_denoiser",
    ),
    _hub(
        GENERATOR,
        "stabilityai/stable-diffusion-xl-base-1.0",
        "462165984030d82259a11f4367a4eed129e94a7b",
        (
            WeightFile("unet/config.json"),
            WeightFile(
                "unet/diffusion_pytorch_model.fp16.safetensors",
                sha256="83e012a805b84c7ca28e5646747c90a243c65c8ba4f070e2d7ddc9d74661e139",
                size=5_135_149_760,
            ),
            WeightFile("scheduler/scheduler_config.json"),
        ),
        weight_bytes=_bytes(2_567_463_684),
        peak_bytes=_UNET_PEAK,
        loader="load_denoiser",
    ),
    _hub(
        REFINER,
        "stabilityai/stable-diffusion-xl-refiner-1.0",
        "5d4cfe854c9a9a87939ff3653551c2b3c99a4356",
        (
            WeightFile("unet/config.json"),
            WeightFile("unet/diffusion_pytorch_model.fp16.safetensors"),
            WeightFile("scheduler/scheduler_config.json"),
        ),
        weight_bytes=_bytes(2_259_530_000),
        download_bytes=2 * 2_259_530_000,
        peak_bytes=_UNET_PEAK,
        loader="load_denoiser",
    ),
    _base(
        TEXT_ENCODER,
        (
            WeightFile("text_encoder/config.json"),
            WeightFile("text_encoder/model.fp16.safetensors", size=246_144_867),
            WeightFile("tokenizer/*"),
        ),
        weight_bytes=_bytes(123_060_480),
        loader="load_text_encoder",
    ),
    _base(
        TEXT_ENCODER_2,
        (
            WeightFile("text_encoder_2/config.json"),
            WeightFile("text_encoder_2/model.fp16.safetensors", size=1_389_382_884),
            WeightFile("tokenizer_2/*"),
        ),
        weight_bytes=_bytes(694_659_840),
        loader="load_text_encoder_2",
    ),
    _hub(
        VAE,
        "madebyollin/sdxl-vae-fp16-fix",
        "207b116dae70ace3637169f1ddd2434b91b3a8cd",
        (
            WeightFile("config.json"),
            WeightFile(
                "diffusion_pytorch_model.safetensors",
                sha256="1b909373b28f2137098b0fd9dbc6f97f8410854f31f84ddc9fa04b077b0ace2c",
                size=334_643_238,
            ),
        ),
        license="MIT",
        license_url="https://huggingface.co/madebyollin/sdxl-vae-fp16-fix",
        weight_bytes=_bytes(83_653_863),
        loader="load_vae",
    ),
)
"""All models. Revisions, digests and sizes are pinned by several public projects; a file without a digest
here is checked against that of the hub. Parameters are counted from the configurations."""

_GPU_BYTES = 8_000_000_000
"""The largest stage, its activations and what else uses a GPU. On smaller ones weights are streamed layer by
layer."""

INPAINT = Tool(
    name="sdxl_inpaint",
    operation=operations.INPAINT,
    args=SdxlArgs,
    run="promptvision_sdxl_inpaint.paint:inpaint",
    slow_priority=30,
    requires=Requirements(
        models=(BASE, TEXT_ENCODER, TEXT_ENCODER_2, VAE), gpu=Gpu.PREFERRED, gpu_bytes=_GPU_BYTES
    ),
    limits="It cannot write legible text, and takes minutes without a GPU; promptvision-opencv removes "
    "objects in a second.",
)


GENERATE = Tool(
    name="sdxl_generate",
    operation=operations.GENERATE,
    args=SdxlGenerateArgs,
    run="promptvision_sdxl_inpaint.generate:generate",
    requires=Requirements(models=(GENERATOR, TEXT_ENCODER, TEXT_ENCODER_2, VAE), gpu=Gpu.PREFERRED),
    limits="It cannot write legible text or count, and takes minutes without a GPU.",
)
"""Shares the text encoders and the VAE with the other tool."""


@hookimpl
def promptvision_tools() -> Iterable[Tool]:
    """Inpainting with SDXL base and refiner, and new images with the base."""
    return [INPAINT, GENERATE]


@hookimpl
def promptvision_models() -> Iterable[ModelSpec]:
    """The six models."""
    return SPECS


@hookimpl
def promptvision_settings() -> Iterable[type[Section]]:
    """Pixels that are painted at a time, and the content check."""
    return [SdxlSection]
