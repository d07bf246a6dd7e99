"""Log lines as JSON, with the turn that they belong to."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision import Image, tool
from promptvision.logs import JsonFormatter, current_turn
from promptvision.testing.agents import make_agent

log = logging.getLogger("promptvision.test")


def line_of(message: str, *args: Any, **more: Any) -> dict[str, Any]:
    record = log.makeRecord("promptvision.test", logging.WARNING, __file__, 1, message, args, None, **more)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    line: dict[str, Any] = json.loads(text)
    return line


def test_a_line_has_time_level_logger_and_message() -> None:
    line = line_of("%d of %d", 1, 2)
    assert line.pop("time").endswith("Z")
    assert line == {"level": "warning", "logger": "promptvision.test", "message": "1 of 2"}


@given(st.text())
def test_any_message_is_one_line_that_reads_back(message: str) -> None:
    assert line_of("%s", message)["message"] == message.encode("utf-8", "replace").decode("utf-8")


def test_a_traceback_is_a_member() -> None:
    try:
        raise KeyError("x")
    except KeyError as exc:
        record = log.makeRecord(
            "a", logging.ERROR, __file__, 1, "failed", (), (KeyError, exc, exc.__traceback__)
        )
    assert "KeyError: 'x'" in json.loads(JsonFormatter().format(record))["error"]


def test_lines_of_a_tools_thread_name_their_turn(scene_png: bytes, caplog: pytest.LogCaptureFixture) -> None:
    @tool(phrases=["mirror it"])
    def mirror(image: Image) -> Image:
        """Log from the thread of the tool."""
        log.warning("at work")
        lines.append(line_of("at work"))
        return image

    lines: list[dict[str, Any]] = []
    with make_agent([mirror]) as agent:
        reply = agent.run_sync("mirror it", image=scene_png)
    assert lines[0]["turn_id"] == reply.turn_id
    assert current_turn.get() is None
