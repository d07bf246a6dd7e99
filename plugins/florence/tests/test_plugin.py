from __future__ import annotations

import re
import subprocess
import sys

from promptvision.plugin import Settings, missing_requirements
from promptvision_florence.plugin import CAPTION, CAPTION_REMOTE, MODELS, promptvision_tools

HEAVY = {"torch", "transformers", "httpx", "starlette", "uvicorn", "PIL.Image"}


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    code = "import sys, promptvision_florence.plugin as p; p.promptvision_tools(); p.promptvision_models()"
    code += f"; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_local_captions_take_precedence_over_remote_ones() -> None:
    offered = {tool.name: tool.priority for tool in promptvision_tools()}
    assert offered == {"florence": 50, "florence_remote": 40, "florence_detect": 30, "florence_ocr": 30}


def test_revisions_are_pinned() -> None:
    assert [spec.id for spec in MODELS] == [
        "florence-2-large",
        "florence-2-large-ft",
        "florence-2-base",
        "florence-2-base-ft",
    ]
    assert all(re.fullmatch(r"[0-9a-f]{40}", spec.revision) for spec in MODELS)


def test_remote_captions_need_a_url() -> None:
    def first_missing(**variables: str) -> list[str]:
        setting = Settings.from_mapping(variables).value
        found = missing_requirements(CAPTION_REMOTE.requires, has_model=lambda _: None, setting=setting)
        return [missing.what for missing in found]

    assert first_missing() == ["FLORENCE_API_URL is not set"]
    assert first_missing(FLORENCE_API_URL="http://127.0.0.1:8000/caption") == []


def test_a_setting_chooses_the_model() -> None:
    settings = Settings.from_mapping({"PROMPTVISION_FLORENCE_MODEL": "florence-2-base-ft"})
    assert CAPTION.requires.chosen_models(settings.value) == ("florence-2-base-ft",)
