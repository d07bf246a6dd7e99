"""A turn's events in the AG-UI protocol, version 1.0.

Source: the AG-UI specification 1.0 and its JSON schema, https://ag-ui.com/spec/1.0/schema.json. The events
are plain objects, since the package with the models is slow to import; tests validate each of them with the
``ag-ui-protocol`` package.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from promptvision.agent.reply import Reply, show_ids
from promptvision.conversations.turn import Event, EventKind, ImageRecord, Turn, TurnStatus

__all__ = ["AguiEvent", "Translator"]

PROTOCOL_VERSION = "1.0"
WARNING = "promptvision.warning"
REPLY = "promptvision.reply"
APPROVAL = "promptvision.approval"
ANSWER = "promptvision.approval_answered"

AguiEvent = dict[str, Any]


class Translator:
    """Translates the journal of one turn into AG-UI events; the result is the same every time.

    ``threadId`` is the conversation, ``runId`` the turn. A step is an AG-UI step with one tool call in it;
    the image table is the state; progress is an activity. The planner's messages are numbered, and the
    answer is the last of them, so that the id of a message is known before it is journaled.

    Args:
        turn: the turn.
        earlier: images of the conversation from before the turn.
        show: maps an image id to the URL that the reader can open.
    """

    def __init__(self, turn: Turn, earlier: Iterable[ImageRecord], show: Callable[[str], str]) -> None:
        self._turn = turn
        self._show = show
        self._ids: set[str] = set()
        self._images = [self._image(record) for record in earlier]
        self._active: set[int] = set()
        self.message = 1
        """Number of the planner's next message."""

    def opening(self) -> list[AguiEvent]:
        """The AG-UI events before the first event of the journal."""
        ids = {"threadId": self._turn.key.conversation_id, "runId": self._turn.id}
        return [
            {"type": "RUN_STARTED", **ids, "protocolVersion": PROTOCOL_VERSION},
            {"type": "STATE_SNAPSHOT", "snapshot": {"images": self._images}},
        ]

    def event(self, event: Event) -> list[AguiEvent]:
        """The AG-UI events of one event of the journal; none for an event that readers do not need."""
        data = event.data
        if event.kind is EventKind.IMAGE:
            image = self._image(ImageRecord(**data))
            return [{"type": "STATE_DELTA", "delta": [{"op": "add", "path": "/images/-", "value": image}]}]
        if event.kind is EventKind.MESSAGE:
            message_id, self.message = self.message_id(self.message), self.message + 1
            return self._text(message_id, data["text"]) if data["text"] else []
        if event.kind is EventKind.STEP_STARTED:
            return self._step_started(data)
        if event.kind is EventKind.STEP_FINISHED:
            return self._step_finished(data)
        if event.kind is EventKind.NOTE:
            return [{"type": "CUSTOM", "name": WARNING, "value": data}]
        if event.kind is EventKind.APPROVAL_ASKED:
            shown = show_ids(data, self._ids, self._show)
            return [{"type": "CUSTOM", "name": APPROVAL, "value": shown}]
        if event.kind is EventKind.APPROVAL_ANSWERED:
            return [{"type": "CUSTOM", "name": ANSWER, "value": data}]
        return []

    def message_id(self, number: int) -> str:
        """The id of a message of the planner."""
        return f"{self._turn.id}-message-{number}"

    def progress(self, step: int, done: float, total: float, message: str) -> AguiEvent:
        """The progress of a step; never stored and never replayed."""
        activity = {"messageId": f"{self._call_id(step)}-progress", "activityType": "PROGRESS"}
        content = {"step": step, "done": done, "total": total, "message": message}
        if step not in self._active:
            self._active.add(step)
            return {"type": "ACTIVITY_SNAPSHOT", **activity, "content": content}
        patch = [{"op": "replace", "path": f"/{name}", "value": value} for name, value in content.items()]
        return {"type": "ACTIVITY_DELTA", **activity, "patch": patch}

    def closing(self, status: TurnStatus, reply: Reply | None, error: str = "") -> list[AguiEvent]:
        """The AG-UI events after the last event of the journal.

        Args:
            status: how the turn ended.
            reply: its reply, if there is one.
            error: the message when there is no reply.
        """
        if reply is None:
            message = error or f"the turn was {status} before it was answered"
            return [{"type": "RUN_ERROR", "message": message, "code": str(status)}]
        document = reply.document(self._show)
        text = self._text(self.message_id(self.message), reply.text_response)
        if status is TurnStatus.FAILED:
            failed = {"type": "RUN_ERROR", "message": reply.text_response, "code": str(status)}
            return [*text, {"type": "CUSTOM", "name": REPLY, "value": document}, failed]
        outcome = "cancelled" if status is TurnStatus.CANCELLED else "success"
        finished = {
            "type": "RUN_FINISHED",
            "threadId": self._turn.key.conversation_id,
            "runId": self._turn.id,
            "result": document,
            "outcome": {"type": outcome},
        }
        return [*text, finished]

    def _step_started(self, data: dict[str, Any]) -> list[AguiEvent]:
        call = {"toolCallId": self._call_id(data["step"])}
        arguments = json.dumps(show_ids(data["arguments"], self._ids, self._show), ensure_ascii=False)
        return [
            {"type": "STEP_STARTED", "stepName": self._step_name(data)},
            {"type": "TOOL_CALL_START", **call, "toolCallName": data["operation"]},
            {"type": "TOOL_CALL_ARGS", **call, "delta": arguments},
            {"type": "TOOL_CALL_END", **call},
        ]

    def _step_finished(self, data: dict[str, Any]) -> list[AguiEvent]:
        names = ("operation", "tool", "plugin", "status", "result", "seconds", "cached", "message")
        lists = {name: list(data.get(name, ())) for name in ("models", "details")}
        step = {**{name: data[name] for name in names}, **lists}
        shown = show_ids(step, self._ids, self._show)
        parts: list[dict[str, Any]] = [{"type": "text", "text": json.dumps(shown, ensure_ascii=False)}]
        for url in self._made(data["result"] or {}):
            parts.append({"type": "image", "source": {"type": "url", "value": url}})
        call_id = self._call_id(data["step"])
        result = {
            "type": "TOOL_CALL_RESULT",
            "messageId": f"{call_id}-result",
            "toolCallId": call_id,
            "role": "tool",
            "content": parts,
        }
        finished = {"type": "STEP_FINISHED", "stepName": self._step_name(data)}
        if data["status"] == "done":
            return [result, finished]
        warning = {"step": data["step"], "status": data["status"], "message": data["message"]}
        if data.get("setup"):
            warning["needs_setup"] = data["setup"]
        return [result, finished, {"type": "CUSTOM", "name": WARNING, "value": warning}]

    def _made(self, result: dict[str, Any]) -> list[str]:
        found = [value for name, value in result.items() if name != "original_image_url"]
        return [self._show(value) for value in found if isinstance(value, str) and value in self._ids]

    def _image(self, record: ImageRecord) -> dict[str, Any]:
        self._ids.add(record.image_id)
        return {
            "handle": record.handle,
            "url": self._show(record.image_id),
            "kind": record.kind,
            "parent": f"img_{record.parent}" if record.parent else None,
            "maker": record.maker,
            "width": record.width,
            "height": record.height,
        }

    def _text(self, message_id: str, text: str) -> list[AguiEvent]:
        events: list[AguiEvent] = [
            {"type": "TEXT_MESSAGE_START", "messageId": message_id, "role": "assistant"},
            {"type": "TEXT_MESSAGE_END", "messageId": message_id},
        ]
        if text:
            events.insert(1, {"type": "TEXT_MESSAGE_CONTENT", "messageId": message_id, "delta": text})
        return events

    def _call_id(self, step: int) -> str:
        return f"{self._turn.id}-{step}"

    def _step_name(self, data: dict[str, Any]) -> str:
        return f"{data['step']}. {data['operation']}"
