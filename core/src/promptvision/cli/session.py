"""What every command that runs the agent shares: making it, showing steps, stopping and closing it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from promptvision.cli.output import is_live, plain, say
from promptvision.conversations.turn import Event, EventKind

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent
    from promptvision.agent.reply import Reply, Step
    from promptvision.agent.turns.handle import TurnHandle

__all__ = ["StepPrinter", "settle", "with_agent"]

T = TypeVar("T")

SOON_S = 0.5
STOP_S = 3.0
"""How long a tool may take to notice that it should stop, before its turn is closed without it."""


def with_agent(work: Callable[[Agent], Awaitable[T]]) -> T:
    """Make an agent of the settings, do the work with it, and close it whatever happens."""

    async def whole() -> T:
        from promptvision.agent.agent import Agent

        agent = Agent()
        try:
            return await work(agent)
        finally:
            await agent.close()

    return asyncio.run(whole())


async def settle(running: TurnHandle) -> Reply:
    """Wait for the reply. Ctrl-C stops the turn at its next check point; what it has finished is kept."""
    try:
        return await running.reply()
    except asyncio.CancelledError:
        running.cancel.cancel("interrupted")
        if running.task is not None:
            await _see_out(running.task)
        raise


async def _see_out(task: asyncio.Task[Reply]) -> None:
    """Wait until a turn that was asked to stop has ended, and end it if it does not."""
    if not await _has_ended(task, SOON_S):
        say("stopping at the next chance; Ctrl-C again leaves at once", fg="yellow")
        if not await _has_ended(task, STOP_S):
            task.cancel()
            await asyncio.wait({task})


async def _has_ended(task: asyncio.Task[Reply], timeout_s: float) -> bool:
    done, _ = await asyncio.wait({task}, timeout=timeout_s)
    return bool(done)


class StepPrinter:
    """Shows the steps of a turn on stderr: a line each, and on a terminal what is running and how far."""

    def __init__(self) -> None:
        self._is_live = is_live()
        self._drawn = ""
        self._names: dict[int, str] = {}

    def watch(self, running: TurnHandle) -> None:
        """Listen to a turn."""
        running.listeners.append(self.event)
        running.progress_listeners.append(self.progress)

    def event(self, event: Event) -> None:
        """Show a step that begins or has ended."""
        if event.kind is EventKind.STEP_STARTED:
            name = f"{event.data['operation']} ({event.data['tool']})"
            self._names[event.data["step"]] = name
            self._draw(f"  {name} ...")
        elif event.kind is EventKind.STEP_FINISHED:
            from promptvision.agent.reply import Step

            self.step(Step.from_stored(event.data))
        elif event.kind is EventKind.NOTE and "fallback" in event.data:
            self.clear()
            say(f"  {event.data['message']}", fg="yellow")

    def step(self, step: Step) -> None:
        """Show a step that has ended."""
        self.clear()
        cached = ", known already" if step.cached else ""
        what = f"{step.operation} ({step.tool}): {step.status}, {step.seconds:.2f} s{cached}"
        message = f" - {step.message}" if step.message else ""
        say(f"  {what}{message}", fg="green" if step.status == "done" else "yellow")

    def progress(self, step: int, done: float, total: float, message: str) -> None:
        """Show how far the running step is."""
        if total <= 0:
            return
        share = min(max(done / total, 0.0), 1.0)
        name = self._names.get(step, f"step {step}")
        self._draw(f"  {name} [{'#' * round(share * 24):<24}] {share:4.0%} {message}")

    def clear(self) -> None:
        """Take the line about the running step away."""
        if self._drawn:
            click.echo("\r\x1b[2K", err=True, nl=False)
            self._drawn = ""

    def _draw(self, text: str) -> None:
        """Draw over the last line; what is longer than the terminal is wide would stay behind."""
        line = " ".join(plain(text).split("\n"))[: shutil.get_terminal_size().columns - 1]
        if self._is_live and line != self._drawn:
            self._drawn = line
            click.echo(f"\r\x1b[2K{line}", err=True, nl=False, color=True)
