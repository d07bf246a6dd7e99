"""An agent that edits and reads images by chaining vision tools; every tool is a plugin.

Names are imported on first use, so ``import promptvision`` costs next to nothing.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image as Image

    from promptvision.agent.agent import Agent as Agent
    from promptvision.agent.reply import Reply as Reply
    from promptvision.errors import ArgumentsError as ArgumentsError
    from promptvision.errors import Cancelled as Cancelled
    from promptvision.errors import PromptvisionError as PromptvisionError
    from promptvision.errors import SetupError as SetupError
    from promptvision.errors import StopTurn as StopTurn
    from promptvision.errors import ToolFailed as ToolFailed
    from promptvision.models.spec import ModelSpec as ModelSpec
    from promptvision.plugins import PLUGIN_API as PLUGIN_API
    from promptvision.plugins.specs import hookimpl as hookimpl
    from promptvision.settings import Settings as Settings
    from promptvision.settings import load_settings as load_settings
    from promptvision.tools.context import ToolContext as ToolContext
    from promptvision.tools.decorator import tool as tool
    from promptvision.tools.requirements import Gpu as Gpu
    from promptvision.tools.requirements import Requirements as Requirements
    from promptvision.tools.tool import Args as Args
    from promptvision.tools.tool import Operation as Operation
    from promptvision.tools.tool import Result as Result
    from promptvision.tools.tool import Tool as Tool
    from promptvision.types import Box as Box
    from promptvision.types import ImageRef as ImageRef
    from promptvision.types import ImageText as ImageText
    from promptvision.types import MaskRef as MaskRef
    from promptvision.types import Point as Point
    from promptvision.types import Target as Target

    PictureText = ImageText

_HOMES = {
    "Agent": "promptvision.agent.agent",
    "Args": "promptvision.tools.tool",
    "ArgumentsError": "promptvision.errors",
    "Box": "promptvision.types",
    "Cancelled": "promptvision.errors",
    "Gpu": "promptvision.tools.requirements",
    "Image": "PIL.Image",
    "ImageRef": "promptvision.types",
    "MaskRef": "promptvision.types",
    "ModelSpec": "promptvision.models.spec",
    "Operation": "promptvision.tools.tool",
    "ImageText": "promptvision.types",
    "PLUGIN_API": "promptvision.plugins",
    "Point": "promptvision.types",
    "PromptvisionError": "promptvision.errors",
    "Reply": "promptvision.agent.reply",
    "Requirements": "promptvision.tools.requirements",
    "Result": "promptvision.tools.tool",
    "Settings": "promptvision.settings",
    "SetupError": "promptvision.errors",
    "StopTurn": "promptvision.errors",
    "Target": "promptvision.types",
    "Tool": "promptvision.tools.tool",
    "ToolContext": "promptvision.tools.context",
    "ToolFailed": "promptvision.errors",
    "hookimpl": "promptvision.plugins.specs",
    "load_settings": "promptvision.settings",
    "tool": "promptvision.tools.decorator",
}

__all__ = sorted(("__version__", *_HOMES))

RENAMED = {"PictureText": "ImageText"}
"""Old public names to new ones. The old names work until 0.2."""


def lazy_attributes(
    module: str, sources: Mapping[str, str], renamed: Mapping[str, str] | None = None
) -> tuple[Callable[..., Any], Callable[[], list[str]]]:
    """Make ``__getattr__`` and ``__dir__`` for a module whose names live in other modules.

    Args:
        module: name of the module that offers the attributes.
        sources: attribute name to the module it is imported from on first use.
        renamed: old attribute name to the new one; its use gives a ``DeprecationWarning``.
    """
    former = renamed or {}

    def get_attribute(name: str, stacklevel: int = 2) -> Any:
        if name in former:
            message = f"{module}.{name} is now {module}.{former[name]}; the old name is removed in 0.2"
            warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)
            return getattr(sys.modules[module], former[name])
        if name not in sources:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        source = import_module(sources[name])
        value = getattr(source, name, None) or import_module(f"{sources[name]}.{name}")
        setattr(sys.modules[module], name, value)
        return value

    return get_attribute, lambda: sorted(sources)


_get_attribute, _ = lazy_attributes(__name__, _HOMES, RENAMED)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("promptvision")
    return _get_attribute(name, stacklevel=3)


def __dir__() -> list[str]:
    return sorted(__all__)
