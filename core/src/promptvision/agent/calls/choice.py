"""Which tools of an operation can run a request, and the errors when none can."""

from __future__ import annotations

import logging
from typing import Any

from promptvision.errors import SetupError, ToolFailed
from promptvision.plugins.registry import Registry
from promptvision.tools.artifacts import link_types, target_field
from promptvision.tools.targets import is_complement, kept_part
from promptvision.tools.tool import Args, Tool
from promptvision.types import Box

__all__ = ["accepts", "declined_error", "raised_by", "tools_that_invert", "unavailable_error"]

log = logging.getLogger(__name__)


def tools_that_invert(tools: list[Tool], values: dict[str, Any]) -> list[Tool]:
    """The tools that can run a request; for "everything except", those that can invert the boxes.

    Args:
        tools: of one operation, best first; at least one.
        values: the arguments.

    Raises:
        ToolFailed: there is none.
    """
    target_name = target_field(tools[0].args)
    target = values.get(target_name) if target_name else None
    if (
        not isinstance(target, str)
        or list[Box] not in link_types(tools[0].args, required=True).values()
        or not is_complement(target)
    ):
        return tools
    capable = [tool for tool in tools if tool.takes_complements and kept_part(target)]
    if not capable:
        raise ToolFailed(
            f"{tools[0].operation.name}: cannot act on {target!r}: no tool here selects all but a thing; "
            "name the thing to change instead"
        )
    return capable


def accepts(tool: Tool, args: Args) -> bool:
    """Whether a tool accepts these arguments.

    Raises:
        ToolFailed: its ``accepts`` raised.
    """
    if tool.accepts is None:
        return True
    try:
        return bool(tool.accepts(args))
    except Exception as exc:  # a plugin's function may raise anything
        log.exception("%s: tool %r: accepts failed", tool.plugin, tool.name)
        raise raised_by(tool, exc, "accepts: ") from exc


def raised_by(tool: Tool, exc: Exception, where: str = "") -> ToolFailed:
    """What a plugin's code raised, as one line with the name of the tool.

    Args:
        tool: the tool.
        exc: what was raised.
        where: the function that raised, as a prefix; empty for the tool's own.
    """
    first_line = (str(exc).splitlines() or [""])[0][:500]
    return ToolFailed(f"{tool.plugin}: tool {tool.name!r}: {where}{type(exc).__name__}: {first_line}")


def unavailable_error(registry: Registry, operation: str) -> SetupError:
    """The error of an operation whose tools cannot run here."""
    return SetupError(f"{operation} cannot run here: {registry.missing_reason(operation)}")


def declined_error(registry: Registry, operation: str, tools: list[Tool]) -> ToolFailed | SetupError:
    """The error when no tool accepts the arguments, with what to install if that could help.

    Args:
        registry: the installed tools and their availability.
        operation: the name of the operation.
        tools: those that can run here.
    """
    reasons = [f"tool {tool.name!r}: {tool.limits or 'it does not serve them'}" for tool in tools]
    needs = [
        f"tool {tool.name!r}: {one.what}; {one.fix}"
        for tool in registry.candidates(operation)
        for one in registry.missing(tool)
    ]
    if not needs:
        return ToolFailed(f"{operation}: no tool here serves these arguments: {' '.join(reasons)}")
    return SetupError(
        f"{operation} cannot run here with these arguments: {' '.join(reasons)} "
        f"Not ready: {'; or '.join(needs)}"
    )
