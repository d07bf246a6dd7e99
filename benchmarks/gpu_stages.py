"""Seconds and memory of every neural stage on a GPU: full-size architectures, random weights.

The cost of a stage does not depend on the values of its weights, so nothing is downloaded. Peak memory is
what torch allocates on top of the weights while the stage runs; seconds are medians after one warm-up run.

    python benchmarks/gpu_stages.py                     all stages, float32, float16 and bfloat16
    python benchmarks/gpu_stages.py --only unet vae     stages whose name holds one of these words
    python benchmarks/gpu_stages.py --write             also writes benchmarks/results/gpu_stages.md
    python benchmarks/gpu_stages.py --sizes             parameters of each model; needs no GPU
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

RESULTS = Path(__file__).parent / "results" / "gpu_stages.md"
DTYPES = ("float32", "float16", "bfloat16")
PROMPT_TOKENS = 77
LATENTS = 128
"""Side of the latents of a 1024 x 1024 image."""

Like = dict[str, Any]
"""Device and dtype of inputs, as keyword arguments of torch's factories."""


@dataclass(frozen=True)
class Stage:
    """One thing that is timed.

    Args:
        name: what the table calls it.
        build: makes the model on torch's default device in its default dtype.
        run: calls it once with inputs made by ``Like``.
        dtypes: that it may run in.
    """

    name: str
    build: Callable[[], Any]
    run: Callable[[Any, Like], Any]
    dtypes: tuple[str, ...] = DTYPES


# Architectures: the values of the published config.json files.


def build_text_encoder() -> Any:
    config = transformers.CLIPTextConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12
    )
    return transformers.CLIPTextModel(config)


def build_text_encoder_2() -> Any:
    config = transformers.CLIPTextConfig(
        hidden_size=1280,
        intermediate_size=5120,
        num_hidden_layers=32,
        num_attention_heads=20,
        projection_dim=1280,
        hidden_act="gelu",
    )
    return transformers.CLIPTextModelWithProjection(config)


def build_base_unet() -> Any:
    return build_unet(
        in_channels=9,
        block_out_channels=(320, 640, 1280),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(5, 10, 20),
        transformer_layers_per_block=(1, 2, 10),
        cross_attention_dim=2048,
        projection_class_embeddings_input_dim=2816,
    )


def build_refiner_unet() -> Any:
    return build_unet(
        in_channels=4,
        block_out_channels=(384, 768, 1536, 1536),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(6, 12, 24, 24),
        transformer_layers_per_block=4,
        cross_attention_dim=1280,
        projection_class_embeddings_input_dim=2560,
    )


def build_unet(**config: Any) -> Any:
    """A UNet of the SDXL family; ``config`` is what base and refiner do not have in common."""
    kind: Any = diffusers.UNet2DConditionModel
    return kind(
        sample_size=LATENTS,
        layers_per_block=2,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        **config,
    )


def build_vae() -> Any:
    kind: Any = diffusers.AutoencoderKL
    return kind(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        layers_per_block=2,
        sample_size=1024,
        scaling_factor=0.13025,
    )


def build_tiled_vae() -> Any:
    vae = build_vae()
    vae.tile_sample_min_size, vae.tile_latent_min_size = 512, 64
    vae.enable_tiling()
    return vae


def build_sam() -> Any:
    widths = [144, 288, 576, 1152]
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=144,
        num_attention_heads=2,
        blocks_per_stage=[2, 6, 36, 4],
        embed_dim_per_stage=widths,
        num_attention_heads_per_stage=[2, 4, 8, 16],
        window_size_per_stage=[8, 4, 16, 8],
        global_attention_blocks=[23, 33, 43],
    )
    vision = transformers.Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=widths[::-1])
    return transformers.Sam2Model(transformers.Sam2Config(vision_config=vision))


def build_grounding_dino() -> Any:
    backbone = transformers.SwinConfig(
        image_size=384,
        embed_dim=128,
        depths=[2, 2, 18, 2],
        num_heads=[4, 8, 16, 32],
        window_size=12,
        out_features=["stage2", "stage3", "stage4"],  # type: ignore[call-arg]  # of its backbone mixin
    )
    return transformers.GroundingDinoForObjectDetection(
        transformers.GroundingDinoConfig(backbone_config=backbone)
    )


# One run of each stage.


def encode_prompt(model: Any, like: Like) -> Any:
    ids = torch.randint(
        0, 49000, (2, PROMPT_TOKENS), device=like["device"]
    )  # the prompt and the negative one
    return model(ids, output_hidden_states=True)


def denoise_step(model: Any, like: Like) -> Any:
    """One guided step: the image with and without the prompt, in one batch of two."""
    is_refiner = model.config.in_channels == 4
    extra = {
        "text_embeds": torch.randn(2, 1280, **like),
        "time_ids": torch.ones(2, 5 if is_refiner else 6, **like),
    }
    sample = torch.randn(2, model.config.in_channels, LATENTS, LATENTS, **like)
    words = torch.randn(2, PROMPT_TOKENS, model.config.cross_attention_dim, **like)
    return model(sample, 500, encoder_hidden_states=words, added_cond_kwargs=extra)


def encode_image(model: Any, like: Like) -> Any:
    return model.encode(torch.randn(1, 3, 1024, 1024, **like)).latent_dist.mode()


def decode_latents(model: Any, like: Like) -> Any:
    return model.decode(torch.randn(1, 4, LATENTS, LATENTS, **like)).sample


def embed_image(model: Any, like: Like) -> Any:
    return model.get_image_embeddings(torch.randn(1, 3, 1024, 1024, **like))


def cut_out_ten_boxes(model: Any, like: Like) -> Any:
    embeddings = [
        torch.randn(1, width, side, side, **like) for width, side in ((32, 256), (64, 128), (256, 64))
    ]
    boxes = torch.tensor([[[100.0, 100, 500, 600]] * 10], **like)
    return model(image_embeddings=embeddings, input_boxes=boxes, multimask_output=False)


def detect(model: Any, like: Like) -> Any:
    ids = torch.tensor([[101, 7006, 1012, 102]], device=like["device"])
    return model(pixel_values=torch.randn(1, 3, 800, 1066, **like), input_ids=ids)


STAGES = (
    Stage("SDXL text encoder 1", build_text_encoder, encode_prompt),
    Stage("SDXL text encoder 2", build_text_encoder_2, encode_prompt),
    Stage("SDXL VAE encode 1024 x 1024", build_vae, encode_image),
    Stage("SDXL base UNet, one guided step", build_base_unet, denoise_step),
    Stage("SDXL refiner UNet, one guided step", build_refiner_unet, denoise_step),
    Stage("SDXL VAE decode 1024 x 1024", build_vae, decode_latents),
    Stage("SDXL VAE decode 1024 x 1024, tiled", build_tiled_vae, decode_latents),
    Stage("SAM 2.1 large, image", build_sam, embed_image),
    Stage("SAM 2.1 large, ten boxes", build_sam, cut_out_ten_boxes),
    Stage("Grounding DINO base 800 x 1066", build_grounding_dino, detect, ("float32",)),
)


@dataclass(frozen=True)
class Row:
    """What was measured; memory in bytes."""

    stage: str
    dtype: str
    weights: int
    peak: int
    seconds: float


def measure(stage: Stage, dtype: str, repeats: int) -> Row:
    """Build a stage's model with random weights and run it."""
    free()
    with made_on("cuda", dtype):
        before = torch.cuda.memory_allocated()
        model = stage.build().eval()
    weights = torch.cuda.memory_allocated() - before
    like: Like = {"device": "cuda", "dtype": getattr(torch, dtype)}
    with torch.inference_mode():
        stage.run(model, like)
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        resting = torch.cuda.memory_allocated()
        times = [timed(lambda: stage.run(model, like)) for _ in range(repeats)]
    peak = torch.cuda.max_memory_allocated() - resting
    return Row(stage.name, dtype, weights, peak, statistics.median(times))


def timed(work: Callable[[], Any]) -> float:
    """Seconds until the GPU has finished."""
    started = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - started


@contextmanager
def made_on(device: str, dtype: str) -> Iterator[None]:
    """Make tensors on a device and in a dtype by default."""
    usual = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        with torch.device(device):
            yield
    finally:
        torch.set_default_dtype(usual)


def free() -> None:
    """Free the memory of the previous stage."""
    gc.collect()
    torch.cuda.empty_cache()


def measured(stages: list[Stage], repeats: int) -> Iterator[Row | str]:
    """Rows, or a line that says why there is none."""
    for stage in stages:
        for dtype in stage.dtypes:
            print(f"{stage.name}, {dtype}", file=sys.stderr)
            try:
                yield measure(stage, dtype, repeats)
            except torch.OutOfMemoryError:
                yield f"| {stage.name} | {dtype} | out of memory | | |"


def table(rows: Iterator[Row | str]) -> str:
    """Markdown."""
    head = "| stage | dtype | weights, GB | peak on top, GB | seconds |\n|---|---|---|---|---|\n"
    return head + "\n".join(row if isinstance(row, str) else _line(row) for row in rows)


def _line(row: Row) -> str:
    memory = f"{row.weights / 1e9:.2f} | {row.peak / 1e9:.2f}"
    return f"| {row.stage} | {row.dtype} | {memory} | {row.seconds:.4f} |"


def sizes(stages: list[Stage]) -> str:
    """Parameters of each model in millions, counted without making its weights."""
    counts: dict[str, float] = {}
    for stage in stages:
        with made_on("meta", "float32"):
            count = sum(parameter.numel() for parameter in stage.build().parameters()) / 1e6
        counts[stage.name] = count
    return "\n".join(f"{count:9.2f} M  {name}" for name, count in counts.items())


def page(rows: str, repeats: int) -> str:
    """The results as a file."""
    device = torch.cuda.get_device_properties(0)
    software = ", ".join(f"{name} {version(name)}" for name in ("torch", "diffusers", "transformers"))
    return (
        "# Neural stages on a GPU\n\n"
        f"`benchmarks/gpu_stages.py`, {date.today().isoformat()}. {device.name}, "
        f"{device.total_memory / 1e9:.0f} GB; {software}. "
        f"Full-size architectures with random weights, SDPA attention; median of {repeats}.\n\n{rows}\n"
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="WORD", help="stages whose name holds one of these"
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="also write the results file")
    parser.add_argument("--sizes", action="store_true", help="count parameters; needs no GPU")
    options = parser.parse_args()
    stages = [stage for stage in STAGES if any(word.lower() in stage.name.lower() for word in options.only)]
    if options.sizes:
        print(sizes(stages))
        return 0
    if not torch.cuda.is_available():
        print(
            "gpu_stages: no CUDA device is visible to torch; run this on a machine with an NVIDIA GPU",
            file=sys.stderr,
        )
        return 3
    rows = table(measured(stages, options.repeats))
    print(rows)
    if options.write:
        RESULTS.write_text(page(rows, options.repeats), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
