"""Load Stable Diffusion from a folder in the layout of diffusers, and fuse the LoRA of LCM into it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from transformers import AutoTokenizer, CLIPTextModel

from promptvision.plugin import SetupError, require_all_weights

__all__ = ["TEXT_LOCK", "Painter", "load"]

TEXT_LOCK = threading.Lock()
"""Held while the tokenizer is used: two threads cannot use a fast tokenizer at the same time."""

_OWNER = "promptvision-sd-inpaint"
_diffusers: Any = diffusers  # its classes are untyped


@dataclass(frozen=True, kw_only=True)
class Painter:
    """The parts of the pipeline. Schedulers hold state: copy this one for each run."""

    unet: Any
    text_encoder: Any
    tokenizer: Any
    vae: Any
    scheduler: Any


def load(path: Path, device: str, dtype: str) -> Painter:
    """Load the pipeline's parts.

    If the folder holds ``lcm/*.safetensors``, that LoRA is fused into the UNet. Without it, the UNet must be
    distilled for few steps.

    Raises:
        SetupError: a part or some of its weights are missing, or the UNet does not have 4 or 9 channels.
    """
    unet = _part(_diffusers.UNet2DConditionModel, path / "unet", "torch_dtype", dtype)
    if unet.config["in_channels"] not in (4, 9):
        raise SetupError(
            f"{_OWNER}: {path / 'unet'} has {unet.config['in_channels']} input channels",
            hint="use a Stable Diffusion 1.5 model (4 channels) or an inpainting model (9)",
        )
    painter = Painter(
        unet=unet,
        text_encoder=_part(CLIPTextModel, path / "text_encoder", "dtype", dtype),
        tokenizer=AutoTokenizer.from_pretrained(path / "tokenizer", local_files_only=True),
        vae=_part(_diffusers.AutoencoderKL, path / "vae", "torch_dtype", dtype),
        scheduler=_scheduler(path / "scheduler"),
    )
    for file in sorted((path / "lcm").glob("*.safetensors")):
        _fuse(painter, file)
    for module in (painter.unet, painter.text_encoder, painter.vae):
        module.to(device).eval()
    return painter


def _part(kind: Any, folder: Path, dtype_option: str, dtype: str) -> Any:
    if not (folder / "config.json").is_file():
        raise SetupError(
            f"{_OWNER}: {folder.parent} has no {folder.name}/config.json",
            hint="name a folder in the diffusers layout",
        )
    options: dict[str, Any] = {dtype_option: getattr(torch, dtype)}
    if any(folder.glob("*.fp16.safetensors")):
        options["variant"] = "fp16"
    model, info = kind.from_pretrained(
        folder, output_loading_info=True, local_files_only=True, use_safetensors=True, **options
    )
    require_all_weights(_OWNER, folder, info)
    return model


def _scheduler(folder: Path) -> Any:
    """LCM's sampler on the noise schedule of the model."""
    sampler = _diffusers.LCMScheduler
    config = sampler.load_config(folder, local_files_only=True)
    return sampler.from_config({**config, "steps_offset": 1})


def _fuse(painter: Painter, file: Path) -> None:
    pipeline = _diffusers.StableDiffusionInpaintPipeline(
        **vars(painter), safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )
    pipeline.load_lora_weights(file.parent, weight_name=file.name, local_files_only=True)
    pipeline.fuse_lora()
    pipeline.unload_lora_weights()
