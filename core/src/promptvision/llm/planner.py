"""Planners decide the next step of a turn, with or without an LLM."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

from promptvision.llm.messages import ChatDelta, ChatReply, ChatRequest, Function
from promptvision.llm.stems import stems_of
from promptvision.tools.tool import Lexicon, Phrase

__all__ = [
    "CallOutcome",
    "ListingPlanner",
    "PlanRequest",
    "Planner",
    "PlannerFunction",
    "PreparingPlanner",
    "ProbingPlanner",
    "StreamingPlanner",
]

_SLOT = re.compile(r"\{\w*\}")


@dataclass(frozen=True, kw_only=True)
class PlannerFunction(Function):
    """An operation as a function, with the data that a planner without an LLM needs to call it.

    Args:
        phrases: wordings that request the operation.
        lexicons: further words that request it, by language.
        defaults: names of the arguments that the core fills in when they are omitted.
        image: name of the argument that holds the image to work on.
        target: name of the argument that holds the target to search for.
        missing: why no installed tool can run here and how to fix it; empty where one can.
    """

    phrases: tuple[Phrase, ...] = ()
    lexicons: tuple[Lexicon, ...] = ()
    defaults: frozenset[str] = frozenset()
    image: str | None = None
    target: str | None = None
    missing: str = ""

    @cached_property
    def wordings(self) -> tuple[frozenset[str], ...]:
        """Stems of each phrase, and of each verb or frame of the lexicons; slots left out."""
        texts = [phrase.text for phrase in self.phrases]
        for lexicon in self.lexicons:
            texts.extend(lexicon.verbs or lexicon.frames)
        return tuple(filter(None, (stems_of(_SLOT.sub(" ", text)) for text in texts)))


@dataclass(frozen=True, kw_only=True)
class CallOutcome:
    """The outcome of one tool call of the current turn.

    Args:
        name: function name as it was called.
        arguments: as the planner wrote them.
        summary: the result in one sentence for the user.
        failed: whether the call failed.
    """

    name: str
    arguments: str | Mapping[str, Any]
    summary: str
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class PlanRequest(ChatRequest):
    """A chat request together with the state of the turn.

    An LLM provider reads the part that :class:`~promptvision.llm.messages.ChatRequest` declares; the other
    fields are never sent anywhere.

    Args:
        functions: operations that can run here.
        unavailable: operations that could run if something were installed or configured. A call of one is
            answered with what is missing.
        prompt: the user's words in this turn, without the image table.
        outcomes: the calls of this turn that have been made, in order.
        has_selection: whether the user selected by hand what the prompt is about, by a mask or boxes.
    """

    functions: tuple[PlannerFunction, ...] = ()
    unavailable: tuple[PlannerFunction, ...] = ()
    prompt: str = ""
    outcomes: tuple[CallOutcome, ...] = ()
    has_selection: bool = False


class Planner(Protocol):
    """Decides the next step of a turn. Every failure is a :class:`~promptvision.errors.ProviderError`.

    An :class:`~promptvision.llm.provider.LLMProvider` is a planner: it takes any chat request.
    """

    name: str
    """Shown to users as ``planner``."""
    context_tokens: int
    """Approximate number of tokens of history and function schemas that a request may hold."""

    async def complete(self, request: PlanRequest) -> ChatReply:
        """Return the next reply as a whole."""

    async def close(self) -> None:
        """Release connections. The planner is not used afterwards."""


@runtime_checkable
class StreamingPlanner(Protocol):
    """A planner that can also stream its replies."""

    def stream(self, request: PlanRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the reply in deltas; the last one holds the whole reply."""


@runtime_checkable
class PreparingPlanner(Protocol):
    """A planner that can prepare for requests, so that the first ones do not take longer than others."""

    def prepare(
        self, functions: Sequence[PlannerFunction], unavailable: Sequence[PlannerFunction] = ()
    ) -> None:
        """Prepare for requests with these functions. A server calls it in a thread when it starts."""


@runtime_checkable
class ProbingPlanner(Planner, Protocol):
    """A planner that ``promptvision doctor`` can check with one small request."""

    async def probe(self) -> str:
        """Request one small function call and return the model's name.

        Raises:
            ProviderError: the host fails, or the model answers without a call.
        """


@runtime_checkable
class ListingPlanner(Protocol):
    """A planner that can list the models of its host."""

    async def models(self) -> list[str]:
        """Return the names of the host's models.

        Raises:
            ProviderError: the host does not list them.
        """
