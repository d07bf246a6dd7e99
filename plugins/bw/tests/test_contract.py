"""The tool passes the contract of all tools."""

from __future__ import annotations

from promptvision.testing import ToolContract
from promptvision_bw.plugin import promptvision_tools


class TestBw(ToolContract):
    tool = next(iter(promptvision_tools()))
    plugin_module = "promptvision_bw.plugin"
