from __future__ import annotations

import re
import subprocess
import sys

from promptvision.plugin import Settings
from promptvision_grounding_dino.plugin import BASE, DETECT, TINY, promptvision_models, promptvision_tools

HEAVY = {"torch", "torchvision", "transformers", "cv2", "PIL.Image"}


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys, promptvision_grounding_dino.plugin as p; p.promptvision_tools(); p.promptvision_models()"
    )
    code += f"; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_hooks_offer_the_tool_and_both_models() -> None:
    assert [tool.name for tool in promptvision_tools()] == ["grounding_dino"]
    assert [spec.id for spec in promptvision_models()] == ["grounding-dino-base", "grounding-dino-tiny"]


def test_revisions_and_digests_are_pinned() -> None:
    for spec in (BASE, TINY):
        assert re.fullmatch(r"[0-9a-f]{40}", spec.revision)
        assert all(re.fullmatch(r"[0-9a-f]{64}", file.sha256 or "") for file in spec.files)
        assert spec.files[0].path.endswith(".safetensors")


def test_a_setting_chooses_the_model() -> None:
    def chosen(**variables: str) -> tuple[str, ...]:
        return DETECT.requires.chosen_models(Settings.from_mapping(variables).value)

    assert chosen() == ("grounding-dino-base | grounding-dino-tiny",)
    assert chosen(PROMPTVISION_GROUNDING_DINO_MODEL="grounding-dino-tiny") == ("grounding-dino-tiny",)
