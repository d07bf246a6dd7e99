"""Ask on the terminal whether a step may run."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from promptvision.cli.output import is_live, plain, say

if TYPE_CHECKING:
    from promptvision.agent.approvals import Approval
    from promptvision.agent.turns.handle import TurnHandle

__all__ = ["ask_on_terminal"]

YES = ("y", "yes")


def ask_on_terminal(running: TurnHandle) -> None:
    """Ask the user of the terminal the questions of a turn; without a terminal, each is refused.

    The event loop keeps running until the user answers, so that the turn keeps its claim.
    """
    if not (sys.stdin.isatty() and is_live()):
        return
    running.approvals.can_ask = True
    queue: list[Approval] = []
    loop = asyncio.get_running_loop()

    def show() -> None:
        say(f"\n{plain(queue[0].question)} [y/N] ", fg="yellow", newline=False)

    def read() -> None:
        from promptvision.agent.approvals import Answer

        answer = os.read(sys.stdin.fileno(), 1024).decode("utf-8", "replace").strip().lower()
        approval = queue.pop(0)
        if approval in running.approvals.pending:
            running.approvals.answer(approval.approval_id, Answer(answer in YES))
        if queue:
            show()
        else:
            loop.remove_reader(sys.stdin.fileno())

    def asked(approval: Approval) -> None:
        queue.append(approval)
        if len(queue) == 1:
            loop.add_reader(sys.stdin.fileno(), read)
            show()

    running.approvals.listeners.append(asked)
    if running.task is not None:  # it may end while a question is open
        running.task.add_done_callback(lambda _: loop.remove_reader(sys.stdin.fileno()))
