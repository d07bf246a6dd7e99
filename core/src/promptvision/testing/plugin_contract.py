"""The contracts for everything that an installed plugin offers, run by ``promptvision plugin check``.

``PROMPTVISION_CHECK`` in the environment is the plugin's entry-point name.
"""

from __future__ import annotations

import os

from promptvision.models.weights import missing_weights
from promptvision.plugins.registry import Registry
from promptvision.runtime.executor import Executor
from promptvision.runtime.worker import Worker
from promptvision.settings import Settings
from promptvision.testing.executor import ExecutorContract
from promptvision.testing.tool_contract import ToolContract

_NAME = os.environ.get("PROMPTVISION_CHECK", "")
_SETTINGS = Settings.from_mapping({})
_REGISTRY = Registry.load(_SETTINGS)
_PLUGIN = next((plugin for plugin in _REGISTRY.plugins if plugin.name == _NAME), None)


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
            made[f"TestTool_{tool.name}"] = type(f"TestTool_{tool.name}", (ToolContract,), attributes)
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
