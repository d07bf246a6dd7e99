"""The offline planner: matches words against the phrases that operations and tools declare.

A request is cut into clauses; each clause must match one declared phrase, whose slots become arguments.
Politeness, word order, spelling and other languages are normalised first. Clauses before the first unknown
one are executed; the answer then says which words were not understood.

The core fills in other arguments of a call (boxes, masks), so a newly installed tool works here as soon as it
declares a phrase. If the target is a pronoun ("now make it green"), the core uses the target of the last step
on that image.

Operations that cannot run here are also understood and called: the answer says what is missing.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

from promptvision.builtin.planner import spelling
from promptvision.builtin.planner.antecedents import earlier_calls, with_antecedents
from promptvision.builtin.planner.conversation import (
    ADVICE,
    INVITATION,
    help_text,
    is_colour_of_image,
    is_help,
    is_nothing,
    is_thanks,
    is_undo,
    not_understood,
    option_text,
    small_talk,
)
from promptvision.builtin.planner.intents import classifier
from promptvision.builtin.planner.phrases import Match
from promptvision.builtin.planner.preparation import prepare
from promptvision.builtin.planner.reading import Reading, read_request
from promptvision.builtin.planner.repeats import repeated
from promptvision.builtin.planner.several import listed_images, name_several
from promptvision.builtin.planner.understanding import understand
from promptvision.builtin.planner.variations import continued, revalued, varied
from promptvision.llm.messages import ChatDelta, ChatReply, FinishReason, Message, ToolCall
from promptvision.llm.planner import CallOutcome, PlannerFunction, PlanRequest

__all__ = ["OfflinePlanner"]

_CANNOT_UNDO = (
    "I cannot undo an edit, but every earlier image is kept unchanged. Name the one to continue with by its "
    "handle, for example \u201cmake img_1 black and white\u201d."
)
_QUESTIONS = {
    "images": "That needs several images, and this conversation does not have as many. Add the others, then "
    "ask again.",
    "angle": "By how many degrees, and which way? Say for example "
    "\u201crotate it 2 degrees to the right\u201d.",
}
_WHICH_THING = (
    "I can give a colour to a thing, not to the whole image. Name the thing, for example "
    "\u201cmake the red ball green\u201d or \u201cmake the background blue\u201d."
)
_ASK_BACK = (
    "Which thing do you mean? No earlier step was about one. Name it, for example "
    "\u201cmake the red ball green\u201d."
)


class OfflinePlanner:
    """A planner that needs no key and no network, and does the same for the same request."""

    name = "offline"
    context_tokens = 100_000

    def __init__(self) -> None:
        if "rapidfuzz" not in sys.modules:
            threading.Thread(target=_load, name="promptvision-planner").start()

    def prepare(
        self, functions: Sequence[PlannerFunction], unavailable: Sequence[PlannerFunction] = ()
    ) -> None:
        """Index the phrases of functions, which the first requests would have to do; safe in any thread."""
        prepare(functions, unavailable)

    async def complete(self, request: PlanRequest) -> ChatReply:
        """The next call of the plan, or the answer when all calls are made or one has failed."""
        plan = self._read(request)
        matches = _completed(plan.matches, request)
        if not matches and (answer := _answer_without_call(request, plan)) is not None:
            return answer
        if _is_pronoun_unresolved(matches, request):
            return self._reply(text=_ASK_BACK, failed=True)
        open_calls, has_failed = _not_yet_made(matches, request.outcomes)
        if open_calls and not has_failed and request.tool_choice == "auto":
            return self._reply(calls=(_call(open_calls[0], len(request.outcomes)),))
        if not request.outcomes:
            return self._reply(text=_unknown_text(request, plan), failed=True)
        text = " ".join(dict.fromkeys(outcome.summary for outcome in request.outcomes))
        if open_calls and has_failed:
            text += f"\nNot done after that: {', '.join(match.function.name for match in open_calls)}."
        elif plan.unknown and not has_failed:
            return self._reply(text=f"{text}\n{_unknown_text(request, plan)}", failed=True)
        elif (note := _better_text(plan, request)) and not has_failed:
            text += f"\n{note}"
        return self._reply(text=text, failed=has_failed or request.outcomes[-1].failed)

    def _read(self, request: PlanRequest) -> Reading:
        """The plan from available functions, or from unavailable ones where that understands more."""
        for read in (repeated, varied):
            if matches := read(request.prompt, request.messages, request.functions):
                return Reading(matches)
        words = name_several(request.prompt, request.messages)
        plan = read_request(words, request.functions)
        if (plan.unknown and not plan.matches) and (
            matches := revalued(request.prompt, request.messages, request.functions)
        ):
            return Reading(matches)
        functions = (*request.functions, *request.unavailable)
        if request.unavailable:
            plan = _fuller(plan, read_request(words, functions))
        has_earlier = any(message.tool_calls for message in _history(request))
        is_first = not (has_earlier or request.has_selection)
        images = listed_images(request.messages)
        plan = understand(plan, words, functions, images, is_first=is_first)
        if (plan.unknown and not plan.matches) and (
            matches := continued(request.prompt, request.messages, request.functions)
        ):
            return Reading(matches)
        return plan

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


def _load() -> None:
    """Read what the first request would have to read."""
    spelling.load()
    classifier.load()


def _answer_without_call(request: PlanRequest, plan: Reading) -> ChatReply | None:
    """The answer to a request that needs no call or that no operation can fulfil."""
    name, words = OfflinePlanner.name, request.prompt
    if is_nothing(words) or plan.answer == "nothing" or (plan.is_nothing and not plan.unknown):
        return ChatReply(text="Nothing was changed.", planner=name)
    if is_undo(words) or plan.answer == "undo":
        return ChatReply(text=_CANNOT_UNDO, planner=name, failed=True)
    if is_colour_of_image(words):
        return ChatReply(text=_WHICH_THING, planner=name, failed=True)
    if is_help(words) or plan.answer == "help" or not request.functions:
        return ChatReply(text=help_text(request.functions, request.unavailable), planner=name, failed=True)
    if (answer := small_talk(words)) is not None:
        return ChatReply(text=answer, planner=name, failed=not is_thanks(words))
    if plan.answer == "chat":
        return ChatReply(text=INVITATION, planner=name, failed=True)
    if plan.answer in _QUESTIONS:
        return ChatReply(text=_QUESTIONS[plan.answer], planner=name, failed=True)
    return None


def _fuller(plan: Reading, fuller: Reading) -> Reading:
    """The plan from available functions, or the one from all where that understands more."""
    if plan.unknown or (plan.is_loose and not fuller.is_loose):
        return fuller if not fuller.unknown or not plan.matches else plan
    return replace(plan, better=_better(plan.matches, fuller.matches))


def _better(made: Sequence[Match], meant: Sequence[Match]) -> PlannerFunction | None:
    """The operation that a clause names more closely than the called one, and that cannot run here."""
    if len(made) != len(meant):
        return None
    pairs = zip(made, meant, strict=True)
    return next((wanted.function for match, wanted in pairs if wanted.weight > match.weight), None)


def _better_text(plan: Reading, request: PlanRequest) -> str:
    """What would do it better and what that needs; said once in a conversation."""
    if plan.better is None:
        return ""
    what = plan.better.description.partition(" Limits:")[0].rstrip(".")
    text = f"Better for this is \u201c{what}\u201d, which cannot run here: {plan.better.missing}"
    return "" if any(text in (message.content or "") for message in request.messages) else text


def _unknown_text(request: PlanRequest, plan: Reading) -> str:
    if plan.options:
        return option_text(match.function.description for match in plan.options)
    is_first = not any(ADVICE in (message.content or "") for message in request.messages)
    clause = plan.unknown or request.prompt
    return not_understood(clause, request.functions, is_incomplete=plan.incomplete, is_first=is_first)


def _completed(matches: Sequence[Match], request: PlanRequest) -> list[Match]:
    """The matches with the words that "it" and "the left one" stand for."""
    if request.has_selection:
        return list(matches)
    functions = (*request.functions, *request.unavailable)
    return with_antecedents(matches, list(earlier_calls(_history(request), functions)))


def _history(request: PlanRequest) -> Sequence[Message]:
    """The messages of earlier turns: those before the last one of the user."""
    last = max((n for n, message in enumerate(request.messages) if message.role == "user"), default=0)
    return request.messages[:last]


def _is_pronoun_unresolved(plan: Sequence[Match], request: PlanRequest) -> bool:
    """Whether the plan starts with "it", without a selection or an earlier call that it could refer to."""
    first = next((match for match in plan if match.function.target), None)
    if first is None or not first.is_follow_up or request.has_selection:
        return False
    pointed = {function.name for function in request.functions if function.target}
    return not any(call.name in pointed for message in request.messages for call in message.tool_calls)


def _not_yet_made(plan: list[Match], outcomes: Sequence[CallOutcome]) -> tuple[list[Match], bool]:
    """The remaining calls of a plan, and whether one of its calls has failed, which ends it.

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
