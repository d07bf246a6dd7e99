"""The tool keeps the contract of all tools."""

from __future__ import annotations

from promptvision.testing import ToolContract
from promptvision_sdxl_inpaint.plugin import promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestSdxlInpaint(ToolContract):
    tool = TOOLS["sdxl_inpaint"]
    plugin_module = "promptvision_sdxl_inpaint.plugin"
    example = {"prompt": "a ball"}
