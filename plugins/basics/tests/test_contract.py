"""The tools pass the contract of all tools."""

from __future__ import annotations

from promptvision.testing import ToolContract
from promptvision_basics.plugin import promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestCrop(ToolContract):
    tool = TOOLS["pillow_crop"]
    plugin_module = "promptvision_basics.plugin"
    example = {"aspect": "1:1"}


class TestRotate(ToolContract):
    tool = TOOLS["pillow_rotate"]
    plugin_module = "promptvision_basics.plugin"


class TestFlip(ToolContract):
    tool = TOOLS["pillow_flip"]
    plugin_module = "promptvision_basics.plugin"


class TestResize(ToolContract):
    tool = TOOLS["pillow_resize"]
    plugin_module = "promptvision_basics.plugin"
    example = {"width": 40}


class TestAdjust(ToolContract):
    tool = TOOLS["pillow_adjust"]
    plugin_module = "promptvision_basics.plugin"
    example = {"brightness": 1.2}


class TestBlur(ToolContract):
    tool = TOOLS["pillow_blur"]
    plugin_module = "promptvision_basics.plugin"


class TestText(ToolContract):
    tool = TOOLS["pillow_text"]
    plugin_module = "promptvision_basics.plugin"
    example = {"text": "hello"}


class TestCombine(ToolContract):
    tool = TOOLS["pillow_combine"]
    plugin_module = "promptvision_basics.plugin"


class TestInfo(ToolContract):
    tool = TOOLS["pillow_info"]
    plugin_module = "promptvision_basics.plugin"


class TestConvert(ToolContract):
    tool = TOOLS["pillow_convert"]
    plugin_module = "promptvision_basics.plugin"
    example = {"format": "webp"}
