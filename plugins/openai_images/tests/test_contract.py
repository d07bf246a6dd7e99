"""The tools pass the contract of all tools."""

from __future__ import annotations

from typing import Any

import pytest

from promptvision.testing import CallContext, ToolContract, make_context
from promptvision_openai_images.plugin import promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


class _Contract(ToolContract):
    __test__ = False
    plugin_module = "promptvision_openai_images.plugin"

    @pytest.fixture(autouse=True)
    def _use_stub_host(self, variables: dict[str, Any]) -> None:
        self.variables = variables

    def context(self, **changes: Any) -> CallContext:
        return make_context(variables=self.variables, **changes)


class TestEdit(_Contract):
    __test__ = True
    tool = TOOLS["openai_edit"]
    example = {"prompt": "make it winter"}


class TestGenerate(_Contract):
    __test__ = True
    tool = TOOLS["openai_generate"]
    example = {"prompt": "a red bicycle"}

    def test_images_of_the_arguments_are_not_changed(self) -> None:
        """There are no images among the arguments."""


class TestAsk(_Contract):
    __test__ = True
    tool = TOOLS["openai_ask"]
    example = {"question": "how many squares are there?"}
