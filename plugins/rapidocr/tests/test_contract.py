"""The tool passes the contract of all tools."""

from __future__ import annotations

from promptvision.testing import ToolContract
from promptvision_rapidocr.plugin import promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestRapidocr(ToolContract):
    tool = TOOLS["rapidocr"]
    plugin_module = "promptvision_rapidocr.plugin"
