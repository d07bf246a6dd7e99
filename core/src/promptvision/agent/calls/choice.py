"""Which tools of an operation can run a request, and the errors when none can."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptvision.agent.calls.request import OperationRequest
from promptvision.errors import NotSupported, SetupError, ToolFailed
from promptvision.needs import NeedsSetup
from promptvision.plugins.availability import describe_needs
from promptvision.plugins.registry import Registry
from promptvision.tools.artifacts import link_types, target_field
from promptvision.tools.requirements import Missing
from promptvision.tools.targets import is_complement, kept_part
from promptvision.tools.tool import Args, Tool
from promptvision.types import Box

__all__ = [
    "accepts",
    "declined_error",
    "failed_error",
    "needs_of",
    "raised_by",
    "tools_that_invert",
    "unavailable_error",
]

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


def unavailable_error(registry: Registry, request: OperationRequest) -> SetupError:
    """The error of an operation whose tools cannot run here."""
    name = request.operation
    needs = registry.needs(name, request.values)
    return SetupError(f"{name} cannot run here: {registry.missing_reason(name)}", needs=needs)


def declined_error(
    registry: Registry, operation: str, tools: list[Tool], values: Mapping[str, Any] | None = None
) -> ToolFailed | SetupError:
    """The error when no tool accepts the arguments, with what to set up if that could help.

    Args:
        registry: the installed tools and their availability.
        operation: the name of the operation.
        tools: those that can run here.
        values: the arguments so far.
    """
    reasons = " ".join(f"tool {tool.name!r}: {tool.limits or 'it does not serve them'}" for tool in tools)
    needs = registry.needs(operation, values)
    if needs is None:
        return ToolFailed(f"{operation}: no tool here serves these arguments: {reasons}")
    better = f"A better tool can: {describe_needs(needs)}"
    if not needs["models"]:
        absent = (f"tool {tool.name!r}: {one.what}; {one.fix}" for tool, one in _missing(registry, operation))
        better = f"Not ready: {'; or '.join(absent)}"
    return SetupError(f"{operation} cannot run here with these arguments: {reasons} {better}", needs=needs)


def _missing(registry: Registry, operation: str) -> Iterator[tuple[Tool, Missing]]:
    """What each tool for an operation lacks."""
    for tool in registry.candidates(operation):
        for one in registry.missing(tool):
            yield tool, one


def failed_error(
    registry: Registry, request: OperationRequest, failures: Sequence[ToolFailed | SetupError]
) -> ToolFailed | SetupError:
    """The error when every tool has failed, with what to set up if a better tool may do it.

    Args:
        registry: the installed tools and their availability.
        request: the operation and its arguments.
        failures: of each tool, in order.
    """
    text = "; ".join(dict.fromkeys(str(exc) for exc in failures))
    needs = needs_of(registry, request, failures[-1])
    if all(isinstance(exc, SetupError) for exc in failures):
        return SetupError(text, needs=needs)
    if needs is None:
        return ToolFailed(text)
    return SetupError(f"{text.rstrip('.')}. A better tool can: {describe_needs(needs)}", needs=needs)


def needs_of(registry: Registry, request: OperationRequest, error: Exception) -> NeedsSetup | None:
    """What must be set up before a request that failed can succeed, as far as it is known."""
    if isinstance(error, SetupError):
        return error.needs
    if not isinstance(error, NotSupported):
        return None
    needs = registry.needs(request.operation, request.values)
    return needs if needs and needs["models"] else None
