"""The edit chain of ``benchmarks/gpu_pool.py``: its networks with random weights, and its stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import diffusers
import gpu_stages
import torch
import transformers
from torch import nn

GB = 10**9
Like = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large the networks and their inputs are.

    Args:
        is_full: whether the networks have the published architectures.
        pixels: side of the image.
        detector_size: height and width of the detector's input.
        steps: of the base.
        refiner_steps: of the refiner.
    """

    is_full: bool
    pixels: int
    detector_size: tuple[int, int]
    steps: int
    refiner_steps: int

    @property
    def latents(self) -> int:
        """Side of the latents."""
        return self.pixels // (8 if self.is_full else 2)


FULL = Size(is_full=True, pixels=1024, detector_size=(800, 1066), steps=8, refiner_steps=4)
TINY = Size(is_full=False, pixels=32, detector_size=(64, 64), steps=2, refiner_steps=1)


class Part(nn.Module):
    """A network behind one ``forward``, so that hooks of libraries work however a stage calls it.

    Args:
        name: of the network.
        network: the network.
    """

    def __init__(self, name: str, network: nn.Module) -> None:
        super().__init__()
        self.name = name
        self.network = network

    def forward(self, work: Callable[[Any, Like], Any]) -> Any:
        """Call ``work(network, like)`` with the device and dtype of inputs."""
        return work(self.network, {"device": self.compute_device, "dtype": self.dtype})

    compute_device = "cpu"

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return next(self.network.parameters()).dtype

    @property
    def device(self) -> torch.device:
        """Of the weights."""
        return next(self.network.parameters()).device

    def get_memory_footprint(self) -> int:
        """Bytes of the weights, which diffusers asks for."""
        return sum(tensor.nbytes for tensor in (*self.parameters(), *self.buffers()))


# Networks


def _tiny_encoder(kind: Any) -> Any:
    config = transformers.CLIPTextConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        projection_dim=32,
    )
    return kind(config)


def _tiny_unet(in_channels: int, projection: int) -> Any:
    return gpu_stages.build_unet(
        in_channels=in_channels,
        block_out_channels=(32, 64),
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        transformer_layers_per_block=(1, 1),
        cross_attention_dim=64,
        projection_class_embeddings_input_dim=projection,
    )


def _tiny_vae() -> Any:
    kind: Any = diffusers.AutoencoderKL
    return kind(
        block_out_channels=(32, 64),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=8,
    )


def _tiny_network() -> Any:
    """In the tiny chain only: the detector and the segmenter of full size have many fixed sizes."""
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 1, 3, padding=1))


BUILDERS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "dino": (gpu_stages.build_grounding_dino, _tiny_network),
    "sam": (gpu_stages.build_sam, _tiny_network),
    "encoder-1": (gpu_stages.build_text_encoder, lambda: _tiny_encoder(transformers.CLIPTextModel)),
    "encoder-2": (
        gpu_stages.build_text_encoder_2,
        lambda: _tiny_encoder(transformers.CLIPTextModelWithProjection),
    ),
    "vae": (gpu_stages.build_vae, _tiny_vae),
    "inpaint-unet": (gpu_stages.build_base_unet, lambda: _tiny_unet(9, 6 * 256 + 32)),
    "refiner-unet": (gpu_stages.build_refiner_unet, lambda: _tiny_unet(4, 5 * 256 + 32)),
}
FLOAT32 = {"dino"}


def dtype_of(name: str, size: Size) -> str:
    """The dtype in which a network computes."""
    return "float32" if name in FLOAT32 or not size.is_full else "bfloat16"


def make_parts(size: Size, device: str) -> dict[str, Part]:
    """Every network with random weights, in main memory; they are made on ``device``, which is faster."""
    return {
        name: _made(name, builders[0 if size.is_full else 1], size, device)
        for name, builders in BUILDERS.items()
    }


def _made(name: str, build: Callable[[], Any], size: Size, device: str) -> Part:
    with gpu_stages.made_on(device, dtype_of(name, size)):
        network = build().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.02)
    return Part(name, network.to("cpu")).requires_grad_(False)


# Stages


@dataclass(frozen=True)
class Stage:
    """One stage of the chain.

    Args:
        name: of the stage.
        models: names of its networks.
        peak: bytes of activations at full size, declared.
        work: called with the size and the parts.
        passes: how often the networks run.
        tiled: as ``work``, with less memory; None if it cannot.
    """

    name: str
    models: tuple[str, ...]
    peak: int
    work: Callable[..., None]
    passes: Callable[[Size], int] = lambda size: 1
    tiled: Callable[..., None] | None = None


def _detect(size: Size, part: Any) -> None:
    height, width = size.detector_size

    def run(network: Any, like: Like) -> None:
        pixels = torch.randn(1, 3, height, width, **like)
        if size.is_full:
            network(
                pixel_values=pixels, input_ids=torch.tensor([[101, 7006, 1012, 102]], device=like["device"])
            )
        else:
            network(pixels)

    part(run)


def _segment(size: Size, part: Any) -> None:
    def run(network: Any, like: Like) -> None:
        if size.is_full:
            boxes = torch.tensor([[[100.0, 100, 500, 600]] * 10], **like)
            pixels = torch.randn(1, 3, size.pixels, size.pixels, **like)
            network(pixel_values=pixels, input_boxes=boxes, multimask_output=False)
        else:
            network(torch.randn(1, 3, size.pixels, size.pixels, **like))

    part(run)


def _encode_text(size: Size, *parts: Any) -> None:
    for part in parts:
        part(gpu_stages.encode_prompt)


def _encode_image(size: Size, part: Any) -> None:
    part(lambda network, like: network.encode(torch.randn(1, 3, size.pixels, size.pixels, **like)))


def _decode(size: Size, part: Any) -> None:
    part(lambda network, like: network.decode(torch.randn(1, 4, size.latents, size.latents, **like)))


def _decode_tiled(size: Size, part: Any) -> None:
    def run(network: Any, like: Like) -> None:
        network.tile_sample_min_size, network.tile_latent_min_size = size.pixels // 2, size.latents // 2
        network.enable_tiling()
        try:
            network.decode(torch.randn(1, 4, size.latents, size.latents, **like))
        finally:
            network.disable_tiling()

    part(run)


def _inpaint(size: Size, part: Any) -> None:
    _denoise(size, part, size.steps)


def _refine(size: Size, part: Any) -> None:
    _denoise(size, part, size.refiner_steps)


def _denoise(size: Size, part: Any, steps: int) -> None:
    def run(network: Any, like: Like) -> None:
        config = network.config
        pooled = 1280 if size.is_full else 32
        extra = {
            "text_embeds": torch.randn(2, pooled, **like),
            "time_ids": torch.ones(2, 5 if config.in_channels == 4 else 6, **like),
        }
        sample = torch.randn(2, config.in_channels, size.latents, size.latents, **like)
        words = torch.randn(2, 77, config.cross_attention_dim, **like)
        for step in range(steps):
            network(sample, 900 - step, encoder_hidden_states=words, added_cond_kwargs=extra)

    part(run)


CHAIN = (
    Stage("detect", ("dino",), GB, _detect),
    Stage("segment", ("sam",), GB, _segment),
    Stage("encode text", ("encoder-1", "encoder-2"), GB // 10, _encode_text),
    Stage("encode image", ("vae",), 2_300_000_000, _encode_image),
    Stage("inpaint", ("inpaint-unet",), 2 * GB, _inpaint, lambda size: size.steps),
    Stage("refine", ("refiner-unet",), 2 * GB, _refine, lambda size: size.refiner_steps),
    Stage("decode", ("vae",), 4_600_000_000, _decode, tiled=_decode_tiled),
)
