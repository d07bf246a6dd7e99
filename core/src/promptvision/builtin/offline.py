"""The offline planner: matches words against the phrases that operations and tools declare.

A request is cut into clauses; each clause must match one declared phrase, whose slots become arguments.
What a call needs beyond that (boxes, masks) the core fills in, so a newly installed tool works here as soon
as it declares a phrase. A pronoun as target ("now make it green") leaves the target to the core, which uses
what the last step on that image was about.

Operations that cannot run here are understood and called as well: the answer says what is missing.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from promptvision.builtin.phrases import Match, match_request
from promptvision.llm.messages import ChatDelta, ChatReply, FinishReason, ToolCall
from promptvision.llm.planner import CallOutcome, PlannerFunction, PlanRequest

__all__ = ["OfflinePlanner"]

EXAMPLES = 3
_NOTHING = re.compile(
    r"(?:(?:oh|no|ok|okay|please),? )*(?:never ?mind|forget (?:it|about it|that)|cancel(?: that)?|stop"
    r"|nothing|leave it(?: as it is| alone)?|(?:do not|don['\u2019]?t) .+|no(?:,? thanks?(?: you)?)?)",
    re.IGNORECASE,
)
_UNDO = re.compile(
    r"(?:(?:please|now|can you|could you) )*(?:undo|revert|go back|take (?:it|that) back|restore)"
    r"(?:,? (?:it|that|this|the last (?:change|edit|step)|the (?:original|change|edit)|please|again))*",
    re.IGNORECASE,
)
_CANNOT_UNDO = (
    "I cannot undo an edit, but every earlier image is kept unchanged. Name the one to go on with by its "
    "handle, for example \u201cmake img_1 black and white\u201d."
)
_ASK_BACK = (
    "Which thing do you mean? No earlier step was about one. Name it, for example "
    "\u201cmake the red ball green\u201d."
)


class OfflinePlanner:
    """A planner that needs no key and no network, and does the same for the same request."""

    name = "offline"
    context_tokens = 100_000

    async def complete(self, request: PlanRequest) -> ChatReply:
        """The next call of the plan, or the answer when all calls are made or one has failed."""
        plan = match_request(request.prompt, request.functions)
        plan = plan or match_request(request.prompt, (*request.functions, *request.unavailable))
        if not plan and (answer := _answer_without_call(request.prompt)) is not None:
            return answer
        if _lacks_antecedent(plan, request):
            return self._reply(text=_ASK_BACK, failed=True)
        open_calls, has_failed = _not_yet_made(plan, request.outcomes)
        if open_calls and not has_failed and request.tool_choice == "auto":
            return self._reply(calls=(_call(open_calls[0], len(request.outcomes)),))
        if not request.outcomes:
            return self._reply(text=_what_i_can_do(request.functions, request.unavailable), failed=True)
        text = " ".join(outcome.summary for outcome in request.outcomes)
        if open_calls and has_failed:
            text += f"\nNot done after that: {', '.join(match.function.name for match in open_calls)}."
        return self._reply(text=text)

    async def stream(self, request: PlanRequest) -> AsyncGenerator[ChatDelta, None]:
        """The whole reply as one delta."""
        reply = await self.complete(request)
        if reply.text:
            yield ChatDelta(text=reply.text)
        yield ChatDelta(reply=reply)

    async def close(self) -> None:
        """Do nothing: there is no connection to close."""

    def _reply(self, *, text: str = "", calls: tuple[ToolCall, ...] = (), failed: bool = False) -> ChatReply:
        reason: FinishReason = "tool_calls" if calls else "stop"
        return ChatReply(text=text, tool_calls=calls, finish_reason=reason, planner=self.name, failed=failed)


def _answer_without_call(prompt: str) -> ChatReply | None:
    """The answer to a request that asks for nothing to be done, or for what no operation can do."""
    words = prompt.strip(" .,!?")
    if _NOTHING.fullmatch(words):
        return ChatReply(text="Nothing was changed.", planner=OfflinePlanner.name)
    if _UNDO.fullmatch(words):
        return ChatReply(text=_CANNOT_UNDO, planner=OfflinePlanner.name, failed=True)
    return None


def _lacks_antecedent(plan: Sequence[Match], request: PlanRequest) -> bool:
    """Whether the plan begins with "it", and neither a selection nor an earlier call was about a thing."""
    first = next((match for match in plan if match.function.target), None)
    if first is None or not first.is_follow_up or request.has_selection:
        return False
    pointed = {function.name for function in request.functions if function.target}
    return not any(call.name in pointed for message in request.messages for call in message.tool_calls)


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
    unable = [f"- {function.description} Missing: {function.missing}" for function in unavailable]
    if able:
        able.insert(0, "I do not understand that without a language model. What I can do:")
    else:
        able = ["I can do nothing yet: no installed tool can run here. `promptvision doctor` says why."]
    if unable:
        unable.insert(0, "What I could do if something were installed or configured:")
    return "\n".join([*able, *unable])


def _example(text: str) -> str:
    return text.replace("{", "\u2039").replace("}", "\u203a").replace("_", " ")
