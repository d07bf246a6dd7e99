"""Loading: all weights, from local files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from promptvision.plugin import SetupError
from promptvision_vqa.load import load


def test_model_is_loaded_in_the_dtype_that_is_asked_for(folder: Path) -> None:
    loaded = load(folder, "cpu", "bfloat16")
    assert loaded.model.dtype is torch.bfloat16
    assert not loaded.model.training


def test_missing_weights_are_named(folder: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    file = broken / "model.safetensors"
    weights = load_file(file)
    del weights["model.connector.modality_projection.proj.weight"]
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(SetupError, match="does not contain all weights of the model: 1 missing"):
        load(broken, "cpu", "float32")
