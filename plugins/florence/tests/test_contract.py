"""The tools pass the contract of all tools."""

from __future__ import annotations

from promptvision.testing import ToolContract
from promptvision_florence.plugin import promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestFlorence(ToolContract):
    tool = TOOLS["florence"]
    plugin_module = "promptvision_florence.plugin"


class TestFlorenceRemote(ToolContract):
    tool = TOOLS["florence_remote"]
    plugin_module = "promptvision_florence.plugin"


class TestFlorenceDetect(ToolContract):
    tool = TOOLS["florence_detect"]
    plugin_module = "promptvision_florence.plugin"
    example = {"prompt": "ball"}


class TestFlorenceOcr(ToolContract):
    tool = TOOLS["florence_ocr"]
    plugin_module = "promptvision_florence.plugin"
