"""The contracts for everything that an installed plugin offers, run by ``promptvision plugin check``.

``PROMPTVISION_CHECK`` in the environment is the plugin's entry-point name.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from PIL.Image import Image

from promptvision.errors import ArgumentsError, NotSupported
from promptvision.models.weights import missing_weights
from promptvision.plugins.registry import Registry
from promptvision.runtime.context import CallContext
from promptvision.runtime.executor import Executor
from promptvision.runtime.worker import Worker
from promptvision.settings import Settings
from promptvision.testing.example_arguments import complete_arguments
from promptvision.testing.executor import ExecutorContract
from promptvision.testing.tool_contract import ToolContract
from promptvision.tools.tool import Result

_NAME = os.environ.get("PROMPTVISION_CHECK", "")
_SETTINGS = Settings.from_mapping({})
_REGISTRY = Registry.load(_SETTINGS)
_PLUGIN = next((plugin for plugin in _REGISTRY.plugins if plugin.name == _NAME), None)


class GeneratedToolContract(ToolContract):
    """The contract of a tool for which its author has given no example call."""

    __test__ = False

    def arguments(self, context: CallContext, image: Image) -> dict[str, Any]:
        """Arguments of one call, made from the schema of the tool."""
        return complete_arguments(self.made.args, super().arguments(context, image))

    def call(self, image: Image | None = None, context: CallContext | None = None) -> Result:
        """Make one call; skip the test if the tool does not accept the generated arguments."""
        try:
            return super().call(image, context)
        except (ArgumentsError, NotSupported) as exc:
            pytest.skip(f"no example call: {exc}")

    def test_cancelled_call_stops(self) -> None:
        """Skip the test if the generated arguments are refused: cancelling then has no effect."""
        self.call()
        super().test_cancelled_call_stops()


def _contracts() -> dict[str, type]:
    """Test classes by name."""
    made: dict[str, type] = {}
    if _PLUGIN is None:
        return made
    offered = _PLUGIN.offers.get("promptvision_models", ())
    models = tuple(spec for spec in offered if missing_weights(spec, _SETTINGS) is None)
    for tool in _REGISTRY.offered_tools():
        if tool.plugin == _NAME:
            attributes = {"tool": tool, "plugin_module": _PLUGIN.entry_point.module, "models": models}
            name = f"TestTool_{tool.name}"
            made[name] = type(name, (GeneratedToolContract,), {**attributes, "__test__": True})
    for factory in _PLUGIN.offers.get("promptvision_executors", ()):

        def make_executor(cls: type, worker: Worker, create: object = factory.create) -> Executor:
            assert callable(create)
            executor: Executor = create(worker)
            return executor

        attributes = {"make_executor": classmethod(make_executor)}
        made[f"TestExecutor_{factory.name}"] = type(
            f"TestExecutor_{factory.name}", (ExecutorContract,), attributes
        )
    return made


globals().update(_contracts())
