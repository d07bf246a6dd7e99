"""Log lines as JSON, with the turn that they belong to."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision import Image, tool
from promptvision.logs import JsonFormatter, current_turn
from promptvision.testing.agents import make_agent
from promptvision.testing.program import Program
from promptvision.testing.server import ServerProcess

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


def test_server_logs_json_with_the_turn_of_a_tool_that_failed(program: Program, scene_url: str) -> None:
    variables = {**program.environment, "PROMPTVISION_LOG_FORMAT": "json"}
    with ServerProcess(program.home, variables, path=[Path(program.environment["PYTHONPATH"])]) as server:
        body = {"prompt": "break it", "prompt_id": "p", "conversation_id": "c", "input_image_url": scene_url}
        reply = httpx.post(f"{server.url}/chat?key=secret", json=body, timeout=60).json()
        assert reply["status"] == "failed"
        server.terminate()
        written = server.log.splitlines()  # read once: more may follow until the process has ended
        lines = [json.loads(line) for line in written if line.startswith("{")]
        assert len(lines) >= len(written) - 1, "all but the URL that it serves on"
    failed = next(line for line in lines if "break_it" in line["message"])
    assert failed["turn_id"] == reply["turn_id"]
    assert "ZeroDivisionError" in failed["error"]
    assert any("POST /chat" in line["message"] for line in lines)
    assert "secret" not in server.log
