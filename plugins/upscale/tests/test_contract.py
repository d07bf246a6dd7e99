"""The tool passes the contract of all tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from promptvision.testing import CallContext, ToolContract, make_context
from promptvision_upscale.plugin import SWIN2SR, promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestSwin2sr(ToolContract):
    tool = TOOLS["swin2sr"]
    plugin_module = "promptvision_upscale.plugin"
    models = (SWIN2SR,)

    @pytest.fixture(autouse=True)
    def _use_tiny_graph(self, graphs: dict[str, Path]) -> None:
        self.variables = {"PROMPTVISION_MODEL_SWIN2SR_X2": str(graphs["exact"])}

    def context(self, **changes: Any) -> CallContext:
        return make_context(models=self.models, variables=self.variables, **changes)
