"""The loop of one turn: ask the planner, run its calls, observe, until it answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from promptvision.agent.calls.dispatcher import ToolCallDispatcher, error_outcome
from promptvision.agent.calls.parallel import parallel_groups
from promptvision.agent.calls.prepared import PreparedCall
from promptvision.agent.calls.runner import StepRunner
from promptvision.agent.journal import Journal
from promptvision.agent.middleware import TurnMiddleware
from promptvision.agent.outcome import outcomes_of
from promptvision.agent.planning.history import history_messages, turn_messages, turn_outcomes
from promptvision.agent.planning.prompt import image_note, system_prompt
from promptvision.agent.planning.transcript import Transcript
from promptvision.agent.reply import Reply
from promptvision.agent.services import AgentServices
from promptvision.agent.turns.activity import PlannerActivity
from promptvision.agent.turns.answer_filter import filter_answer
from promptvision.agent.turns.live_reply import LiveReply
from promptvision.agent.turns.planner_limit import PlannerLimit
from promptvision.conversations.turn import Event, EventKind, Turn, TurnStatus
from promptvision.errors import Cancelled, ProviderError, StopTurn
from promptvision.llm.budget import CHARS_PER_TOKEN, fit_request
from promptvision.llm.messages import ChatReply, Message, PlannerFallback, ToolCall
from promptvision.llm.planner import CallOutcome, Planner, PlanRequest, StreamingPlanner
from promptvision.plugins.availability import describe_needs

__all__ = ["TurnLoop"]

log = logging.getLogger(__name__)

PLANNER_TIMEOUT_S = 120.0
"""How long one planner reply may take, retries included."""
GRACE_S = 0.25
"""Extra time for a planner to return a partial reply before it is abandoned."""
MAX_NOTES = 20

_OUT_OF_TIME = "the time limit of the turn is reached"


class TurnLoop:
    """Runs one claimed turn to its reply.

    The calls of one planner reply run in its order, and in parallel only where they share no device and no
    artifact (:func:`~promptvision.agent.calls.parallel.parallel_groups`).

    Args:
        turn: the claimed turn, with the events of an earlier try if it was interrupted.
        earlier: ended turns of the conversation, oldest first.
        services: the tools, the settings and what reads the images.
        planner: decides the next step.
        runner: runs operations.
        journal: where events are written.
        live_reply: publishes replies as they arrive, if there are subscribers.
        started_from: id of the image the turn starts from.
        deadline: ``time.monotonic()`` at which the turn must end.
        complete_table: reads the images that texts name and the image table does not hold.
        notes: notes for the user about the image that was sent.
        has_selection: whether the user selected a part of the image by hand.
        middleware: called around the turn and each request to the planner; None if there is none.
    """

    def __init__(
        self,
        turn: Turn,
        earlier: list[Turn],
        *,
        services: AgentServices,
        planner: Planner,
        runner: StepRunner,
        journal: Journal,
        live_reply: LiveReply,
        started_from: str | None,
        deadline: float,
        complete_table: Callable[[Sequence[str]], Awaitable[None]],
        notes: Sequence[str] = (),
        has_selection: bool = False,
        middleware: TurnMiddleware | None = None,
    ) -> None:
        registry = services.registry
        self._services = services
        self._complete_table = complete_table
        self._has_selection = has_selection
        self._middleware = middleware
        self._turn = turn
        self._earlier = earlier
        self._planner = planner
        self._runner = runner
        self._record = runner.record
        self._journal = journal
        self._live_reply = live_reply
        self._settings = services.settings
        self._started_from = started_from
        self._deadline = deadline
        self._registry = registry
        self._functions = registry.functions()
        self._unavailable = registry.unavailable()
        self._dispatcher = ToolCallDispatcher(runner, journal, self._functions, self._unavailable)
        self._planner_name = planner.name
        self._messages = 0
        self._calls = 0
        self._open: dict[str, ToolCall] = {}
        self._outcomes = turn_outcomes(turn) if turn.events else []
        self._is_refused = False
        self._tokens = 0
        self._limit = PlannerLimit()
        self._notes: list[str] = []
        self._fallbacks: list[PlannerFallback] = []
        for event in turn.events:
            self._restore(event)
        self._notes = list(dict.fromkeys([*self._notes, *notes]))

    def _restore(self, event: Event) -> None:
        """Count what an earlier try of the turn did."""
        if event.kind is EventKind.MESSAGE:
            self._messages += 1
            self._calls += len(event.data["tool_calls"])
        elif event.kind is EventKind.NOTE:
            self._notes.append(str(event.data["message"]))
            if "fallback" in event.data:
                self._fallbacks.append(event.data["fallback"])

    async def run(self) -> Reply:
        """Run the turn to its end and return a reply, whatever stops it.

        Raises:
            StoreError: the journal cannot be written.
        """
        loop = asyncio.get_running_loop()
        wake = partial(loop.call_soon_threadsafe, self._limit.stop)
        with self._limit, self._runner.cancel.waking(wake):
            text, status = await self._outcome()
        self._note_limits()
        return self._reply(text, status)

    async def _outcome(self) -> tuple[str, TurnStatus]:
        try:
            if self._middleware is not None:
                await self._middleware.before_turn()
            return await self._converse(), self._status()
        except StopTurn as exc:
            await self._close_calls(exc)
            return self._made_so_far(f"I stopped early: {exc}."), self._status()
        except Cancelled as exc:
            await self._close_calls(exc)
            is_late = self._remaining() <= 0  # then the runtime has cancelled the tool
            return self._made_so_far(
                f"I stopped: {exc}."
            ), self._status() if is_late else TurnStatus.CANCELLED
        except ProviderError as exc:
            log.warning("planner %s failed: %s", self._planner.name, exc)
            return self._made_so_far(f"I could not continue: {exc}."), TurnStatus.FAILED

    async def _converse(self) -> str:
        transcript = self._opening()
        await self._finish_open_calls(transcript)
        for _ in range(self._settings.max_steps):
            reply = await self._ask(transcript)
            self._is_refused = reply.failed
            if not reply.tool_calls or self._dispatcher.must_answer:
                return reply.text or self._made_so_far("I made the same call again and again, so I stopped.")
            calls = self._number_calls(reply.tool_calls)
            message = Message(role="assistant", content=reply.text, tool_calls=calls)
            transcript.add(message)
            self._journal.defer((EventKind.MESSAGE, _message_data(message, reply.planner), None))
            self._messages += 1
            self._open = {call.id: call for call in calls}
            await self._complete_table([str(call.arguments) for call in calls])
            prepared = [self._dispatcher.prepare(call) for call in calls]
            for group in parallel_groups(prepared, self._registry, self._record.table):
                transcript.extend(await self._run_group(group))
        raise StopTurn(f"the limit of {self._settings.max_steps} planner replies in one turn is reached")

    def _opening(self) -> Transcript:
        prompt = self._turn.prompt
        table = self._record.table
        system = Message(role="system", content=system_prompt(self._functions, self._unavailable))
        user = Message(
            role="user", content=f"{prompt}\n\n{image_note(table, has_selection=self._has_selection)}"
        )
        transcript = Transcript(self._functions)
        transcript.extend([system, *history_messages(self._earlier), user])
        return transcript

    async def _finish_open_calls(self, transcript: Transcript) -> None:
        """After an interruption: run the calls that have no outcome."""
        if not self._turn.events:
            return
        earlier = turn_messages(self._turn)
        answered = {outcome.call_id for outcome in outcomes_of(self._turn.events)}
        calls = [call for message in earlier for call in message.tool_calls]
        self._open = {call.id: call for call in calls if call.id not in answered}
        for message in earlier:
            call = self._open.get(message.tool_call_id or "")
            if call is not None:
                message = await self._run_call(self._dispatcher.prepare(call))
            transcript.add(message)

    async def _close_calls(self, reason: Exception) -> None:
        """Journal an outcome for each call that will not run, so that every call has an answer."""
        entries = [
            (EventKind.OBSERVATION, error_outcome(call, "stopped", str(reason)).stored(), None)
            for call in self._open.values()
        ]
        await self._journal.write(*entries)

    async def _ask(self, transcript: Transcript) -> ChatReply:
        remaining = self._remaining()
        if remaining <= 0:
            raise StopTurn(_OUT_OF_TIME)
        self._runner.cancel.check()
        if self._tokens >= self._settings.max_tokens:
            raise StopTurn(f"the limit of {self._settings.max_tokens} tokens in one turn is reached")
        request = PlanRequest(
            messages=transcript.messages,
            functions=self._functions,
            unavailable=self._unavailable,
            prompt=self._turn.prompt,
            outcomes=tuple(self._outcomes),
            has_selection=self._has_selection,
            tool_choice="none" if self._dispatcher.must_answer else "auto",
            timeout_s=min(remaining, PLANNER_TIMEOUT_S),
        )
        tokens = transcript.tokens
        if tokens > self._planner.context_tokens:
            request = fit_request(request, self._planner.context_tokens)
        with self._services.instruments.around(PlannerActivity, self._planner, request) as activity:
            if self._middleware is None:
                reply = await self._complete(request)
            else:
                reply = await self._middleware.around_planner(request, self._complete)
            if activity is not None:
                activity.reply = reply
        if (text := filter_answer(reply.text)) != reply.text:
            reply = replace(reply, text=text)
        self._account(reply, min(tokens, self._planner.context_tokens))
        return reply

    def _remaining(self) -> float:
        """Seconds until the turn must end, without the time that it waited for its user."""
        waited_s = self._middleware.waited_s if self._middleware is not None else 0.0
        return self._deadline + waited_s - time.monotonic()

    async def _complete(self, request: PlanRequest) -> ChatReply:
        """The planner's reply, unless cancellation is requested first."""
        try:
            async with self._limit.within(request.timeout_s + GRACE_S):
                if self._live_reply.has_subscribers and isinstance(self._planner, StreamingPlanner):
                    deltas = self._planner.stream(request)
                    return await self._live_reply.receive(self._messages + 1, deltas)
                return await self._planner.complete(request)
        except TimeoutError as exc:
            self._runner.cancel.check()
            raise StopTurn(_OUT_OF_TIME) from exc

    def _account(self, reply: ChatReply, asked_tokens: int) -> None:
        """Add up the tokens of a reply, estimated if the host did not count them, and journal its notes."""
        self._planner_name = reply.planner or self._planner.name
        counted = reply.usage.input_tokens + reply.usage.output_tokens
        self._tokens += counted or asked_tokens + reply.chars // CHARS_PER_TOKEN
        notes = list(reply.notes)
        if reply.finish_reason == "length":
            notes.append(f"{self._planner_name}: the reply was cut at the host's limit of length")
        if not notes:
            return
        fallbacks = {fallback["message"]: fallback for fallback in reply.fallbacks}
        for note in notes:
            if note not in self._notes and len(self._notes) < MAX_NOTES:
                self._notes.append(note)
                data: dict[str, Any] = {"message": note}
                if note in fallbacks:
                    data["fallback"] = fallbacks[note]
                    self._fallbacks.append(fallbacks[note])
                self._journal.defer((EventKind.NOTE, data, None))

    def _note_limits(self) -> None:
        """Say the limits of fallback tools that ran, once per conversation, with how to get a better one."""
        for name in dict.fromkeys(step.tool for step in self._record.steps if step.status == "done"):
            tool = self._registry.tools.get(name)
            needs = self._registry.availability.better(tool) if tool and tool.limits else None
            if tool is None or needs is None:
                continue
            note = f"{name}: {tool.limits} A better tool: {describe_needs(needs)}."
            is_known = note in self._notes or any(note in _notes_of(turn) for turn in self._earlier)
            if not is_known and len(self._notes) < MAX_NOTES:
                self._notes.append(note)
                self._journal.defer((EventKind.NOTE, {"message": note}, None))

    def _number_calls(self, calls: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
        """Calls with ids that are unique in the conversation; those of the host may not be."""
        first = self._calls + 1
        self._calls += len(calls)
        return tuple(
            ToolCall(id=f"call_{self._turn.seq}_{number}", name=call.name, arguments=call.arguments)
            for number, call in enumerate(calls, start=first)
        )

    async def _run_group(self, calls: list[PreparedCall]) -> list[Message]:
        """Run calls in parallel; their images and outcomes are added in the order of the calls."""
        if len(calls) == 1:
            return [await self._run_call(calls[0])]
        tasks: list[asyncio.Task[Message]] = []
        for call in calls:
            tasks.append(asyncio.create_task(self._run_call(call, tasks[-1] if tasks else None)))
        await asyncio.gather(*tasks, return_exceptions=True)
        return [task.result() for task in tasks]

    async def _run_call(self, prepared: PreparedCall, after: asyncio.Future[Any] | None = None) -> Message:
        call = prepared.call
        outcome = await self._dispatcher.answer(prepared, after)
        self._open.pop(call.id, None)
        self._outcomes.append(
            CallOutcome(
                name=call.name, arguments=call.arguments, summary=outcome.summary, failed=outcome.failed
            )
        )
        return outcome.message()

    def _status(self) -> TurnStatus:
        """FAILED when the last step failed or the planner marks its answer as a refusal.

        Calls that did not become a step, for example because of wrong arguments, do not count: a language
        model may answer without them.
        """
        steps = self._record.steps
        has_failed = self._is_refused or bool(steps and steps[-1].status == "failed")
        return TurnStatus.FAILED if has_failed else TurnStatus.DONE

    def _made_so_far(self, reason: str) -> str:
        done = [step for step in self._record.steps if step.status == "done"]
        made = ", ".join(dict.fromkeys(step.operation for step in done))
        return filter_answer(f"{reason} Finished until then: {made or 'nothing'}.".strip())

    def _reply(self, text: str, status: TurnStatus) -> Reply:
        return Reply(
            text_response=text,
            image_url=self._started_from,
            steps=tuple(self._record.steps),
            images=tuple(self._record.images),
            turn_id=self._turn.id,
            conversation_id=self._turn.key.conversation_id,
            prompt_id=self._turn.key.prompt_id,
            status=status,
            planner=self._planner_name,
            notes=tuple(self._notes),
            fallbacks=tuple(self._fallbacks),
            open_image=self._services.open_image,
            write_image=self._services.save_image,
        )


def _notes_of(turn: Turn) -> Sequence[str]:
    notes: Sequence[str] = (turn.reply or {}).get("notes", ())
    return notes


def _message_data(message: Message, planner: str) -> dict[str, Any]:
    calls = [
        {
            "id": call.id,
            "name": call.name,
            "arguments": call.arguments if isinstance(call.arguments, str) else dict(call.arguments),
        }
        for call in message.tool_calls
    ]
    return {"text": message.content, "tool_calls": calls, "planner": planner}
