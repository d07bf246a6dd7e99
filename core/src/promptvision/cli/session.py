"""Shared by commands that run the agent: create and close it, show steps, stop turns."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from promptvision.cli.approvals import ask_on_terminal
from promptvision.cli.output import is_live, plain, say
from promptvision.conversations.turn import Event, EventKind

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent
    from promptvision.agent.reply import Reply, Step
    from promptvision.agent.turns.handle import TurnHandle

__all__ = ["StepPrinter", "settle", "with_agent"]

T = TypeVar("T")

_FRAMES = "|/-\\"
FRAME_S = 0.12

SOON_S = 0.5
STOP_S = 3.0
"""Time for a tool to react to a cancellation before its turn is closed without it."""


def with_agent(work: Callable[[Agent], Awaitable[T]]) -> T:
    """Create an agent from the settings, run the work with it, and always close it."""

    async def whole() -> T:
        from promptvision.agent.agent import Agent

        agent = Agent()
        try:
            return await work(agent)
        finally:
            await agent.close()

    return asyncio.run(whole())


async def settle(running: TurnHandle) -> Reply:
    """Wait for the reply, and ask the turn's questions on the terminal.

    Ctrl-C stops the turn at its next check point; finished steps are kept.
    """
    ask_on_terminal(running)
    try:
        return await running.reply()
    except asyncio.CancelledError:
        running.cancel.cancel("interrupted")
        if running.task is not None:
            await _stop(running.task)
        raise


async def _stop(task: asyncio.Task[Reply]) -> None:
    """Wait until a cancelled turn has ended, and stop it if it does not end soon."""
    if not await _has_ended(task, SOON_S):
        say("stopping at the next check point; press Ctrl-C again to quit at once", fg="yellow")
        if not await _has_ended(task, STOP_S):
            task.cancel()
            await asyncio.wait({task})


async def _has_ended(task: asyncio.Task[Reply], timeout_s: float) -> bool:
    done, _ = await asyncio.wait({task}, timeout=timeout_s)
    return bool(done)


class StepPrinter:
    """Shows the steps and warnings of a turn on stderr, one line each; on a terminal also the running step.

    Args:
        planner: name of the planner, shown while waiting for its reply.
    """

    def __init__(self, planner: str = "") -> None:
        self._planner = planner
        self._is_live = is_live()
        self._drawn = ""
        self._names: dict[int, str] = {}
        self._notes: set[str] = set()
        self._spinner: asyncio.TimerHandle | None = None

    def watch(self, running: TurnHandle) -> None:
        """Show the events of a turn. The progress line is removed before the answer is printed."""
        running.listeners.insert(0, self.event)
        running.progress_listeners.append(self.progress)
        running.live_reply.subscribers.insert(0, self.clear)
        if self._planner and self._is_live:
            self._spin(0)

    def event(self, event: Event) -> None:
        """Show a step that begins or has ended."""
        if event.kind is EventKind.STEP_STARTED:
            name = f"{event.data['operation']} ({event.data['tool']})"
            self._names[event.data["step"]] = name
            self._stop_spinner()
            self._draw(f"  {name} ...")
        elif event.kind is EventKind.MESSAGE:
            self.clear()
        elif event.kind is EventKind.NOTE:
            self.note(event.data["message"])
        elif event.kind is EventKind.STEP_FINISHED:
            from promptvision.agent.reply import Step

            self.step(Step.from_stored(event.data))

    def note(self, message: str) -> None:
        """Show a warning, such as the failure of a provider, unless it has been shown."""
        if message not in self._notes:
            self._notes.add(message)
            self.clear()
            say(f"  {message}", fg="yellow")

    def step(self, step: Step) -> None:
        """Show a step that has ended."""
        self.clear()
        cached = ", known already" if step.cached else ""
        tool = ", ".join((step.tool, *step.models))
        what = f"{step.operation} ({tool}): {step.status}, {step.seconds:.2f} s{cached}"
        message = f" - {step.message}" if step.message else ""
        say(f"  {what}{message}", fg="green" if step.status == "done" else "yellow")

    def progress(self, step: int, done: float, total: float, message: str) -> None:
        """Show the progress of the running step."""
        if total <= 0:
            return
        self._stop_spinner()
        share = min(max(done / total, 0.0), 1.0)
        name = self._names.get(step, f"step {step}")
        self._draw(f"  {name} [{'#' * round(share * 24):<24}] {share:4.0%} {message}")

    def clear(self) -> None:
        """Remove the progress line."""
        self._stop_spinner()
        if self._drawn:
            click.echo("\r\x1b[2K", err=True, nl=False, color=True)
            self._drawn = ""

    def _spin(self, frame: int) -> None:
        self._draw(f"  {_FRAMES[frame % len(_FRAMES)]} asking {self._planner} ...")
        self._spinner = asyncio.get_running_loop().call_later(FRAME_S, self._spin, frame + 1)

    def _stop_spinner(self) -> None:
        if self._spinner is not None:
            self._spinner.cancel()
            self._spinner = None

    def _draw(self, text: str) -> None:
        """Overwrite the progress line, cut to the width of the terminal."""
        line = " ".join(plain(text).split("\n"))[: shutil.get_terminal_size().columns - 1]
        if self._is_live and line != self._drawn:
            self._drawn = line
            click.echo(f"\r\x1b[2K{line}", err=True, nl=False, color=True)
