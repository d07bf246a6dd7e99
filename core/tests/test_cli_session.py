"""The line about what is running, drawn on a terminal and nowhere else."""

from __future__ import annotations

import asyncio
import re

import pytest

from promptvision.agent.turns.live_reply import LiveReply
from promptvision.cli import session
from promptvision.cli.session import StepPrinter
from promptvision.conversations.turn import Event, EventKind

START = Event(
    seq=1, kind=EventKind.STEP_STARTED, data={"step": 1, "operation": "detect_objects", "tool": "dino"}
)


class Running:
    """What a printer reads of a turn."""

    def __init__(self) -> None:
        self.listeners: list[object] = []
        self.progress_listeners: list[object] = []
        self.live_reply = LiveReply()


def watch(printer: StepPrinter, seconds: float = 0.1) -> None:
    async def main() -> None:
        printer.watch(Running())  # type: ignore[arg-type]
        await asyncio.sleep(seconds)
        printer.event(START)
        await asyncio.sleep(seconds)
        printer.clear()

    asyncio.run(main())


def test_spinner_names_the_planner_until_a_step_begins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session, "is_live", lambda: True)
    monkeypatch.setattr(session, "FRAME_S", 0.005)
    watch(StepPrinter("groq"))
    drawn = capsys.readouterr().err
    frames = re.findall(r"\x1b\[2K  (.) asking groq \.\.\.", drawn)
    assert frames[:5] == ["|", "/", "-", "\\", "|"]
    after = drawn.partition("detect_objects (dino) ...")[2]
    assert "asking" not in after
    assert after.endswith("\r\x1b[2K")


def test_nothing_is_drawn_where_lines_cannot_be_drawn_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(session, "is_live", lambda: False)
    watch(StepPrinter("groq"), 0.02)
    assert capsys.readouterr().err == ""
