"""The wire types of a chat: requests, replies, functions and tool calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypedDict

from promptvision.errors import ProviderErrorKind
from promptvision.llm.stems import stems_of

__all__ = [
    "ChatDelta",
    "ChatReply",
    "ChatRequest",
    "FinishReason",
    "Function",
    "Message",
    "PlannerFallback",
    "Role",
    "ToolCall",
    "ToolChoice",
    "Usage",
]

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "tool_calls", "length"]
ToolChoice = Literal["auto", "none"]


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A request to call a function.

    Args:
        id: unique in the conversation.
        name: function name as the planner wrote it; may be unknown.
        arguments: as the planner wrote them: JSON text, or an object.
    """

    id: str
    name: str
    arguments: str | Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message of a chat.

    Args:
        role: author of the message.
        content: the text.
        tool_calls: calls that an ``assistant`` message requests.
        tool_call_id: the call that a ``tool`` message answers.
        name: function name, in a ``tool`` message.
    """

    role: Role
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None

    @property
    def chars(self) -> int:
        """Number of characters that an LLM reads, tool calls included."""
        return _count_chars(self.content, self.tool_calls)


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function that may be called.

    Args:
        name: unique among the functions of a request.
        description: what the LLM reads.
        parameters: JSON schema of the arguments, self-contained.
    """

    name: str
    description: str
    parameters: dict[str, Any]

    @cached_property
    def chars(self) -> int:
        """Number of characters that an LLM reads."""
        return len(self.name) + len(self.description) + len(json.dumps(self.parameters))

    @cached_property
    def stems(self) -> frozenset[str]:
        """Stems of the words that say what it is for."""
        fields = self.parameters.get("properties", {})
        described = (field.get("description", "") for field in fields.values())
        return stems_of(self.name.replace("_", " "), self.description, *fields, *described)

    @property
    def wordings(self) -> tuple[frozenset[str], ...]:
        """Stems of each wording that asks for it; none are known of a plain function."""
        return ()


@dataclass(frozen=True, kw_only=True)
class ChatRequest:
    """A request for the next assistant message.

    Args:
        messages: system prompt, history and the user's message, oldest first.
        functions: functions that may be called.
        tool_choice: ``none`` forces an answer in text.
        temperature: None for the provider's setting.
        timeout_s: seconds within which the provider must reply, retries included.
    """

    messages: tuple[Message, ...]
    functions: tuple[Function, ...] = ()
    tool_choice: ToolChoice = "auto"
    temperature: float | None = None
    timeout_s: float = 60.0


@dataclass(frozen=True)
class Usage:
    """Token counts of a reply."""

    input_tokens: int = 0
    output_tokens: int = 0


class PlannerFallback(TypedDict):
    """A planner that failed, so that the next one was asked. Plain JSON."""

    planner: str
    kind: ProviderErrorKind
    message: str
    instead: str


@dataclass(frozen=True, kw_only=True)
class ChatReply:
    """A reply: text, tool calls, or both.

    Args:
        text: the answer, or the text before the calls.
        tool_calls: requested calls, in order.
        finish_reason: why the reply ended.
        usage: token counts, where the provider reports them.
        planner: name of the planner that answered.
        notes: problems that occurred before the reply, one line each, for the user.
        fallbacks: planners that failed before the one that answered; each is also in ``notes``.
        failed: whether the request could not be fulfilled, for example because it was not understood.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason = "stop"
    usage: Usage = Usage()
    planner: str = ""
    notes: tuple[str, ...] = ()
    fallbacks: tuple[PlannerFallback, ...] = ()
    failed: bool = False

    @property
    def chars(self) -> int:
        """Number of characters that the planner wrote, tool calls included."""
        return _count_chars(self.text, self.tool_calls)


@dataclass(frozen=True, kw_only=True)
class ChatDelta:
    """A part of a streamed reply. The last delta holds the whole reply.

    Args:
        text: the next part of the text.
        restarted: discard the text so far: it belongs to a failed attempt, and a new one starts here.
        reply: the whole reply, in the last delta. If it differs from the streamed text, the reply takes
            precedence.
    """

    text: str = ""
    restarted: bool = False
    reply: ChatReply | None = None


def _count_chars(text: str, calls: tuple[ToolCall, ...]) -> int:
    chars = len(text)
    for call in calls:
        chars += len(call.name) + len(str(call.arguments))
    return chars
