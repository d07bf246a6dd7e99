"""Names and attributes of spans.

Source: OpenTelemetry semantic conventions 1.40, ``gen_ai.*`` for agents, chat requests and tools, ``http.*``
for requests. Other names begin with ``promptvision.``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import singledispatch
from typing import Any

from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from promptvision.plugin import (
    Activity,
    Message,
    ModelLoadActivity,
    PlannerActivity,
    RequestActivity,
    StepActivity,
    StoreActivity,
    ToolRunActivity,
    TurnActivity,
)

__all__ = ["contents", "ended", "kind_of", "name_of", "started"]

Attributes = dict[str, AttributeValue]
MAX_CONTENT_CHARS = 16_000
"""Longest content of one attribute; the rest is cut off."""


def kind_of(activity: Activity) -> SpanKind:
    """The kind of a span."""
    if isinstance(activity, RequestActivity):
        return SpanKind.SERVER
    if isinstance(activity, StoreActivity | PlannerActivity):
        return SpanKind.CLIENT
    return SpanKind.INTERNAL


@singledispatch
def name_of(activity: Activity) -> str:
    """The name of a span, as far as it is known at the start."""
    return type(activity).__name__


@name_of.register(RequestActivity)
def _(activity: RequestActivity) -> str:
    return activity.method


@name_of.register(TurnActivity)
def _(activity: TurnActivity) -> str:
    return "invoke_agent promptvision"


@name_of.register(PlannerActivity)
def _(activity: PlannerActivity) -> str:
    return f"chat {activity.planner.name}"


@name_of.register(StepActivity)
def _(activity: StepActivity) -> str:
    return f"execute_tool {activity.tool.name}"


@name_of.register(ToolRunActivity)
def _(activity: ToolRunActivity) -> str:
    return f"run {activity.tool.name}"


@name_of.register(ModelLoadActivity)
def _(activity: ModelLoadActivity) -> str:
    return f"load {activity.model}"


@name_of.register(StoreActivity)
def _(activity: StoreActivity) -> str:
    return f"{activity.store} {activity.method}"


@singledispatch
def started(activity: Activity) -> Attributes:
    """Attributes that are known at the start."""
    return {}


@started.register(RequestActivity)
def _(activity: RequestActivity) -> Attributes:
    return {"http.request.method": activity.method}


@started.register(TurnActivity)
def _(activity: TurnActivity) -> Attributes:
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "promptvision",
        "gen_ai.conversation.id": activity.key.conversation_id,
    }


@started.register(PlannerActivity)
def _(activity: PlannerActivity) -> Attributes:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": activity.planner.name,
        "promptvision.messages": len(activity.request.messages),
        "promptvision.functions": len(activity.request.functions),
    }


@started.register(StepActivity)
def _(activity: StepActivity) -> Attributes:
    tool = activity.tool
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool.name,
        "gen_ai.tool.type": "function",
        "promptvision.operation": tool.operation.name,
        "promptvision.plugin": tool.plugin,
    }


@started.register(ToolRunActivity)
def _(activity: ToolRunActivity) -> Attributes:
    return {"gen_ai.tool.name": activity.tool.name, "promptvision.plugin": activity.tool.plugin}


@started.register(ModelLoadActivity)
def _(activity: ModelLoadActivity) -> Attributes:
    return {"promptvision.model": activity.model, "promptvision.device": activity.device}


@started.register(StoreActivity)
def _(activity: StoreActivity) -> Attributes:
    return {"promptvision.store": activity.store, "promptvision.store.method": activity.method}


@singledispatch
def ended(activity: Activity) -> Attributes:
    """Attributes that are known at the end."""
    return {}


@ended.register(RequestActivity)
def _(activity: RequestActivity) -> Attributes:
    found: Attributes = {}
    if activity.route is not None:
        found["http.route"] = activity.route
    if activity.status is not None:
        found["http.response.status_code"] = activity.status
    return found


@ended.register(TurnActivity)
def _(activity: TurnActivity) -> Attributes:
    found: Attributes = {}
    if activity.turn_id is not None:
        found["promptvision.turn.id"] = activity.turn_id
    if activity.reply is not None:
        found["promptvision.turn.status"] = str(activity.reply.status)
        found["promptvision.turn.steps"] = len(activity.reply.steps)
    return found


@ended.register(PlannerActivity)
def _(activity: PlannerActivity) -> Attributes:
    reply = activity.reply
    if reply is None:
        return {}
    found: Attributes = {
        "gen_ai.response.finish_reasons": [reply.finish_reason],
        "gen_ai.provider.name": reply.planner or activity.planner.name,
        "promptvision.fallbacks": len(reply.fallbacks),
    }
    if reply.usage.input_tokens or reply.usage.output_tokens:
        found["gen_ai.usage.input_tokens"] = reply.usage.input_tokens
        found["gen_ai.usage.output_tokens"] = reply.usage.output_tokens
    return found


@ended.register(StepActivity)
def _(activity: StepActivity) -> Attributes:
    return {"promptvision.cached": activity.is_cached}


@singledispatch
def contents(activity: Activity) -> Attributes:
    """Texts of users and models, never images; exported only if that is switched on."""
    return {}


@contents.register(TurnActivity)
def _(activity: TurnActivity) -> Attributes:
    found: Attributes = {"gen_ai.input.messages": _json([_text_message("user", activity.prompt)])}
    if activity.reply is not None:
        answer = _text_message("assistant", activity.reply.text_response)
        found["gen_ai.output.messages"] = _json([answer])
    return found


@contents.register(PlannerActivity)
def _(activity: PlannerActivity) -> Attributes:
    found: Attributes = {"gen_ai.input.messages": _json([*map(_message, activity.request.messages)])}
    if activity.reply is not None:
        reply = Message(role="assistant", content=activity.reply.text, tool_calls=activity.reply.tool_calls)
        found["gen_ai.output.messages"] = _json([_message(reply)])
    return found


@contents.register(StepActivity)
def _(activity: StepActivity) -> Attributes:
    found: Attributes = {"gen_ai.tool.call.arguments": _json(activity.args.model_dump(mode="json"))}
    if activity.result is not None:
        found["gen_ai.tool.call.result"] = _json(activity.result.model_dump(mode="json"))
    return found


def _text_message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _message(message: Message) -> dict[str, Any]:
    return {"role": message.role, "parts": [*_parts(message)]}


def _parts(message: Message) -> Iterator[Mapping[str, Any]]:
    if message.role == "tool":
        yield {"type": "tool_call_response", "id": message.tool_call_id, "response": message.content}
        return
    if message.content:
        yield {"type": "text", "content": message.content}
    for call in message.tool_calls:
        yield {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:MAX_CONTENT_CHARS]
