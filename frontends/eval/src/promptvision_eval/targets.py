"""What is scored: a tool of the agent, or a planner."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from promptvision.plugin import (
    CallError,
    CallOutcome,
    EvalOutput,
    Message,
    Planner,
    PlannerFunction,
    PlanRequest,
    Tool,
    ToolCall,
    system_prompt,
)

if TYPE_CHECKING:
    from promptvision import Agent

__all__ = ["PlannerTarget", "Target", "ToolTarget"]

MAX_CALLS = 12
IMAGE_NOTE = "[Images of this conversation:\nimg_1 input 1024x768 given by the user (current)\n]"


class Target(Protocol):
    """A tool or planner that is scored."""

    name: str
    """Shown to users."""
    models: list[str]
    """Ids of the models that it has used."""

    @property
    def identity(self) -> Mapping[str, str]:
        """What its predictions depend on: plugin, version and weights."""

    async def call(self, values: Mapping[str, Any]) -> tuple[EvalOutput, float]:
        """The output of one call and its seconds."""

    async def forget(self) -> None:
        """Release what calls have stored, after each example."""


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

    async def forget(self) -> None:
        """Delete the images of the last example from the store."""
        for image_id in dict.fromkeys(self._stored):
            await asyncio.to_thread(self._agent.images.delete, image_id)
        self._stored.clear()


class PlannerTarget:
    """One planner, asked as in a turn; each call that it makes is answered as done.

    Args:
        planner: the planner.
        version: of its plugin.
        plugin: entry-point name.
        functions: what it may call.
        defaults: operation to argument to default value.
        identity: what else its answers depend on.
    """

    def __init__(
        self,
        planner: Planner,
        *,
        plugin: str,
        version: str,
        functions: tuple[PlannerFunction, ...],
        defaults: Mapping[str, Mapping[str, Any]],
        identity: Mapping[str, str],
    ) -> None:
        self.name = planner.name
        names = ",".join(sorted(function.name for function in functions))
        self.identity = {"plugin": plugin, "version": version, "functions": names, **identity}
        self.models: list[str] = []
        self._planner = planner
        self._functions = functions
        self._defaults = defaults

    async def call(self, values: Mapping[str, Any]) -> tuple[EvalOutput, float]:
        """Ask for one sentence until the planner answers."""
        began = time.perf_counter()
        fields = await self._ask(values["sentence"], values["before"])
        return EvalOutput(fields=fields, open=_no_image), time.perf_counter() - began

    async def forget(self) -> None:
        """Nothing is stored."""

    async def _ask(self, sentence: str, before: Any) -> dict[str, Any]:
        messages = [Message(role="system", content=system_prompt(self._functions))]
        if before is not None:
            earlier = ToolCall(id="earlier", name=before[0], arguments=dict(before[1]))
            messages += [
                Message(role="user", content="earlier"),
                Message(role="assistant", tool_calls=(earlier,)),
                Message(role="tool", content="Done.", tool_call_id=earlier.id, name=earlier.name),
                Message(role="assistant", content="Done."),
            ]
        messages.append(Message(role="user", content=f"{sentence}\n\n{IMAGE_NOTE}"))
        calls: list[dict[str, Any]] = []
        outcomes: list[CallOutcome] = []
        while True:
            reply = await self._planner.complete(
                PlanRequest(
                    messages=tuple(messages),
                    functions=self._functions,
                    prompt=sentence,
                    outcomes=tuple(outcomes),
                )
            )
            if not reply.tool_calls or len(calls) >= MAX_CALLS:
                break
            messages.append(Message(role="assistant", content=reply.text, tool_calls=reply.tool_calls))
            for made in reply.tool_calls:
                arguments = _arguments(made.arguments)
                calls.append(
                    {
                        "name": made.name,
                        "arguments": arguments,
                        "defaults": dict(self._defaults.get(made.name, {})),
                    }
                )
                summary = f"Done {len(calls)}."
                outcomes.append(CallOutcome(name=made.name, arguments=arguments, summary=summary))
                messages.append(Message(role="tool", content=summary, tool_call_id=made.id, name=made.name))
        said = " ".join(outcome.summary for outcome in outcomes)
        is_plain = self._planner.name == "offline"  # it answers with the summaries when it is done
        is_understood = not reply.failed and reply.text.strip() == said if is_plain else None
        return {"calls": calls, "text": reply.text, "is_understood": is_understood}


def _arguments(written: str | Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(written, str):
        return dict(written)
    try:
        read = json.loads(written)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _no_image(image_id: str) -> Any:
    raise KeyError(image_id)
