"""Tests of loading the five models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from safetensors.torch import load_file, save_file

from promptvision.plugin import SetupError
from promptvision_sdxl_inpaint.load import load_denoiser, load_text_encoder, load_vae, use_xformers


def test_schedule_of_the_checkpoint_is_run_by_dpm_solver(folders: Any) -> None:
    scheduler = load_denoiser(folders.bases[9], "cpu", "float32").scheduler
    assert scheduler.__class__.__name__ == "DPMSolverMultistepScheduler"
    assert scheduler.config.beta_schedule == "scaled_linear"
    assert scheduler.config.algorithm_type == "dpmsolver++"


def test_half_precision_files_are_found(folders: Any, tmp_path: Path) -> None:
    kind: Any = diffusers.StableDiffusionXLInpaintPipeline
    pipeline = kind.from_pretrained(folders.bases[9], add_watermarker=False)
    pipeline.to(dtype=torch.float16).save_pretrained(tmp_path, variant="fp16")
    assert (tmp_path / "unet/diffusion_pytorch_model.fp16.safetensors").is_file()
    loaded = load_denoiser(tmp_path, "cpu", "float32").unet
    assert loaded.dtype is torch.float32
    encoder = load_text_encoder(tmp_path, "cpu", "float32").model
    assert encoder.dtype is torch.float32


def test_vae_that_overflows_stays_in_float32(folders: Any, tmp_path: Path) -> None:
    folder = tmp_path / "vae"
    shutil.copytree(folders.bases[9] / "vae", folder)
    assert load_vae(tmp_path, "cpu", "float16").dtype is torch.float16
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "force_upcast": True}))
    assert load_vae(tmp_path, "cpu", "float16").dtype is torch.float32


def test_vae_may_be_in_the_folder_itself(folders: Any) -> None:
    assert load_vae(folders.bases[9] / "vae", "cpu", "float32").dtype is torch.float32


def test_folder_without_the_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"has no unet/config\.json"):
        load_denoiser(tmp_path, "cpu", "float32")


def test_unet_of_another_kind_is_refused(folders: Any, tmp_path: Path) -> None:
    kind: Any = diffusers.UNet2DConditionModel
    shutil.copytree(folders.bases[9] / "scheduler", tmp_path / "scheduler")
    kind(
        in_channels=8,
        block_out_channels=(32,),
        layers_per_block=1,
        down_block_types=("DownBlock2D",),
        up_block_types=("UpBlock2D",),
        cross_attention_dim=8,
    ).save_pretrained(tmp_path / "unet")
    with pytest.raises(SetupError, match="has 8 input channels"):
        load_denoiser(tmp_path, "cpu", "float32")


def test_failing_xformers_falls_back_to_torch(
    folders: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    unet = load_denoiser(folders.bases[9], "cpu", "float32").unet
    before = {name: processor.__class__ for name, processor in unet.attn_processors.items()}
    monkeypatch.setattr("diffusers.models.attention_processor.is_xformers_available", lambda: False)
    use_xformers(unet)
    assert "torch's attention is used instead" in caplog.text
    assert {name: processor.__class__ for name, processor in unet.attn_processors.items()} == before


@pytest.mark.parametrize(
    ("part", "load"),
    [("unet", load_denoiser), ("text_encoder", load_text_encoder), ("vae", load_vae)],
)
def test_a_checkpoint_without_all_weights_is_refused(
    folders: Any, tmp_path: Path, part: str, load: Callable[[Path, str, str], Any]
) -> None:
    shutil.copytree(folders.bases[9], tmp_path, dirs_exist_ok=True)
    (file,) = (tmp_path / part).glob("*.safetensors")
    weights = load_file(file)
    lost = min(name for name in weights if name.endswith("weight"))
    save_file({name: tensor for name, tensor in weights.items() if name != lost}, file, {"format": "pt"})
    with pytest.raises(SetupError, match=rf"does not contain all weights of the model: 1 missing.*{lost}"):
        load(tmp_path, "cpu", "float32")
