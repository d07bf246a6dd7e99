"""Whole turns with the local LLM: on the command line, over HTTP, streamed, cancelled, with little memory."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from promptvision import Agent
from promptvision.plugin import Settings
from promptvision.testing import Program, ServerProcess

PROMPT = "make it black and white"
ANSWER = "img_2 shows the same objects without any colour."
LIMIT_S = 120


def check_turn(document: dict[str, Any]) -> None:
    assert document["planner"] == "transformers_llm"
    assert document["notes"] == []
    assert document["text_response"] == ANSWER
    (step,) = document["steps"]
    assert (step["operation"], step["tool"], step["status"]) == ("convert_to_bw", "tone", "done")
    assert step["result"]["loaded"] == ["ballast"], "the LLM was evicted for the tool"


def test_llm_is_evicted_for_a_tool_and_loaded_again_in_this_process(
    setup: Any, trained: Path, tmp_path: Path
) -> None:
    settings = Settings.from_mapping(setup.with_model(trained, PROMPTVISION_HOME=str(tmp_path)))
    with Agent(settings) as agent:
        reply = agent.run_sync(PROMPT, image=setup.photo)
        check_turn(reply.document())
        assert reply.image is not None
        (loaded,) = agent.services.runtime.pool.loaded()
        assert (loaded.id, loaded.leases) == ("qwen3-0.6b", 0)
        assert agent.run_sync(PROMPT, image=setup.photo).text_response == ANSWER


def test_turn_from_the_command_line(setup: Any, trained: Path, tmp_path: Path) -> None:
    variables = setup.with_model(trained)
    program = Program(tmp_path / "home", variables, path=[setup.plugins])
    ended = program.run("run", setup.photo, PROMPT, "-o", tmp_path / "out.png", "--json", timeout_s=LIMIT_S)
    assert ended.code == 0, ended.err
    check_turn(json.loads(ended.out))
    assert (tmp_path / "out.png").is_file()


@pytest.fixture(scope="module")
def server(recorded: Any, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    variables = recorded.with_model(trained)
    with ServerProcess(tmp_path_factory.mktemp("server"), variables, path=[recorded.plugins]) as running:
        yield running


def body(setup: Any, name: str) -> dict[str, Any]:
    image = "data:image/png;base64," + base64.b64encode(setup.photo.read_bytes()).decode()
    return {"prompt": PROMPT, "prompt_id": name, "conversation_id": name, "input_image_url": image}


def events(response: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))


def test_turn_over_http(server: ServerProcess, setup: Any) -> None:
    answer = httpx.post(f"{server.url}/chat", json=body(setup, "plain"), timeout=LIMIT_S)
    assert answer.status_code == 200, answer.text
    check_turn(answer.json())


def test_turn_is_streamed(server: ServerProcess, setup: Any) -> None:
    pieces, result = [], {}
    with httpx.stream(
        "POST",
        f"{server.url}/chat",
        json=body(setup, "streamed"),
        headers={"Accept": "text/event-stream"},
        timeout=LIMIT_S,
    ) as response:
        for event in events(response):
            if event["type"] == "TEXT_MESSAGE_CONTENT":
                pieces.append(event["delta"])
            elif event["type"] == "RUN_FINISHED":
                result = event["result"]
    check_turn(result)
    assert "".join(pieces) == ANSWER


def test_turn_is_cancelled_in_the_middle_of_its_text(setup: Any, checkpoint: Path, tmp_path: Path) -> None:
    """The untrained model writes hundreds of tokens; the next turn does not wait for their rest."""
    with ServerProcess(tmp_path, setup.with_model(checkpoint), path=[setup.plugins]) as running:
        written, result = _cancel_at_first_text(running.url, body(setup, "cancelled"))
        assert written, "some of the text had come"
        assert result["status"] == "cancelled", result
        again, result = _cancel_at_first_text(running.url, body(setup, "again"))
        assert again
        assert result["status"] == "cancelled", result


def _cancel_at_first_text(url: str, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The text that came, and the reply document."""
    turn_id, written, result = "", "", dict[str, Any]()
    headers = {"Accept": "text/event-stream"}
    with httpx.stream("POST", f"{url}/chat", json=request, headers=headers, timeout=LIMIT_S) as response:
        for event in events(response):
            if event["type"] == "RUN_STARTED":
                turn_id = event["runId"]
            elif event["type"] == "TEXT_MESSAGE_CONTENT":
                if not written:
                    httpx.post(f"{url}/turns/{turn_id}/cancel", timeout=LIMIT_S).raise_for_status()
                written += event["delta"]
            elif event["type"] == "RUN_FINISHED":
                result = event["result"]
    return written, result
