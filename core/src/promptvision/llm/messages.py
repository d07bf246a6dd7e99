"""Messages between the agent and whoever plans: requests, replies, tool calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from promptvision.tools.tool import Phrase

__all__ = ["ChatDelta", "ChatReply", "ChatRequest", "Function", "Message", "ToolCall", "Usage"]


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A planner's wish to call a function.

    Args:
        id: unique in the conversation.
        name: function name as the planner wrote it, perhaps wrong.
        arguments: as the planner wrote them: a JSON text, or an object when the planner speaks Python.
    """

    id: str
    name: str
    arguments: str | Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message of a chat.

    Args:
        role: who speaks.
        content: the text.
        tool_calls: what an assistant wants called.
        tool_call_id: which call a ``tool`` message answers.
        name: function name, in a ``tool`` message.
        summary: what a ``tool`` message means in words for people; never sent anywhere, it is for planners
            without an LLM.
        failed: whether the call did not work; likewise.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    summary: str = ""
    failed: bool = False

    @cached_property
    def chars(self) -> int:
        """Characters of what an LLM reads of it, its calls included."""
        if not self.tool_calls:
            return len(self.content)
        return len(self.content) + sum(len(call.name) + len(str(call.arguments)) for call in self.tool_calls)


@dataclass(frozen=True, kw_only=True)
class Function:
    """One function of the agent: an operation that some installed tool can fulfil.

    Args:
        name: the operation's name.
        description: what the LLM reads.
        parameters: JSON schema of the arguments, self-contained.
        phrases: for planners that match words instead of asking an LLM; never sent anywhere.
        defaults: names of the arguments that the core fills in when they are left out.
        image: name of the argument that is the image to work on.
        target: name of the argument that says what to look for.
        lacking: where no installed tool can run here, what is missing and how to mend it; else empty.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    phrases: tuple[Phrase, ...] = ()
    defaults: frozenset[str] = frozenset()
    image: str | None = None
    target: str | None = None
    lacking: str = ""

    @cached_property
    def chars(self) -> int:
        """Characters of what an LLM reads of it."""
        return len(self.name) + len(self.description) + len(json.dumps(self.parameters))


@dataclass(frozen=True, kw_only=True)
class ChatRequest:
    """What a planner is asked.

    Args:
        messages: system prompt, history and the user's message, oldest first.
        functions: what may be called.
        unavailable: what could be called if something were installed; for planners that match words instead
            of asking an LLM, never sent anywhere. A call of one is answered with what is lacking.
        tool_choice: ``none`` forces an answer.
        temperature: None leaves it to the provider's setting.
        timeout_s: seconds within which the provider must be done, retries included.
    """

    messages: tuple[Message, ...]
    functions: tuple[Function, ...] = ()
    unavailable: tuple[Function, ...] = ()
    tool_choice: Literal["auto", "none"] = "auto"
    temperature: float | None = None
    timeout_s: float = 60.0


@dataclass(frozen=True)
class Usage:
    """Tokens that a reply cost."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, kw_only=True)
class ChatReply:
    """A planner's reply: text, tool calls, or both.

    Args:
        text: the answer, or what is said before the calls.
        tool_calls: what is to be called, in order.
        finish_reason: ``stop``, ``tool_calls`` or ``length``; never empty.
        usage: tokens, when the provider counts them.
        planner: name of whoever answered.
        notes: what went wrong on the way to it, one line each, for people.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"
    usage: Usage = field(default_factory=Usage)
    planner: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChatDelta:
    """A piece of a streamed reply: some text, or at the end the whole reply.

    Args:
        text: the next piece of text.
        restarted: the pieces given so far belong to a reply that was given up; a new one begins with this.
        reply: the whole reply, in the last delta. Where it differs from the pieces, the reply is right.
    """

    text: str = ""
    restarted: bool = False
    reply: ChatReply | None = None
