"""The tool passes the contract of all tools."""

from __future__ import annotations

from typing import Any

import pytest

from promptvision.testing import CallContext, ToolContract, make_context
from promptvision_cutout.plugin import BIREFNET, promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestCutout(ToolContract):
    tool = TOOLS["cutout"]
    plugin_module = "promptvision_cutout.plugin"
    models = (BIREFNET,)

    @pytest.fixture(autouse=True)
    def _use_tiny_graph(self, variables: dict[str, str]) -> None:
        self.variables = variables

    def context(self, **changes: Any) -> CallContext:
        return make_context(models=self.models, variables=self.variables, **changes)
