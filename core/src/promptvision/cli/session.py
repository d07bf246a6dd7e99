"""What every command that runs the agent shares: making it, showing steps, closing it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from promptvision.cli.output import is_fancy, say
from promptvision.conversations.turn import Event, EventKind

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent
    from promptvision.agent.running import RunningTurn

__all__ = ["StepPrinter", "with_agent"]

T = TypeVar("T")


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


class StepPrinter:
    """Shows the steps of a turn on stderr: a line each, and on a terminal how far the running one is."""

    def __init__(self) -> None:
        self._fancy = is_fancy()
        self._has_bar = False

    def watch(self, running: RunningTurn) -> None:
        """Listen to a turn."""
        running.listeners.append(self.event)
        running.progress_listeners.append(self.progress)

    def event(self, event: Event) -> None:
        """Show a step that has ended."""
        if event.kind is not EventKind.STEP_FINISHED:
            return
        self._clear()
        step = event.data
        cached = ", known already" if step["cached"] else ""
        what = f"{step['operation']} ({step['tool']}): {step['status']}, {step['seconds']:.2f} s{cached}"
        message = f" - {step['message']}" if step["message"] else ""
        say(f"  {what}{message}", fg="green" if step["status"] == "done" else "yellow")

    def progress(self, step: int, done: float, total: float, message: str) -> None:
        """Show how far the running step is."""
        if not self._fancy or total <= 0:
            return
        share = min(max(done / total, 0.0), 1.0)
        bar = "#" * round(share * 24)
        self._has_bar = True
        import click

        click.echo(f"\r\x1b[2K  step {step} [{bar:<24}] {share:4.0%} {message[:40]}", err=True, nl=False)

    def _clear(self) -> None:
        if self._has_bar:
            import click

            click.echo("\r\x1b[2K", err=True, nl=False)
            self._has_bar = False
