"""Hook implementations of promptvision-sd-inpaint: one tool and its model."""

from __future__ import annotations

from pydantic import Field

from promptvision.plugin import (
    Gpu,
    InpaintArgs,
    ModelSpec,
    Requirements,
    Tool,
    WeightFile,
    hookimpl,
    operations,
)

__all__ = ["INPAINT", "PLUGIN_API", "SD", "SdArgs", "promptvision_models", "promptvision_tools"]

PLUGIN_API = 1

_PARAMETERS = 859_535_364 + 123_060_480 + 83_653_863
"""Parameters of the UNet with 9 input channels, the text encoder and the VAE, from their configurations."""

_LCM = "https://huggingface.co/latent-consistency/lcm-lora-sdv1-5/resolve/cf2fced511dbe7e26c8d1d397e728fbab875db4b"

SD = ModelSpec(
    id="sd15-inpaint",
    source="stable-diffusion-v1-5/stable-diffusion-inpainting",
    revision="8a4288a76071f7280aedbdb3253bdb9e9d5d84bb",
    files=(
        WeightFile("unet/config.json"),
        WeightFile("unet/diffusion_pytorch_model.fp16.safetensors"),
        WeightFile("text_encoder/config.json"),
        WeightFile("text_encoder/model.fp16.safetensors"),
        WeightFile("tokenizer/*"),
        WeightFile("vae/config.json"),
        WeightFile("vae/diffusion_pytorch_model.fp16.safetensors"),
        WeightFile("scheduler/scheduler_config.json"),
        WeightFile(
            "lcm/pytorch_lora_weights.safetensors",
            sha256="8f90d840e075ff588a58e22c6586e2ae9a6f7922996ee6649a7f01072333afe4",
            size=134_621_556,
            url=f"{_LCM}/pytorch_lora_weights.safetensors",
        ),
    ),
    hub_files=("*/*.[jt]*", "*/*.safetensors"),  # json, and txt where a tokenizer has such a file
    download_bytes=2 * _PARAMETERS + 134_621_556,
    license="CreativeML Open RAIL-M",
    license_url="https://huggingface.co/spaces/CompVis/stable-diffusion-license",
    weight_bytes={"float16": 2 * _PARAMETERS, "float32": 4 * _PARAMETERS},
    peak_bytes={"float16": 1_200_000_000, "float32": 2_400_000_000},
    dtypes={"cuda": ("float16",), "cpu": ("float32",)},
    load="promptvision_sd_inpaint.load:load",
    movable=True,
    tier="light",
)
"""Stable Diffusion 1.5 for inpainting with the LCM LoRA for few steps. Several public projects pin the same
revisions, and the same size and digest of the LoRA; other files are checked against the digests of the hub.
``peak_bytes`` at 512 x 512 is an estimate, most of it for the VAE."""


class SdArgs(InpaintArgs):
    """Arguments of ``inpaint_image`` for this tool."""

    strength: float = Field(1.0, gt=0, le=1, description="How far from the original: 1 ignores it.")
    steps: int = Field(6, ge=1, le=150, description="Denoising steps; no more than 12 are run.")
    guidance: float = Field(2.0, ge=1, le=30, description="How closely to follow the prompt; 1 ignores it.")


INPAINT = Tool(
    name="sd_inpaint",
    operation=operations.INPAINT,
    args=SdArgs,
    run="promptvision_sd_inpaint.paint:inpaint",
    priority=45,
    requires=Requirements(models=(SD.id,), gpu=Gpu.PREFERRED),
    limits="Paints at 512 pixels, with less detail than promptvision-sdxl-inpaint; writes no legible text.",
)
"""Lower priority than SDXL on a GPU that is large enough for SDXL, higher elsewhere."""


@hookimpl
def promptvision_tools() -> list[Tool]:
    """Inpainting with Stable Diffusion 1.5."""
    return [INPAINT]


@hookimpl
def promptvision_models() -> list[ModelSpec]:
    """The model."""
    return [SD]
