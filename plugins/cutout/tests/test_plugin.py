from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from promptvision.plugin import ImageRef, MaskRef, Settings
from promptvision_cutout.plugin import CUTOUT, CutoutArgs, promptvision_models, promptvision_tools


def test_hooks_offer_the_tool_and_both_models() -> None:
    assert promptvision_tools() == [CUTOUT]
    assert [spec.id for spec in promptvision_models()] == ["birefnet-lite", "isnet-general-use"]


def test_models_are_pinned_and_of_a_permissive_licence() -> None:
    for spec in promptvision_models():
        (file,) = spec.files
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256 or "")
        assert file.size == spec.weight_bytes["float32"]
        assert (file.url or "").startswith(spec.source + "/")
        assert spec.license in ("MIT", "Apache-2.0")


def test_setting_chooses_the_model() -> None:
    settings = Settings.from_mapping({"PROMPTVISION_CUTOUT_MODEL": "isnet-general-use"})
    assert CUTOUT.requires.chosen_models(settings.value) == ("isnet-general-use",)


def test_target_needs_its_mask() -> None:
    image = ImageRef("0" * 64)
    with pytest.raises(ValidationError, match="the mask of the target is missing"):
        CutoutArgs(image_url=image, target="dog")
    assert CutoutArgs(image_url=image, target="dog", mask_url=MaskRef("1" * 64)).mask_url is not None
