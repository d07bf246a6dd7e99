"""One operation without a planner, a conversation or a journal; prerequisites run as in a turn."""

from __future__ import annotations

import time
from typing import Any

from promptvision.agent.calls.artifacts import Artifacts
from promptvision.agent.calls.record import StepRecord
from promptvision.agent.calls.request import OperationRequest
from promptvision.agent.calls.runner import StepRunner
from promptvision.agent.images import ImageIntake
from promptvision.agent.middleware import TurnMiddleware
from promptvision.agent.reply import Reply
from promptvision.agent.services import AgentServices
from promptvision.conversations.turn import TurnStatus
from promptvision.errors import NotFound
from promptvision.images.handles import ImageKind, ImageTable
from promptvision.runtime.cancellation import CancelToken
from promptvision.tools.artifacts import plain_type
from promptvision.tools.context import INPUT, MASK
from promptvision.types import ImageRef, MaskRef

__all__ = ["call_operation"]


async def call_operation(
    services: AgentServices,
    intake: ImageIntake,
    operation: str,
    arguments: dict[str, Any],
    *,
    user_id: str,
    allow_paths: bool,
) -> Reply:
    """Run one operation; see :meth:`promptvision.agent.agent.Agent.call_tool`."""
    if not services.registry.candidates(operation):
        names = ", ".join(sorted(services.registry.operations))
        raise NotFound(f"no operation {operation!r}", hint=f"the operations are: {names}")
    await services.registry.availability.refresh()
    table = ImageTable([])
    values = dict(arguments)

    async def admit(source: Any, kind: type[ImageRef]) -> Any:
        image = await intake.admit(source, user_id=user_id, allow_paths=allow_paths)
        if image is None:
            return source
        role: ImageKind = MASK if kind is MaskRef else INPUT
        table.add(image.id, role, None, "", image.width, image.height, 0)
        return kind(image.id)

    for name, kind in _image_arguments(services, operation).items():
        given = values.get(name)
        if isinstance(given, list):
            values[name] = [await admit(each, kind) for each in given]
        elif given is not None:
            values[name] = await admit(given, kind)
    record = StepRecord(table)
    cancel = CancelToken()
    middleware = services.middleware
    runner = StepRunner(
        services.registry,
        services.runtime,
        record,
        Artifacts(),
        cancel=cancel,
        deadline=time.monotonic() + services.settings.turn_timeout_s,
        max_calls=services.settings.max_tool_calls,
        middleware=TurnMiddleware(middleware, cancel) if middleware else None,
        user_id=user_id,
    )
    outcome = await runner.perform(OperationRequest(operation=operation, values=values))
    for made in record.images:
        await services.conversations.add_image(user_id, made["id"])
    return Reply(
        text_response=outcome.summary,
        image_url=table.records[0].image_id if table.records else None,
        steps=tuple(record.steps),
        images=tuple(record.images),
        turn_id="",
        conversation_id="",
        prompt_id="",
        status=TurnStatus.DONE,
        planner="",
        open_image=services.open_image,
        write_image=services.save_image,
    )


def _image_arguments(services: AgentServices, operation: str) -> dict[str, type[ImageRef]]:
    """The arguments of the best tool that are images or masks or lists of them, with their types."""
    found: dict[str, type[ImageRef]] = {}
    for tool in services.registry.candidates(operation)[:1]:
        for name, field in tool.args.model_fields.items():
            kind = plain_type(field.annotation)
            if kind == list[ImageRef]:
                kind = ImageRef
            if kind in (ImageRef, MaskRef):
                found[name] = kind
    return found
