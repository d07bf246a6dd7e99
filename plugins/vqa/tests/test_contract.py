"""The tool keeps the contract of all tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from promptvision.testing import CallContext, ToolContract
from promptvision_vqa import ask
from promptvision_vqa.plugin import SMALL, promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class TestSmolvlm(ToolContract):
    tool = TOOLS["smolvlm"]
    plugin_module = "promptvision_vqa.plugin"
    models = (SMALL,)
    example = {"question": "how many squares are there?"}

    @pytest.fixture(autouse=True)
    def _use_tiny_checkpoint(
        self, context: Callable[..., CallContext], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ask, "MAX_NEW_TOKENS", 12)
        self.make = context

    def context(self, **changes: Any) -> CallContext:
        return self.make(**changes)
