"""Tests of the hook implementations."""

from __future__ import annotations

import subprocess
import sys

import pytest

from promptvision_sam.plugin import MODELS, model_spec, promptvision_models, segment_tool


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "ultralytics", "cv2", "numpy")
    code = f"import sys, promptvision_sam.plugin; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("ultralytics", "shown"), [(True, "AGPL-3.0"), (False, "transformers, Apache-2.0")])
def test_tool_states_its_engine_and_licence(ultralytics: bool, shown: str) -> None:
    tool = segment_tool(ultralytics=ultralytics)
    assert shown in tool.limits
    assert shown in model_spec(ultralytics=ultralytics).license  # printed by `promptvision plugins`
    assert tool.requires.models == ("sam2.1-l | sam2.1-b+ | sam2.1-s | sam2.1-t",)


def test_each_profile_has_a_size() -> None:
    assert {spec.tier: spec.id for spec in promptvision_models() if spec.tier} == {
        "full": "sam2.1-l",
        "light": "sam2.1-t",
    }


@pytest.mark.parametrize("ultralytics", [True, False])
@pytest.mark.parametrize("model", MODELS)
def test_every_file_is_pinned_by_digest_and_size(model: str, ultralytics: bool) -> None:
    spec = model_spec(model, ultralytics=ultralytics)
    assert spec.id == model
    for file in spec.files:
        assert file.sha256 is not None
        assert len(file.sha256) == 64
        assert file.size > 0
