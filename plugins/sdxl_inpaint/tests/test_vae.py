"""Tests of encoding and decoding."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from promptvision.plugin import Placement, ToolFailed, stream
from promptvision_sdxl_inpaint.load import load_vae
from promptvision_sdxl_inpaint.staged import private_view
from promptvision_sdxl_inpaint.vae import decode, encode, values_of


@pytest.fixture(scope="session")
def vae(folders: Any) -> Any:
    """The tiny VAE."""
    return load_vae(folders.bases[9], "cpu", "float32")


@pytest.fixture
def image(noise_image: Callable[..., Image.Image]) -> Image.Image:
    """64 x 48 pixels."""
    return noise_image((64, 48))


def test_encode_is_the_scaled_mean(vae: Any, image: Image.Image) -> None:
    from diffusers.image_processor import VaeImageProcessor

    pixels = VaeImageProcessor().preprocess(image)
    with torch.inference_mode():
        wanted = vae.config.scaling_factor * vae.encode(pixels).latent_dist.mean
    latents = encode(vae, values_of(image), "cpu")
    assert latents.shape == (1, 4, 6, 8)
    torch.testing.assert_close(latents, wanted, rtol=0, atol=1e-6)


def test_decode_is_that_of_the_library(vae: Any) -> None:
    from diffusers.image_processor import VaeImageProcessor

    latents = torch.randn(1, 4, 6, 8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        wanted = VaeImageProcessor().postprocess(vae.decode(latents / vae.config.scaling_factor).sample)[0]
    assert np.array_equal(np.asarray(decode(vae, latents, "cpu")), np.asarray(wanted))


def test_tiles_are_worked_on_one_by_one_without_changing_the_vae(vae: Any) -> None:
    small = copy.copy(vae)
    small.tile_latent_min_size, small.tile_sample_min_size = 4, 32
    latents = torch.randn(1, 4, 6, 8, generator=torch.Generator().manual_seed(0))
    widths: list[int] = []
    hook = vae.decoder.register_forward_pre_hook(lambda module, inputs: widths.append(inputs[0].shape[-1]))
    try:
        painted = decode(small, latents, "cpu", tiled=True)
    finally:
        hook.remove()
    assert painted.size == (64, 48)
    assert len(widths) > 1
    assert max(widths) < 8
    assert not small.use_tiling  # only the view was tiled: others may be using the model
    values = np.zeros((48, 64, 3), np.float32)
    assert encode(small, values, "cpu", tiled=True).shape == (1, 4, 6, 8)


@pytest.mark.parametrize("placement", [Placement.SEQUENTIAL, Placement.GROUP])
def test_a_streamed_vae_that_overflows_is_decoded_in_float32(folders: Any, placement: Placement) -> None:
    half = load_vae(folders.bases[9], "cpu", "float16")
    with torch.no_grad():
        half.decoder.conv_out.weight.fill_(60000)
    latents = torch.randn(1, 4, 6, 8, generator=torch.Generator().manual_seed(0)).half()
    wanted = decode(half, latents, "cpu")
    view = private_view(half)
    with stream([view], "cpu", placement):
        assert np.array_equal(np.asarray(decode(view, latents, "cpu")), np.asarray(wanted))


def test_other_errors_propagate(vae: Any) -> None:
    with pytest.raises(RuntimeError, match="expected"):
        decode(vae, torch.zeros(1, 3, 6, 8), "cpu")


def test_non_finite_values_are_an_error(vae: Any) -> None:
    with pytest.raises(ToolFailed, match="not finite"):
        decode(vae, torch.full((1, 4, 6, 8), float("nan")), "cpu")


def test_overflow_in_half_precision_is_decoded_again_in_float32(folders: Any) -> None:
    half = load_vae(folders.bases[9], "cpu", "float16")
    with torch.no_grad():
        half.decoder.conv_out.weight.fill_(60000)
    latents = torch.randn(1, 4, 6, 8, generator=torch.Generator().manual_seed(0)).half()
    with torch.inference_mode():
        assert not torch.isfinite(half.decode(latents / half.config.scaling_factor).sample).all()
    assert decode(half, latents, "cpu").size == (64, 48)
    assert half.dtype is torch.float16
