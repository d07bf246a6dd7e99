"""The tool keeps the contract of all tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from promptvision.testing import CallContext, ToolContract
from promptvision_sd_inpaint.plugin import SD, promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestSdInpaint(ToolContract):
    tool = TOOLS["sd_inpaint"]
    plugin_module = "promptvision_sd_inpaint.plugin"
    models = (SD,)
    example = {"prompt": "a ball", "steps": 2}

    @pytest.fixture(autouse=True)
    def _use_tiny_checkpoint(self, context: Callable[..., CallContext]) -> None:
        self.make = context

    def context(self, **changes: Any) -> CallContext:
        return self.make(**changes)
