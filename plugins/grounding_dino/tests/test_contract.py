"""The tool passes the contract of all tools."""

from __future__ import annotations

from promptvision.testing import ToolContract
from promptvision_grounding_dino.plugin import promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestGroundingDino(ToolContract):
    tool = TOOLS["grounding_dino"]
    plugin_module = "promptvision_grounding_dino.plugin"
    example = {"prompt": "ball"}
