"""One operation without a planner: no conversation, no journal, the same prerequisites."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from promptvision.agent.calls.artifacts import Artifacts
from promptvision.agent.calls.runner import StepRunner
from promptvision.agent.journal import call_store
from promptvision.agent.reply import Reply
from promptvision.conversations.turn import TurnStatus
from promptvision.errors import NotFound
from promptvision.images.handles import ImageTable
from promptvision.runtime.cancellation import CancelToken
from promptvision.tools.artifacts import plain_type
from promptvision.tools.context import INPUT, MASK
from promptvision.types import ImageRef, MaskRef

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent

__all__ = ["call_operation"]


async def call_operation(
    agent: Agent, operation: str, values: dict[str, Any], *, user_id: str, allow_paths: bool
) -> Reply:
    """Run one operation; see :meth:`promptvision.agent.agent.Agent.call_tool`."""
    if operation not in agent.registry.operations:
        names = ", ".join(sorted(agent.registry.operations))
        raise NotFound(f"no operation {operation!r}", hint=f"the operations are: {names}")
    table = ImageTable([])
    given = await _take_in_images(agent, operation, values, table, user_id=user_id, allow_paths=allow_paths)
    runner = StepRunner(
        agent.registry,
        agent.runtime,
        table,
        Artifacts(),
        cancel=CancelToken(),
        deadline=time.monotonic() + agent.settings.turn_timeout_s,
        max_calls=agent.settings.max_tool_calls,
    )
    made = await runner.perform(operation, given)
    for image in runner.images:
        await call_store(agent.conversations, agent.conversations.add_image, user_id, image["id"])
    return Reply(
        text_response=made.summary,
        image_url=table.records[0].image_id if table.records else None,
        steps=tuple(runner.steps),
        images=tuple(runner.images),
        turn_id="",
        conversation_id="",
        prompt_id="",
        status=TurnStatus.DONE,
        planner="",
    )


async def _take_in_images(
    agent: Agent,
    operation: str,
    values: dict[str, Any],
    table: ImageTable,
    *,
    user_id: str,
    allow_paths: bool,
) -> dict[str, Any]:
    """Values with each image stored, entered in the table and given as a reference."""
    given = dict(values)
    for tool in agent.registry.candidates(operation)[:1]:
        for name, field in tool.args.model_fields.items():
            kind = plain_type(field.annotation)
            if kind not in (ImageRef, MaskRef):
                continue
            stored = await agent.take_in(given.get(name), user_id=user_id, allow_paths=allow_paths)
            if stored is not None:
                role = MASK if kind is MaskRef else INPUT
                table.add(stored.id, role, None, "", stored.width, stored.height, 0)
                given[name] = kind(stored.id)
    return given
