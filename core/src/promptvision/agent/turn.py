"""One turn: predict, execute, observe, until there is an answer."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any

from promptvision.agent.artifacts import Artifacts
from promptvision.agent.calls import CallDesk, Told
from promptvision.agent.journal import Journal
from promptvision.agent.prompt import picture_note, system_prompt
from promptvision.agent.reply import Reply, Step
from promptvision.agent.steps import StepRunner
from promptvision.agent.window import estimate_tokens, history_messages, turn_messages
from promptvision.conversations.turn import Event, EventKind, Turn, TurnStatus
from promptvision.errors import Cancelled, ProviderError, StopTurn
from promptvision.llm.messages import ChatReply, ChatRequest, Message, ToolCall
from promptvision.llm.provider import LLMProvider
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings

__all__ = ["TurnLoop", "recall_artifacts"]

log = logging.getLogger(__name__)

PLANNER_TIMEOUT_S = 120.0
"""How long one planner reply may take, retries included."""


class TurnLoop:
    """Drives one claimed turn to its reply.

    Args:
        turn: the claimed turn, with the events of an earlier try if it was interrupted.
        earlier: ended turns of the conversation, oldest first.
        registry: what is installed.
        planner: decides the next step.
        runner: fulfils operations.
        journal: where events are written before they happen.
        settings: the limits.
        started_from: id of the picture the turn starts from.
        deadline: ``time.monotonic()`` at which the turn must end.
    """

    def __init__(
        self,
        turn: Turn,
        earlier: list[Turn],
        *,
        registry: Registry,
        planner: LLMProvider,
        runner: StepRunner,
        journal: Journal,
        settings: Settings,
        started_from: str | None,
        deadline: float,
    ) -> None:
        self._turn = turn
        self._earlier = earlier
        self._planner = planner
        self._runner = runner
        self._journal = journal
        self._settings = settings
        self._started_from = started_from
        self._deadline = deadline
        self._functions = registry.functions()
        self._desk = CallDesk(runner, self._functions)
        self._said_by = planner.name
        self._calls = sum(len(e.data["tool_calls"]) for e in turn.events if e.kind is EventKind.MESSAGE)
        self.notes: list[str] = []

    async def run(self) -> Reply:
        """Drive the turn to its end; every way out is a reply.

        Raises:
            StoreError: the journal cannot be written.
        """
        try:
            text = await self._converse()
            return self._reply(text, self._status())
        except StopTurn as exc:
            return self._reply(self._made_so_far(f"I stopped early: {exc}."), self._status())
        except Cancelled as exc:
            return self._reply(self._made_so_far(f"I stopped: {exc}."), TurnStatus.CANCELLED)
        except ProviderError as exc:
            log.warning("planner %s failed: %s", self._planner.name, exc)
            return self._reply(self._made_so_far(f"I could not go on: {exc}."), TurnStatus.FAILED)

    async def _converse(self) -> str:
        messages = self._opening()
        await self._finish_open_calls(messages)
        for _ in range(self._settings.max_steps):
            reply = await self._ask(messages, "none" if self._desk.must_answer else "auto")
            if not reply.tool_calls or self._desk.must_answer:
                return reply.text or self._made_so_far("")
            reply = self._number_calls(reply)
            messages.append(Message(role="assistant", content=reply.text, tool_calls=reply.tool_calls))
            await self._journal.write((EventKind.MESSAGE, _message_data(reply), None))
            for call in reply.tool_calls:
                messages.append(await self._make(call))
        raise StopTurn(f"the limit of {self._settings.max_steps} planner replies in one turn is reached")

    def _opening(self) -> list[Message]:
        words = self._turn.prompt
        table = self._runner.table
        system = Message(role="system", content=system_prompt(self._functions))
        user = Message(role="user", content=f"{words}\n\n{picture_note(table)}", summary=words)
        fixed = estimate_tokens([system, user], self._functions)
        history = history_messages(self._earlier, max(self._planner.context_tokens - fixed, 0))
        return [system, *history, user]

    async def _finish_open_calls(self, messages: list[Message]) -> None:
        """After an interruption: make the calls that were asked for and never answered."""
        said = turn_messages(self._turn)
        answered = {
            event.data.get("call_id")
            for event in self._turn.events
            if event.kind in (EventKind.STEP_FINISHED, EventKind.OBSERVATION)
        }
        open_calls = {
            call.id: call for message in said for call in message.tool_calls if call.id not in answered
        }
        for message in said:
            call = open_calls.get(message.tool_call_id or "")
            messages.append(message if call is None else await self._make(call))

    async def _ask(self, messages: list[Message], tool_choice: Any) -> ChatReply:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise StopTurn("the time limit of the turn is reached")
        request = ChatRequest(
            messages=tuple(messages),
            functions=self._functions,
            tool_choice=tool_choice,
            timeout_s=min(remaining, PLANNER_TIMEOUT_S),
        )
        reply = await self._planner.complete(request)
        self._said_by = reply.planner or self._planner.name
        return reply

    def _number_calls(self, reply: ChatReply) -> ChatReply:
        """Give calls ids that are unique in the conversation, whatever the host made up."""
        calls = []
        for call in reply.tool_calls:
            self._calls += 1
            calls.append(replace(call, id=f"call_{self._turn.seq}_{self._calls}"))
        return replace(reply, tool_calls=tuple(calls))

    async def _make(self, call: ToolCall) -> Message:
        told = await self._desk.answer(call)
        if not told.is_journaled:
            await self._journal.write((EventKind.OBSERVATION, _observation_data(call, told), None))
        return Message(
            role="tool",
            content=told.content,
            tool_call_id=call.id,
            name=call.name,
            summary=told.summary,
            failed=told.failed,
        )

    def _status(self) -> TurnStatus:
        steps = self._runner.steps
        return TurnStatus.FAILED if steps and steps[-1].status == "failed" else TurnStatus.DONE

    def _made_so_far(self, why: str) -> str:
        done = [step for step in self._runner.steps if step.status == "done"]
        made = ", ".join(dict.fromkeys(step.operation for step in done))
        return f"{why} Finished until then: {made or 'nothing'}.".strip()

    def _reply(self, text: str, status: TurnStatus) -> Reply:
        return Reply(
            text_response=text,
            image_url=self._started_from,
            steps=tuple(self._runner.steps),
            images=tuple(self._runner.images),
            turn_id=self._turn.id,
            conversation_id=self._turn.key.conversation_id,
            prompt_id=self._turn.key.prompt_id,
            status=status,
            planner=self._said_by,
            notes=tuple(self.notes),
        )


def _message_data(reply: ChatReply) -> dict[str, Any]:
    calls = [
        {
            "id": call.id,
            "name": call.name,
            "arguments": call.arguments if isinstance(call.arguments, str) else dict(call.arguments),
        }
        for call in reply.tool_calls
    ]
    return {"text": reply.text, "tool_calls": calls, "planner": reply.planner}


def _observation_data(call: ToolCall, told: Told) -> dict[str, Any]:
    return {
        "call_id": call.id,
        "operation": call.name,
        "told": told.content,
        "summary": told.summary,
        "failed": told.failed,
    }


def recall_artifacts(turns: list[Turn], registry: Registry) -> Artifacts:
    """What the finished steps of earlier turns made, as far as their tools are still installed."""
    artifacts = Artifacts()
    for turn in turns:
        for step in recall_steps(turn.events):
            tool = registry.tools.get(step.tool)
            if tool is None or step.status != "done" or step.result is None:
                continue
            try:
                args = tool.args.model_validate(step.arguments)
                artifacts.note(args, tool.result.model_validate(step.result))
            except ValueError:
                log.info("turn %s: a step of an older version of %s is not used again", turn.id, step.tool)
    return artifacts


def recall_steps(events: tuple[Event, ...]) -> list[Step]:
    """The steps that a journal holds."""
    known = Step.__dataclass_fields__
    return [
        Step(**{name: value for name, value in event.data.items() if name in known})
        for event in events
        if event.kind is EventKind.STEP_FINISHED
    ]
