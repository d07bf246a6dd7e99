"""Tests of the hook implementations."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from promptvision_sdxl_inpaint.plugin import GENERATE, INPAINT, REFINER, SPECS, SdxlArgs

REFS = {"image_url": "0" * 64, "mask_url": "1" * 64}


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    heavy = ("torch", "diffusers", "transformers", "accelerate", "numpy")
    code = f"import sys, promptvision_sdxl_inpaint.plugin; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_defaults_are_those_of_the_usual_recipe() -> None:
    args = SdxlArgs.model_validate(REFS)
    assert (args.steps, args.strength, args.guidance) == (28, 0.99, 7.5)
    assert args.refiner
    assert args.refiner_steps is None


@pytest.mark.parametrize("wrong", [{"guidance": 0.5}, {"refiner_steps": 0}, {"strength": 0}, {"steps": 151}])
def test_values_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SdxlArgs.model_validate({**REFS, **wrong})


def test_every_model_is_pinned_and_has_a_licence() -> None:
    for spec in SPECS:
        assert len(spec.revision) == 40
        assert spec.license
        assert all(
            name.endswith((".json", ".safetensors", "*")) for name in (file.path for file in spec.files)
        )


def test_the_refiner_is_optional() -> None:
    required = {*INPAINT.requires.models, *GENERATE.requires.models}
    assert {spec.id for spec in SPECS} - required == {REFINER}
