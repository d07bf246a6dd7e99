"""Loading the five models. Each takes the folder of its own weights or of a whole diffusers pipeline."""

from __future__ import annotations

import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from transformers import AutoTokenizer, CLIPTextModel, CLIPTextModelWithProjection

from promptvision.plugin import SetupError

__all__ = [
    "Denoiser",
    "TextEncoder",
    "load_denoiser",
    "load_text_encoder",
    "load_text_encoder_2",
    "load_vae",
]


_diffusers: Any = diffusers  # its classes are untyped
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Denoiser:
    """A UNet and the schedule it was trained with. Schedulers hold state: copy this one for each run."""

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

    With the extra ``promptvision-sdxl-inpaint[xformers]`` installed, a UNet on a GPU uses its attention.

    Raises:
        SetupError: the folder holds no UNet, or one with neither 4 nor 9 channels.
    """
    folder = _part(path, "unet")
    unet = _diffusers.UNet2DConditionModel.from_pretrained(folder, **_options(folder, dtype))
    if unet.config["in_channels"] not in (4, 9):
        raise SetupError(
            f"promptvision-sdxl-inpaint: {folder} has {unet.config['in_channels']} input channels",
            hint="take an SDXL model (4 channels) or an SDXL inpainting model (9)",
        )
    unet.to(device).eval()
    if device == "cuda" and importlib.util.find_spec("xformers") is not None:
        _use_xformers(unet)
    solver = _diffusers.DPMSolverMultistepScheduler
    config = solver.load_config(path / "scheduler", local_files_only=True)
    return Denoiser(unet, solver.from_config(config))


def _use_xformers(unet: Any) -> None:
    """Let a UNet use the attention of xformers, unless the one installed was built for another torch."""
    try:
        unet.enable_xformers_memory_efficient_attention()
    except Exception as exc:  # noqa: BLE001  # diffusers tries it out; what that raises depends on the build
        logger.warning("xformers cannot be used, so attention stays with torch: %s", exc)


def load_text_encoder(path: Path, device: str, dtype: str) -> TextEncoder:
    """Load ``text_encoder`` and ``tokenizer``: CLIP ViT-L, read by the base alone."""
    return _text_encoder(CLIPTextModel, path, "text_encoder", "tokenizer", device, dtype)


def load_text_encoder_2(path: Path, device: str, dtype: str) -> TextEncoder:
    """Load ``text_encoder_2`` and ``tokenizer_2``: OpenCLIP ViT-bigG, read by base and refiner."""
    return _text_encoder(CLIPTextModelWithProjection, path, "text_encoder_2", "tokenizer_2", device, dtype)


def _text_encoder(kind: Any, path: Path, model: str, tokenizer: str, device: str, dtype: str) -> TextEncoder:
    folder = _part(path, model)
    options = _options(folder, dtype)
    options["dtype"] = options.pop("torch_dtype")
    loaded = kind.from_pretrained(folder, **options).to(device).eval()
    return TextEncoder(loaded, AutoTokenizer.from_pretrained(path / tokenizer, local_files_only=True))


def load_vae(path: Path, device: str, dtype: str) -> Any:
    """Load a VAE from the folder itself or its ``vae``.

    One whose configuration says ``force_upcast`` overflows in float16 (its images turn black), so it is
    loaded in float32 whatever was asked for.
    """
    folder = path if (path / "config.json").is_file() else _part(path, "vae")
    config = _diffusers.AutoencoderKL.load_config(folder, local_files_only=True)
    if config.get("force_upcast", True):
        dtype = "float32"
    vae = _diffusers.AutoencoderKL.from_pretrained(folder, **_options(folder, dtype))
    vae.to(device).eval()
    return vae
