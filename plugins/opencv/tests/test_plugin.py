from __future__ import annotations

import subprocess
import sys

import pytest

from promptvision.plugin import Tool
from promptvision_opencv.plugin import PLUGIN_API, promptvision_tools


def test_fallback_tools_state_their_limits_and_better_tools() -> None:
    tools = list(promptvision_tools())
    assert PLUGIN_API == 1
    assert [tool.operation.name for tool in tools] == [
        "detect_objects",
        "segment_objects",
        "inpaint_image",
        "caption_image",
    ]
    assert {tool.priority for tool in tools} == {10}
    better = (
        "promptvision-grounding-dino",
        "promptvision-sam",
        "promptvision-sdxl-inpaint",
        "promptvision-florence",
    )
    for tool, name in zip(tools, better, strict=True):
        assert name in tool.limits


@pytest.mark.parametrize("tool", promptvision_tools(), ids=lambda tool: tool.name)
def test_import_string_names_a_function(tool: Tool) -> None:
    assert callable(tool.load())


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys, promptvision_opencv.plugin as p; list(p.promptvision_tools()); "
        "print(sorted({'cv2', 'skimage', 'numpy', 'scipy', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
