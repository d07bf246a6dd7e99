"""Log every turn, request to the planner and step, with its duration.

Run: python log_turns.py photo.jpg "make it black and white"
"""

import logging
import sys
import time

from promptvision import Agent
from promptvision.plugin import (
    ChatReply,
    Middleware,
    PlanRequest,
    Result,
    StepInfo,
    TurnEnd,
    TurnInfo,
)

log = logging.getLogger("turns")


class LogTurns(Middleware):
    """Writes one line per event. An error in here is logged and never fails a turn."""

    def __init__(self) -> None:
        self._began: dict[tuple[str, int], float] = {}

    async def before_turn(self, turn: TurnInfo) -> None:
        """Log the prompt."""
        log.info("turn of %s begins: %s", turn.key.user_id, turn.prompt)

    async def after_planner(self, turn: TurnInfo, request: PlanRequest, reply: ChatReply) -> None:
        """Log what the planner asks to call."""
        log.info("planner %s: %s", reply.planner, [call.name for call in reply.tool_calls] or "answer")

    async def before_step(self, step: StepInfo) -> None:
        """Remember when the step began."""
        self._began[_key(step)] = time.monotonic()

    async def after_step(self, step: StepInfo, result: Result) -> None:
        """Log the duration of the step."""
        seconds = time.monotonic() - self._began.pop(_key(step))
        log.info("step %d: %s done in %.2f s", step.number, step.tool.qualified_name, seconds)

    async def on_step_error(self, step: StepInfo, error: Exception) -> None:
        """Log why the step failed."""
        self._began.pop(_key(step), None)
        log.warning("step %d: %s failed: %s", step.number, step.tool.qualified_name, error)

    async def after_turn(self, turn: TurnInfo, end: TurnEnd) -> None:
        """Log the answer."""
        log.info("turn is %s in %.2f s: %s", end.status, end.seconds, end.text)


def _key(step: StepInfo) -> tuple[str, int]:
    return (step.turn.id if step.turn else "", step.number)


def main(image: str, prompt: str) -> None:
    """Run one turn with the log on stdout."""
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    log.setLevel(logging.INFO)
    with Agent(middleware=[LogTurns()]) as agent:
        agent.run_sync(prompt, image=image)


if __name__ == "__main__":
    main(*sys.argv[1:3])
