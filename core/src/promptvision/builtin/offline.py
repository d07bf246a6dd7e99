"""The offline planner: matches words against what operations and tools declare, and knows nothing else.

A request is cut into clauses; each clause must match one declared phrase, whose slots become arguments.
What a call needs beyond that (boxes, masks) is the core's business, so a newly installed tool works here
as soon as it declares a phrase.

What cannot run here is understood as well, and called: the answer is what it lacks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from promptvision.builtin.phrases import Match, match_request
from promptvision.llm.messages import ChatDelta, ChatReply, ChatRequest, Function, Message, ToolCall

__all__ = ["OfflinePlanner"]

EXAMPLES = 3


class OfflinePlanner:
    """A planner that needs no key and no network, and does the same for the same request."""

    name = "offline"
    context_tokens = 100_000

    async def complete(self, request: ChatRequest) -> ChatReply:
        """The next call of the plan, or the answer when all calls are made or one has failed."""
        words, told = _this_turn(request.messages)
        plan = match_request(words, request.functions)
        plan = plan or match_request(words, (*request.functions, *request.unavailable))
        open_calls, has_failed = _not_yet_made(plan, request.messages, told)
        if open_calls and not has_failed and request.tool_choice == "auto":
            return self._reply(calls=(_call(open_calls[0], len(told)),))
        if not told:
            return self._reply(text=_what_i_can_do(request.functions, request.unavailable))
        text = " ".join(message.summary for message in told)
        if open_calls and has_failed:
            text += f"\nNot done after that: {', '.join(match.function.name for match in open_calls)}."
        return self._reply(text=text)

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatDelta]:
        """The whole reply as one delta: there is nothing to wait for."""
        reply = await self.complete(request)
        if reply.text:
            yield ChatDelta(text=reply.text)
        yield ChatDelta(reply=reply)

    async def close(self) -> None:
        """Nothing to give back."""

    def _reply(self, *, text: str = "", calls: tuple[ToolCall, ...] = ()) -> ChatReply:
        reason = "tool_calls" if calls else "stop"
        return ChatReply(text=text, tool_calls=calls, finish_reason=reason, planner=self.name)


def _this_turn(messages: Sequence[Message]) -> tuple[str, list[Message]]:
    """The user's words and the tool results that followed them."""
    last = max((index for index, message in enumerate(messages) if message.role == "user"), default=None)
    if last is None:
        return "", []
    user = messages[last]
    told = [message for message in messages[last + 1 :] if message.role == "tool"]
    return user.summary or user.content, told


def _not_yet_made(
    plan: list[Match], messages: Sequence[Message], told: list[Message]
) -> tuple[list[Match], bool]:
    """The rest of a plan, and whether a call of it has failed, which ends it.

    Another planner may have begun the turn: what worked need not be done again, and how it failed does not
    count.
    """
    calls = {call.id: call for message in messages for call in message.tool_calls}
    rest = list(plan)
    for message in told:
        call = calls.get(message.tool_call_id or "")
        mine = next((match for match in rest if call and match.function.name == call.name), None)
        if mine is None or call is None:
            continue
        has_failed = message.failed and call.arguments == dict(mine.arguments)
        if has_failed or not message.failed:
            rest.remove(mine)
        if has_failed:
            return rest, True
    return rest, False


def _call(match: Match, index: int) -> ToolCall:
    arguments: dict[str, Any] = dict(match.arguments)
    return ToolCall(id=f"offline_{index}", name=match.function.name, arguments=arguments)


def _what_i_can_do(functions: Sequence[Function], unavailable: Sequence[Function]) -> str:
    able = [
        f"- {function.description.partition(' Limits:')[0]} Say for example: "
        + "; ".join(f"\u201c{_example(phrase.text)}\u201d" for phrase in function.phrases[:EXAMPLES])
        for function in functions
        if function.phrases
    ]
    lame = [f"- {function.description} Lacking: {function.lacking}" for function in unavailable]
    if able:
        able.insert(0, "I do not understand that without a language model. What I can do:")
    else:
        able = ["I can do nothing yet: no installed tool can run here. `promptvision doctor` tells more."]
    if lame:
        lame.insert(0, "What I could do if something were installed or configured:")
    return "\n".join([*able, *lame])


def _example(text: str) -> str:
    return text.replace("{", "\u2039").replace("}", "\u203a").replace("_", " ")
