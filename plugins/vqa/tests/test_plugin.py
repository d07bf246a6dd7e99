"""The plugin's hooks."""

from __future__ import annotations

import re

from promptvision.plugin import Settings
from promptvision_vqa.plugin import ASK, LARGE, SMALL, promptvision_models, promptvision_tools


def test_hooks_offer_the_tool_and_both_models() -> None:
    assert promptvision_tools() == [ASK]
    assert promptvision_models() == [SMALL, LARGE]


def test_models_are_pinned_and_of_a_permissive_licence() -> None:
    for spec in promptvision_models():
        weights = spec.files[0]
        assert re.fullmatch(r"[0-9a-f]{40}", spec.revision)
        assert re.fullmatch(r"[0-9a-f]{64}", weights.sha256 or "")
        assert weights.size == spec.weight_bytes["bfloat16"] == spec.weight_bytes["float32"] // 2
        assert spec.license == "Apache-2.0"


def test_setting_chooses_the_model() -> None:
    settings = Settings.from_mapping({"PROMPTVISION_VQA_MODEL": "smolvlm-500m"})
    assert ASK.requires.chosen_models(settings.value) == ("smolvlm-500m",)
