"""The tool passes the contract of all tools."""

from __future__ import annotations

from promptvision.testing import ToolContract
from promptvision_tesseract.plugin import promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestTesseract(ToolContract):
    tool = TOOLS["tesseract"]
    plugin_module = "promptvision_tesseract.plugin"
