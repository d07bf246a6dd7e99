"""The tool passes the contract of all tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from promptvision.testing import CallContext, ToolContract, make_context
from promptvision_erase.plugin import MIGAN, promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestErase(ToolContract):
    tool = TOOLS["erase"]
    plugin_module = "promptvision_erase.plugin"
    models = (MIGAN,)

    @pytest.fixture(autouse=True)
    def _use_tiny_graph(self, graphs: dict[str, Path]) -> None:
        self.variables = {"PROMPTVISION_MODEL_MIGAN_512": str(graphs["migan"])}

    def context(self, **changes: Any) -> CallContext:
        return make_context(models=self.models, variables=self.variables, **changes)
