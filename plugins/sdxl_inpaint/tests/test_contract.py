"""The tools keep the contract of all tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from promptvision.testing import CallContext, ToolContract
from promptvision_sdxl_inpaint.plugin import SPECS, promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class _Contract(ToolContract):
    __test__ = False
    plugin_module = "promptvision_sdxl_inpaint.plugin"
    models = SPECS

    @pytest.fixture(autouse=True)
    def _use_tiny_checkpoints(self, context: Callable[..., CallContext]) -> None:
        self.make = context

    def context(self, **changes: Any) -> CallContext:
        return self.make(**changes)


class TestSdxlInpaint(_Contract):
    __test__ = True
    tool = TOOLS["sdxl_inpaint"]
    example = {"prompt": "a ball", "steps": 3}


class TestSdxlGenerate(_Contract):
    __test__ = True
    tool = TOOLS["sdxl_generate"]
    example = {"prompt": "a ball", "steps": 2}

    def test_images_of_the_arguments_are_not_changed(self) -> None:
        """There are none."""
