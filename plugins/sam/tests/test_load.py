"""Tests of choosing and loading an engine."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from promptvision.plugin import SetupError
from promptvision_sam import load as loading
from promptvision_sam.load import load


def test_the_files_choose_the_engine(checkpoints: dict[str, Path]) -> None:
    assert load(checkpoints["ultralytics"], "cpu", "float32").name == "ultralytics"
    assert load(checkpoints["ultralytics"].parent, "cpu", "float32").name == "ultralytics"
    assert load(checkpoints["transformers"], "cpu", "float32").name == "transformers"


def test_empty_folder_names_the_command_that_pulls(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"promptvision models pull sam2\.1-l"):
        load(tmp_path, "cpu", "float32")


def test_without_ultralytics_a_pt_file_names_the_extra(
    checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "has_ultralytics", lambda: False)
    with pytest.raises(SetupError, match=r"promptvision-sam\[ultralytics\]"):
        load(checkpoints["ultralytics"], "cpu", "float32")


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (Path(tmp_path / "ran"),)  # type: ignore[return-value]

    file = tmp_path / "sam2.1_l.pt"
    torch.save({"model": Payload()}, file)
    with pytest.raises(pickle.UnpicklingError):
        load(file, "cpu", "float32")
    assert not (tmp_path / "ran").exists()


def test_other_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "sam2.1_l.pt"
    torch.save({"weight": torch.zeros(2)}, file)
    with pytest.raises(ValueError, match=r"sam2\.1_l\.pt is not a SAM 2\.1 checkpoint"):
        load(file, "cpu", "float32")


def test_architecture_is_read_from_the_contents(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    renamed = tmp_path / "my_weights.pt"
    renamed.write_bytes(checkpoints["ultralytics"].read_bytes())
    assert load(renamed, "cpu", "float32").name == "ultralytics"


def test_transformers_engine_accepts_bfloat16(checkpoints: dict[str, Path]) -> None:
    from promptvision_sam.engine_transformers import TransformersEngine

    engine = load(checkpoints["transformers"], "cpu", "bfloat16")
    assert isinstance(engine, TransformersEngine)
    assert engine.model.dtype is torch.bfloat16


def test_tiny_checkpoint_is_small_with_the_real_shape(checkpoints: dict[str, Path]) -> None:
    file = checkpoints["ultralytics"]
    assert file.stat().st_size < 1_000_000
    state = torch.load(file, weights_only=True)["model"]
    assert sum(tensor.numel() for tensor in state.values()) > 38_000_000
