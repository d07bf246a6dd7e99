"""The offline planner: matches words against what operations and tools declare, and knows nothing else.

A request is cut into clauses; each clause must match one declared phrase, whose slots become arguments.
What a call needs beyond that (boxes, masks) is the core's business, so a newly installed tool works here
as soon as it declares a phrase.

What cannot run here is understood as well, and called: the answer is what it lacks.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from promptvision.builtin.phrases import Match, match_request
from promptvision.llm.messages import ChatDelta, ChatReply, FinishReason, ToolCall
from promptvision.llm.planner import CallOutcome, PlannerFunction, PlanRequest

__all__ = ["OfflinePlanner"]

EXAMPLES = 3


class OfflinePlanner:
    """A planner that needs no key and no network, and does the same for the same request."""

    name = "offline"
    context_tokens = 100_000

    async def complete(self, request: PlanRequest) -> ChatReply:
        """The next call of the plan, or the answer when all calls are made or one has failed."""
        plan = match_request(request.prompt, request.functions)
        plan = plan or match_request(request.prompt, (*request.functions, *request.unavailable))
        open_calls, has_failed = _not_yet_made(plan, request.outcomes)
        if open_calls and not has_failed and request.tool_choice == "auto":
            return self._reply(calls=(_call(open_calls[0], len(request.outcomes)),))
        if not request.outcomes:
            return self._reply(text=_what_i_can_do(request.functions, request.unavailable))
        text = " ".join(outcome.summary for outcome in request.outcomes)
        if open_calls and has_failed:
            text += f"\nNot done after that: {', '.join(match.function.name for match in open_calls)}."
        return self._reply(text=text)

    async def stream(self, request: PlanRequest) -> AsyncGenerator[ChatDelta, None]:
        """The whole reply as one delta: there is nothing to wait for."""
        reply = await self.complete(request)
        if reply.text:
            yield ChatDelta(text=reply.text)
        yield ChatDelta(reply=reply)

    async def close(self) -> None:
        """Nothing to give back."""

    def _reply(self, *, text: str = "", calls: tuple[ToolCall, ...] = ()) -> ChatReply:
        reason: FinishReason = "tool_calls" if calls else "stop"
        return ChatReply(text=text, tool_calls=calls, finish_reason=reason, planner=self.name)


def _not_yet_made(plan: list[Match], outcomes: Sequence[CallOutcome]) -> tuple[list[Match], bool]:
    """The rest of a plan, and whether a call of it has failed, which ends it.

    Another planner may have begun the turn: a step that worked is not repeated, and a failure of a call that
    is not part of this plan does not count.
    """
    rest = list(plan)
    for outcome in outcomes:
        planned = next((match for match in rest if match.function.name == outcome.name), None)
        if planned is None:
            continue
        has_failed = outcome.failed and outcome.arguments == dict(planned.arguments)
        if has_failed or not outcome.failed:
            rest.remove(planned)
        if has_failed:
            return rest, True
    return rest, False


def _call(match: Match, index: int) -> ToolCall:
    arguments: dict[str, Any] = dict(match.arguments)
    return ToolCall(id=f"offline_{index}", name=match.function.name, arguments=arguments)


def _what_i_can_do(functions: Sequence[PlannerFunction], unavailable: Sequence[PlannerFunction]) -> str:
    able = [
        f"- {function.description.partition(' Limits:')[0]} Say for example: "
        + "; ".join(f"\u201c{_example(phrase.text)}\u201d" for phrase in function.phrases[:EXAMPLES])
        for function in functions
        if function.phrases
    ]
    lame = [f"- {function.description} Lacking: {function.missing}" for function in unavailable]
    if able:
        able.insert(0, "I do not understand that without a language model. What I can do:")
    else:
        able = ["I can do nothing yet: no installed tool can run here. `promptvision doctor` tells more."]
    if lame:
        lame.insert(0, "What I could do if something were installed or configured:")
    return "\n".join([*able, *lame])


def _example(text: str) -> str:
    return text.replace("{", "\u2039").replace("}", "\u203a").replace("_", " ")
