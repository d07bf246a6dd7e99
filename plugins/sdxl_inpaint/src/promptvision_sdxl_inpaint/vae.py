"""Encode pixels to latents and decode them without overflow, whole or in tiles."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from promptvision.plugin import ToolFailed

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["decode", "decode_peak", "encode", "encode_peak", "values_of"]

_DECODE_BYTES_PER_VALUE = 2200
_ENCODE_BYTES_PER_VALUE = 1100
"""Peak bytes per pixel and byte of the dtype, estimated by InvokeAI: 4.6 GB at 1024 x 1024 in fp16."""


def encode_peak(pixels: int, dtype: str) -> int:
    """Bytes of activations to encode an image whole."""
    return _ENCODE_BYTES_PER_VALUE * pixels * _itemsize(dtype)


def decode_peak(pixels: int, dtype: str) -> int:
    """Bytes of activations to decode an image whole."""
    return _DECODE_BYTES_PER_VALUE * pixels * _itemsize(dtype)


def _itemsize(dtype: str) -> int:
    size: int = getattr(torch, dtype).itemsize
    return size


def values_of(image: Image.Image) -> NDArray[np.float32]:
    """An RGB image as H x W x 3 values from -1 to 1."""
    return np.asarray(image, np.float32) / np.float32(127.5) - 1


@torch.inference_mode()
def encode(vae: Any, values: NDArray[np.float32], device: str, *, tiled: bool = False) -> torch.Tensor:
    """Latents for the UNet: the mean of the distribution, scaled; 1 x 4 x h x w, on the CPU.

    The mean is used instead of a sample, so the same image always has the same latents.

    Args:
        vae: the model.
        values: H x W x 3, from -1 to 1, sides multiples of 8.
        device: the device of the VAE.
        tiled: whether to work tile by tile, with less memory; the tone can shift between tiles.
    """
    pixels = torch.from_numpy(values).permute(2, 0, 1)[None]
    model = _tiled(vae) if tiled else vae
    mean: torch.Tensor = model.encode(pixels.to(device, _dtype(model))).latent_dist.mode()
    return (mean * float(model.config.scaling_factor)).cpu()


@torch.inference_mode()
def decode(vae: Any, latents: torch.Tensor, device: str, *, tiled: bool = False) -> Image.Image:
    """The RGB image of scaled latents, eight times as wide and high.

    Args:
        vae: the model.
        latents: 1 x 4 x h x w, scaled for the UNet.
        device: the device of the VAE.
        tiled: whether to work tile by tile, with less memory; the tone can shift between tiles.

    Raises:
        ToolFailed: the latents contain values that are not finite.
    """
    image = _decoded(_tiled(vae) if tiled else vae, latents, device)
    if not torch.isfinite(image).all() and _dtype(vae) is not torch.float32:
        whole = _in_float32(vae, device)
        image = _decoded(_tiled(whole) if tiled else whole, latents, device)
    if not torch.isfinite(image).all():
        raise ToolFailed("promptvision-sdxl-inpaint: the painted latents contain values that are not finite")
    array = ((image[0].permute(1, 2, 0).cpu().numpy() + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
    return Image.fromarray(array)


def _decoded(vae: Any, latents: torch.Tensor, device: str) -> torch.Tensor:
    scaled = latents.to(device, _dtype(vae)) / vae.config.scaling_factor
    image: torch.Tensor = vae.decode(scaled, return_dict=False)[0]
    return image.float()


def _in_float32(vae: Any, device: str) -> Any:
    """A copy of a VAE in float32 on the device, without hooks that stream its layers."""
    if any(hasattr(module, "_diffusers_hook") for module in vae.modules()):
        own = type(vae).from_config(vae.config)
        own.load_state_dict(vae.state_dict())
        return own.eval().to(device, torch.float32)
    from accelerate.hooks import remove_hook_from_module  # type: ignore[import-untyped]

    own = copy.deepcopy(vae)
    return remove_hook_from_module(own, recurse=True).to(device, torch.float32)


def _dtype(vae: Any) -> torch.dtype:
    dtype: torch.dtype = vae.dtype
    return dtype


def _tiled(vae: Any) -> Any:
    """A view of a VAE that works tile by tile; the VAE itself, which others may be using, is not changed."""
    view = copy.copy(vae)
    view.enable_tiling()
    return view
