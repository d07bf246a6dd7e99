"""Load the five models, each from the folder of its own weights or of a whole diffusers pipeline."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from transformers import AutoTokenizer, CLIPTextModel, CLIPTextModelWithProjection

from promptvision.plugin import SetupError, require_all_weights

__all__ = [
    "TEXT_LOCK",
    "Denoiser",
    "TextEncoder",
    "load_denoiser",
    "load_text_encoder",
    "load_text_encoder_2",
    "load_vae",
    "use_xformers",
]


_diffusers: Any = diffusers  # its classes are untyped
logger = logging.getLogger(__name__)
_ATTENTION = threading.Lock()

TEXT_LOCK = threading.Lock()
"""Held while a text encoder or its tokenizer is used or copied. A fast tokenizer is not thread-safe, and the
first run of an encoder installs hooks; a copy made meanwhile would have only some of them."""


@dataclass(frozen=True)
class Denoiser:
    """A UNet and its training schedule. Schedulers have state: copy this one for each run."""

    unet: Any
    scheduler: Any


@dataclass(frozen=True)
class TextEncoder:
    """A text encoder and its tokenizer."""

    model: Any
    tokenizer: Any


def _options(folder: Path, dtype: str) -> dict[str, Any]:
    half = any(folder.glob("*.fp16.safetensors"))
    return {
        "local_files_only": True,
        "use_safetensors": True,
        "variant": "fp16" if half else None,
        "torch_dtype": getattr(torch, dtype),
    }


def _part(path: Path, name: str) -> Path:
    folder = path / name
    if not (folder / "config.json").is_file():
        raise SetupError(
            f"promptvision-sdxl-inpaint: {path} has no {name}/config.json",
            hint="name a folder in the diffusers layout",
        )
    return folder


def load_denoiser(path: Path, device: str, dtype: str) -> Denoiser:
    """Load ``unet`` and ``scheduler``; the schedule is run by DPM-Solver++ multistep.

    Raises:
        SetupError: the folder does not contain a UNet with 4 or 9 channels, or weights are missing.
    """
    folder = _part(path, "unet")
    unet = _complete(_diffusers.UNet2DConditionModel, folder, _options(folder, dtype))
    if unet.config["in_channels"] not in (4, 9):
        raise SetupError(
            f"promptvision-sdxl-inpaint: {folder} has {unet.config['in_channels']} input channels",
            hint="use an SDXL model (4 channels) or an SDXL inpainting model (9)",
        )
    unet.to(device).eval()
    solver = _diffusers.DPMSolverMultistepScheduler
    config = solver.load_config(path / "scheduler", local_files_only=True)
    return Denoiser(unet, solver.from_config(config))


def use_xformers(unet: Any) -> None:
    """Switch a UNet to the attention of xformers; keep torch's if xformers is missing or fails."""
    with _ATTENTION:
        if any("XFormers" in type(each).__name__ for each in unet.attn_processors.values()):
            return
        try:
            unet.enable_xformers_memory_efficient_attention()
        except Exception as exc:  # noqa: BLE001  # diffusers tries it out; the error depends on the build
            logger.warning("xformers cannot be used; torch's attention is used instead: %s", exc)


def _complete(kind: Any, folder: Path, options: dict[str, Any]) -> Any:
    """Load a model and check that no weights are missing."""
    model, info = kind.from_pretrained(folder, output_loading_info=True, **options)
    require_all_weights("promptvision-sdxl-inpaint", folder, info)
    return model


def load_text_encoder(path: Path, device: str, dtype: str) -> TextEncoder:
    """Load ``text_encoder`` and ``tokenizer``: CLIP ViT-L, used by the base only."""
    return _text_encoder(CLIPTextModel, path, "text_encoder", "tokenizer", device, dtype)


def load_text_encoder_2(path: Path, device: str, dtype: str) -> TextEncoder:
    """Load ``text_encoder_2`` and ``tokenizer_2``: OpenCLIP ViT-bigG, used by base and refiner."""
    return _text_encoder(CLIPTextModelWithProjection, path, "text_encoder_2", "tokenizer_2", device, dtype)


def _text_encoder(kind: Any, path: Path, model: str, tokenizer: str, device: str, dtype: str) -> TextEncoder:
    folder = _part(path, model)
    options = _options(folder, dtype)
    options["dtype"] = options.pop("torch_dtype")
    loaded = _complete(kind, folder, options).to(device).eval()
    return TextEncoder(loaded, AutoTokenizer.from_pretrained(path / tokenizer, local_files_only=True))


def load_vae(path: Path, device: str, dtype: str) -> Any:
    """Load a VAE from the folder itself or from ``vae`` in it.

    A VAE whose configuration has ``force_upcast`` overflows in float16 (its images turn black), so it is
    always loaded in float32.
    """
    folder = path if (path / "config.json").is_file() else _part(path, "vae")
    config = _diffusers.AutoencoderKL.load_config(folder, local_files_only=True)
    if config.get("force_upcast", True):
        dtype = "float32"
    vae = _complete(_diffusers.AutoencoderKL, folder, _options(folder, dtype))
    vae.to(device).eval()
    return vae
