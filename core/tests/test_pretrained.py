"""Loading models of transformers, with a class that has the same interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import pytest

from promptvision.errors import SetupError
from promptvision.models.pretrained import PretrainedModel, load_pretrained


class Model:
    """Records how it is loaded."""

    missing: tuple[str, ...] = ()

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        self.folder, self.options = folder, options
        self.device, self.is_training = "cpu", True

    @classmethod
    def from_pretrained(cls, folder: Path, **options: Any) -> tuple[Self, dict[str, Any]]:
        return cls(folder, options), {"missing_keys": cls.missing}

    def to(self, device: str) -> Self:
        self.device = device
        return self

    def eval(self) -> Self:
        self.is_training = False
        return self


class Incomplete(Model):
    missing = ("layer.weight",)


def test_model_is_loaded_from_local_safetensors_in_evaluation_mode(tmp_path: Path) -> None:
    model = load_pretrained("mine", Model, tmp_path, "cuda", "float16", variant="fp16")
    assert (model.folder, model.device, model.is_training) == (tmp_path, "cuda", False)
    assert model.options == {
        "local_files_only": True,
        "use_safetensors": True,
        "dtype": "float16",
        "output_loading_info": True,
        "variant": "fp16",
    }


def test_incomplete_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"mine: .* 1 missing or of another shape: layer\.weight"):
        load_pretrained("mine", Incomplete, tmp_path, "cpu", "float32")


def test_each_model_has_its_own_lock() -> None:
    one, other = (PretrainedModel(processor=None, model=None) for _ in range(2))
    assert one.lock is not other.lock
