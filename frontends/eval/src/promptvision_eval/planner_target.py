"""A planner as a target: asked as in a turn, with each call that it makes answered as done."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from promptvision.plugin import (
    ANNOTATED,
    EDIT,
    INPUT,
    MASK,
    CallOutcome,
    EvalOutput,
    ImageKind,
    ImageTable,
    Message,
    Operation,
    Planner,
    PlannerFunction,
    PlanRequest,
    ToolCall,
    image_note,
    system_prompt,
)

__all__ = ["PlannerTarget"]

MAX_CALLS = 12
SIZE = (1024, 768)
"""Of each image that a sentence is about."""
EARLIER = "earlier"
"""The user's words and the id of the call that a conversation began with."""
_HANDLE = re.compile(r"\bimg_([1-9])\b")


class PlannerTarget:
    """One planner. It may call the operations that can run here, though none is run.

    Args:
        planner: the planner.
        version: of its plugin.
        plugin: entry-point name.
        functions: what it may call.
        operations: their arguments and results, by name.
        identity: what else its answers depend on.
    """

    def __init__(
        self,
        planner: Planner,
        *,
        plugin: str,
        version: str,
        functions: tuple[PlannerFunction, ...],
        operations: Mapping[str, Operation],
        identity: Mapping[str, str],
    ) -> None:
        self.name = planner.name
        names = ", ".join(sorted(function.name for function in functions))
        self.conditions = {"functions": names}
        self.identity = {"plugin": plugin, "version": version, **self.conditions, **identity}
        self.models: list[str] = []
        self._planner = planner
        self._functions = functions
        self._operations = operations

    async def call(self, values: Mapping[str, Any]) -> tuple[EvalOutput, float]:
        """Ask for one sentence until the planner answers."""
        began = time.perf_counter()
        turn = _Turn(values["sentence"], values["before"], self._functions, self._operations)
        while True:
            reply = await self._planner.complete(turn.request())
            if not reply.tool_calls or len(turn.calls) >= MAX_CALLS:
                break
            turn.run(reply.text, reply.tool_calls)
        model = getattr(self._planner, "model", None)  # of an LLM
        self.models = [*dict.fromkeys([*self.models, *([str(model)] if model else [])])]
        is_understood = None
        if self._planner.name == "offline":  # it answers with the summaries when it is done
            is_understood = not reply.failed and reply.text.strip() == turn.summary
        fields = {"calls": turn.calls, "text": reply.text, "is_understood": is_understood}
        return EvalOutput(fields=fields, open=_no_image), time.perf_counter() - began

    async def clear(self) -> None:
        """Nothing is stored."""

    async def close(self) -> None:
        """Release what the planner holds, such as connections."""
        await self._planner.close()


class _Turn:
    """What the planner sees of one turn, and of the call that the conversation began with.

    Args:
        sentence: what the user asks for; images that it names by a handle exist.
        before: the earlier call: operation and arguments.
        functions, operations: what can be called.
    """

    def __init__(
        self,
        sentence: str,
        before: tuple[str, Mapping[str, Any]] | None,
        functions: tuple[PlannerFunction, ...],
        operations: Mapping[str, Operation],
    ) -> None:
        self.calls: list[dict[str, Any]] = []
        self._sentence = sentence
        self._functions = functions
        self._operations = operations
        self._outcomes: list[CallOutcome] = []
        self._images = ImageTable()
        self._add_image(INPUT)
        self._messages = [Message(role="system", content=system_prompt(functions))]
        if before is not None:
            self._messages += self._earlier_turn(ToolCall(id=EARLIER, name=before[0], arguments=before[1]))
        named = max(map(int, _HANDLE.findall(sentence)), default=0)
        while len(self._images.records) < named:
            self._add_image(INPUT)
        self._messages.append(Message(role="user", content=f"{sentence}\n\n{image_note(self._images)}"))

    @property
    def summary(self) -> str:
        """The summaries of all calls."""
        return " ".join(outcome.summary for outcome in self._outcomes)

    def request(self) -> PlanRequest:
        """What the planner is asked next."""
        return PlanRequest(
            messages=tuple(self._messages),
            functions=self._functions,
            prompt=self._sentence,
            outcomes=tuple(self._outcomes),
        )

    def run(self, text: str, made: tuple[ToolCall, ...]) -> None:
        """Answer the calls of one reply."""
        self._messages.append(Message(role="assistant", content=text, tool_calls=made))
        for call in made:
            arguments = _arguments(call.arguments)
            defaults = _defaults(self._operations.get(call.name))
            self.calls.append({"name": call.name, "arguments": arguments, "defaults": defaults})
            summary = f"Done {len(self.calls)}."
            self._outcomes.append(CallOutcome(name=call.name, arguments=arguments, summary=summary))
            self._messages.append(self._result(call, summary))

    def _earlier_turn(self, call: ToolCall) -> list[Message]:
        return [
            Message(role="user", content=EARLIER),
            Message(role="assistant", tool_calls=(call,)),
            self._result(call, "Done."),
            Message(role="assistant", content="Done."),
        ]

    def _result(self, call: ToolCall, message: str) -> Message:
        """The result of a call, with the handles of the images that it made."""
        result: dict[str, Any] = {"success": True, "message": message}
        for field, kind in _made_images(self._operations.get(call.name)):
            handle = self._add_image(kind, call)
            result[field] = [handle] if field.endswith("_urls") else handle
        return Message(role="tool", content=json.dumps(result), tool_call_id=call.id, name=call.name)

    def _add_image(self, kind: ImageKind, made_by: ToolCall | None = None) -> str:
        number = len(self._images.records) + 1
        parent, maker = None, ""
        if made_by is not None:
            maker = made_by.name
            parent = self._parent(_arguments(made_by.arguments).get("image_url"))
        return self._images.add(str(number), kind, parent, maker, *SIZE, 0).handle

    def _parent(self, named: Any) -> str | None:
        try:
            return self._images.resolve(str(named))
        except ValueError:  # the core takes the current image
            current = self._images.current
            return current.image_id if current is not None else None


def _defaults(operation: Operation | None) -> dict[str, Any]:
    if operation is None:
        return {}
    return {
        name: "" if field.is_required() else field.get_default(call_default_factory=True)
        for name, field in operation.args.model_fields.items()
    }


def _made_images(operation: Operation | None) -> Iterator[tuple[str, ImageKind]]:
    """The result fields with new images, and the kind of each."""
    for name in operation.result.model_fields if operation is not None else ():
        if name.endswith(("_url", "_urls")) and name != "original_image_url":
            yield name, MASK if "mask" in name else ANNOTATED if "annotated" in name else EDIT


def _arguments(written: str | Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(written, str):
        return dict(written)
    try:
        read = json.loads(written)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _no_image(image_id: str) -> Any:
    raise KeyError(image_id)
