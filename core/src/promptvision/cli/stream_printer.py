"""Print the planner's text on stdout as it streams."""

from __future__ import annotations

import click

from promptvision.agent.reply import Reply
from promptvision.agent.turns.handle import TurnHandle
from promptvision.agent.turns.live_reply import SentPrefix, Throttle
from promptvision.cli.output import plain
from promptvision.conversations.turn import Event, EventKind

__all__ = ["StreamPrinter"]


class StreamPrinter:
    """Prints the planner's text of a turn as it streams.

    Nothing is printed while a step is running, since it would overwrite the progress line on stderr.

    Args:
        running: the turn, just started.
    """

    def __init__(self, running: TurnHandle) -> None:
        self._given = SentPrefix()
        self._open_steps = 0
        self._speech = running.live_reply
        self._speech.has_subscribers = True
        self._more = Throttle(self._say_more)
        self._speech.subscribers.append(self._more)
        running.listeners.append(self._event)

    def end(self, reply: Reply | None) -> None:
        """Print the rest of the answer; None when the turn was stopped."""
        self._more.close()
        if reply is not None:
            self._finish(reply.text_response)
        elif self._given.chars:
            click.echo()

    def _event(self, event: Event) -> None:
        if event.kind is EventKind.MESSAGE and (self._given.chars or event.data["text"]):
            self._finish(event.data["text"])
        elif event.kind is EventKind.STEP_STARTED:
            self._open_steps += 1
        elif event.kind is EventKind.STEP_FINISHED:
            self._open_steps -= 1
            self._more()

    def _say_more(self) -> None:
        if self._speech.is_whole or self._open_steps:
            return
        text = self._speech.text
        if len(text) > self._given.chars:
            self._write(text)

    def _finish(self, text: str) -> None:
        """Print the rest of a complete text, after the part printed before."""
        if text:
            self._write(text)
        click.echo()
        self._given = SentPrefix()

    def _write(self, text: str) -> None:
        """Print the new part of a text; a different text is printed in full on a new line."""
        if not self._given.begins(text):
            click.echo()
            self._given = SentPrefix()
        click.echo(plain(text[self._given.chars :]), nl=False)
        self._given = SentPrefix.whole(text)
