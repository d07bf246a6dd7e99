"""The tool passes the contract of all tools."""

from __future__ import annotations

from promptvision.testing import ToolContract
from promptvision_sam.plugin import promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestSam(ToolContract):
    tool = TOOLS["sam"]
    plugin_module = "promptvision_sam.plugin"
