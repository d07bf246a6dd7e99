"""Loading: all parts, and the LoRA fused into the UNet."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import diffusers
import pytest
import torch
from safetensors.torch import load_file, save_file

from promptvision.plugin import SetupError
from promptvision_sd_inpaint.load import Painter, load


def test_sampler_is_lcm_on_the_schedule_of_the_model(painter: Painter) -> None:
    assert type(painter.scheduler).__name__ == "LCMScheduler"
    assert painter.scheduler.config.beta_start == 0.00085
    assert painter.scheduler.config.beta_schedule == "scaled_linear"


def test_lora_is_fused_as_diffusers_applies_it(folders: dict[int, Path]) -> None:
    painter = load(folders[9], "cpu", "float32")
    assert not hasattr(painter.unet, "peft_config")
    kind: Any = diffusers.StableDiffusionInpaintPipeline
    reference = kind.from_pretrained(folders[9], safety_checker=None, requires_safety_checker=False)
    sample, words = torch.randn(1, 9, 8, 8), torch.randn(1, 5, 32)
    with torch.inference_mode():
        plain = reference.unet(sample, 500, words).sample
        reference.load_lora_weights(folders[9] / "lcm")
        wanted = reference.unet(sample, 500, words).sample
        found = painter.unet(sample, 500, words).sample
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    assert (found - plain).abs().max() > 0.01


def test_folder_without_a_lora_is_taken_as_it_is(folders: dict[int, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders[9], tmp_path / "merged", ignore=shutil.ignore_patterns("lcm"))
    weights = load_file(folder / "unet" / "diffusion_pytorch_model.safetensors")
    loaded = load(folder, "cpu", "float32").unet.state_dict()
    assert all(torch.equal(loaded[name], weight) for name, weight in weights.items())


def test_weights_of_half_precision_are_found(folders: dict[int, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders[9], tmp_path / "half")
    for part, name in (("unet", "diffusion_pytorch_model"), ("text_encoder", "model")):
        file = folder / part / f"{name}.safetensors"
        half = {key: value.half() for key, value in load_file(file).items()}
        save_file(half, file.with_suffix(".fp16.safetensors"), {"format": "pt"})
        file.unlink()
    assert load(folder, "cpu", "float32").unet.dtype is torch.float32


def test_missing_part_is_named(folders: dict[int, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders[9], tmp_path / "broken", ignore=shutil.ignore_patterns("vae"))
    with pytest.raises(SetupError, match=r"has no vae/config\.json"):
        load(folder, "cpu", "float32")


def test_missing_weights_are_named(folders: dict[int, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders[9], tmp_path / "partial")
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    del weights["conv_in.weight"]
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(SetupError, match="does not contain all weights of the model: 1 missing"):
        load(folder, "cpu", "float32")


def test_other_kinds_of_unet_are_refused(tiny_sd: ModuleType, tmp_path: Path) -> None:
    folder = tiny_sd.build(tmp_path / "eight", channels=8, with_lora=False)
    with pytest.raises(SetupError, match="8 input channels"):
        load(folder, "cpu", "float32")
