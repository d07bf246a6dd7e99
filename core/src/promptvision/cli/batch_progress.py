"""The progress of a batch on stderr: a bar with the time left on a terminal, else one line per image."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from promptvision.cli.output import is_live, plain, say

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["BatchProgress"]


class BatchProgress:
    """A context manager that shows the progress of a batch.

    Args:
        total: number of images to run.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._ended = 0
        self._began = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if is_live():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.description}", markup=False),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=self._total)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, name: str, message: str, *, is_done: bool) -> None:
        """Show that one image has ended; on a terminal only failures get their own line."""
        self._ended += 1
        outcome = "done" if is_done else f"failed - {' '.join(message.split())}"
        if self._bar is None or self._task is None:
            say(f"  {self._ended}/{self._total} {name}: {outcome}{self._left()}")
            return
        self._bar.update(self._task, advance=1, description=plain(name))
        if not is_done:
            self.note(f"{name}: {outcome}")

    def note(self, text: str) -> None:
        """Show a line above the bar."""
        if self._bar is None:
            say(f"  {text}")
        else:
            self._bar.console.print(f"  {plain(text)}", markup=False, highlight=False)

    def _left(self) -> str:
        """The remaining time, estimated from the mean time per image."""
        count = self._total - self._ended
        if not count:
            return ""
        seconds = (time.monotonic() - self._began) / self._ended * count
        minutes, seconds = divmod(round(seconds), 60)
        return f", about {minutes}:{seconds:02} left"
