"""``promptvision doctor`` with LLM hosts: a stub on a loopback socket, asked through the real SDKs."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from PIL import Image

from promptvision.llm.messages import ChatReply
from promptvision.testing.llm_server import Fault, LLMServer, Scripted, call
from promptvision.testing.program import Program

KEY = "sk-0123456789abcdefghijklmnop"
CALLS_AS_ASKED = ChatReply(tool_calls=(call("report_number", {"number": 7}),))


def look(home: Path, url: str, *words: str) -> dict[str, str]:
    """The finding about the planner ``openai``; the key must not be shown anywhere."""
    others = {point.name for point in entry_points(group="promptvision")} - {"promptvision", "openai"}
    variables = {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": url,
        "PROMPTVISION_OPENAI_MODEL": "m1",
        "PROMPTVISION_DISABLED_PLUGINS": ",".join(others),
    }
    ended = Program(home, variables).run("doctor", "--json", *words)
    assert KEY not in ended.out + ended.err
    (found,) = [one for one in json.loads(ended.out)["findings"] if one["check"] == "planner openai"]
    assert ended.code == (found["state"] == "fail")
    return dict(found)


@pytest.mark.parametrize(
    ("models", "answer", "state", "part"),
    [
        (
            ["m1", "m2"],
            CALLS_AS_ASKED,
            "ok",
            "'m1', one of 2 models that the host lists, called a tool as asked",
        ),
        (["m1", "m2"], "Seven.", "fail", "answered without calling"),
        (["m2", "m3"], CALLS_AS_ASKED, "fail", "the host lists m2, m3"),
        (["m1"], Fault.status(401, message=f"Incorrect API key provided: {KEY}"), "fail", "key"),
    ],
)
def test_host_is_asked_for_its_models_and_for_one_call(
    tmp_path: Path, models: list[str], answer: Scripted, state: str, part: str
) -> None:
    with LLMServer([answer], models=models) as server:
        found = look(tmp_path, server.openai_url)
    assert found["state"] == state
    assert part in found["seen"]


def test_offline_asks_no_host(tmp_path: Path) -> None:
    with LLMServer([], models=["m1"]) as server:
        found = look(tmp_path, server.openai_url, "--offline")
        assert found["state"] == "ok"
        assert server.requests == []


def test_host_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    with LLMServer([]) as server:
        url = server.openai_url
    assert look(tmp_path, url)["state"] == "fail"


@pytest.mark.parametrize(
    "fault", [Fault.status(401, message="Incorrect API key provided"), Fault.status(404)]
)
def test_run_says_at_once_that_the_configured_provider_failed(tmp_path: Path, fault: Scripted) -> None:
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    with LLMServer([fault] * 9, models=["m1"]) as server:
        used = {"promptvision", "openai", "bw"}
        others = {point.name for point in entry_points(group="promptvision")} - used
        variables = {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": server.openai_url,
            "PROMPTVISION_OPENAI_MODEL": "m1",
            "PROMPTVISION_DISABLED_PLUGINS": ",".join(others),
        }
        program = Program(tmp_path / "home", variables)
        ended = program.run("run", tmp_path / "red.png", "make it black and white")
    assert ended.code == 3
    assert "openai" in ended.err
    assert "asking offline instead" in ended.err
    assert KEY not in ended.err + str(ended.out)
