"""What is scored: a tool of the agent here, a planner in :mod:`promptvision_eval.planner_target`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from promptvision.plugin import CallError, EvalOutput, Tool

if TYPE_CHECKING:
    from promptvision import Agent

__all__ = ["Target", "ToolTarget"]


class Target(Protocol):
    """A tool or planner that is scored."""

    name: str
    """Shown to users."""
    models: list[str]
    """Ids of the models that it has used."""

    @property
    def identity(self) -> Mapping[str, str]:
        """What its predictions depend on: plugin, version and weights."""

    @property
    def conditions(self) -> Mapping[str, str]:
        """What the report says about it."""

    async def call(self, values: Mapping[str, Any]) -> tuple[EvalOutput, float]:
        """The output of one call and its seconds."""

    async def clear(self) -> None:
        """Release what calls have stored, after each example."""

    async def close(self) -> None:
        """Release everything else, after the last example."""


class ToolTarget:
    """One installed tool.

    Args:
        agent: runs it.
        tool: the tool.
        arguments: set for each call, in place of those of the evaluator.
        identity: what else its predictions depend on.
    """

    def __init__(
        self, agent: Agent, tool: Tool, arguments: Mapping[str, Any], identity: Mapping[str, str]
    ) -> None:
        self.name = tool.name
        self.identity = {"plugin": tool.plugin, "version": tool.version, **identity}
        self.conditions = {
            name: f"{value:g}" if isinstance(value, float) else str(value)
            for name, value in {**_defaults(tool), **arguments}.items()
        }
        self.models: list[str] = []
        self._agent = agent
        self._tool = tool
        self._arguments = arguments
        self._stored: list[str] = []

    async def call(self, values: Mapping[str, Any]) -> tuple[EvalOutput, float]:
        """Run the tool once, without a fallback."""
        given = {**values, **self._arguments}
        reply = await self._agent.call_tool(self._tool.qualified_name, given)
        step = reply.steps[-1]
        self._stored += [image_id for each in reply.steps for image_id in each.image_ids]
        if step.result is None:
            raise CallError(f"{self.name}: {step.message or step.status}")
        self.models = [*dict.fromkeys([*self.models, *step.models])]
        return EvalOutput(fields=step.result, open=self._agent.open), step.seconds

    async def clear(self) -> None:
        """Delete the images of the last example from the store and from memory."""
        for image_id in dict.fromkeys(self._stored):
            await asyncio.to_thread(self._agent.images.delete, image_id)
            self._agent.services.runtime.images.drop(image_id)
        self._stored.clear()

    async def close(self) -> None:
        """The agent closes its tools."""


def _defaults(tool: Tool) -> dict[str, Any]:
    """The arguments of a tool that have a plain default value."""
    fields = tool.args.model_fields.items()
    return {name: field.default for name, field in fields if isinstance(field.default, str | int | float)}
