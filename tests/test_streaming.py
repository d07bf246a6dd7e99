"""Streamed text from a host on loopback, through a real SDK and a server, to its client."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from promptvision.llm.messages import ChatReply
from promptvision.testing.llm_faults import Fault
from promptvision.testing.llm_server import LLMServer, call
from promptvision.testing.llm_wire import chunks, event
from promptvision.testing.program import Program, write_plugin
from promptvision.testing.server import ServerProcess

STREAM = {"Accept": "text/event-stream"}
TEXT = "The lion lies in the tall yellow grass and looks at the sky. "
UNUSED = "florence,grounding_dino,opencv,sam,sdxl_inpaint,tesseract,cloudinary,s3,supabase"

TOOLS = '''
"""A tool for this test."""

from promptvision import hookimpl, tool


@tool()
def look(subject: str) -> str:
    """Look for a subject."""
    return f"{subject} is there"


@hookimpl
def promptvision_tools():
    return [look]
'''

ToolOutcome = tuple[str, dict[str, Any]]
"""The id of an event, empty where it has none, and the event."""


class Held:
    """A reply whose first half comes at once, in small pieces, and whose rest waits for the test.

    Args:
        reply: all of it.
    """

    def __init__(self, reply: ChatReply) -> None:
        self.goes_on = threading.Event()
        self.is_left = threading.Event()
        self._reply = reply
        self.fault = Fault("held", self._respond)

    async def _respond(self, request: Request, body: dict[str, Any]) -> Response:
        assert body["stream"], "a followed turn requests a stream"
        made = [*map(event, chunks(body["model"], self._reply)), event("[DONE]")]

        async def send() -> AsyncIterator[str]:
            try:
                for number, chunk in enumerate(made):
                    if number == len(made) // 2:
                        await asyncio.to_thread(self.goes_on.wait, 10)
                    await asyncio.sleep(0.01)
                    yield chunk
            finally:
                self.is_left.set()

        return StreamingResponse(send(), media_type="text/event-stream")


@pytest.fixture(scope="module")
def host() -> Iterator[LLMServer]:
    with LLMServer() as server:
        yield server


def variables(host: LLMServer, provider: str) -> dict[str, str]:
    other = "openai" if provider == "groq" else "groq"
    return {
        "PROMPTVISION_DISABLED_PLUGINS": f"{UNUSED},{other}",
        "GROQ_API_KEY": "test-key",
        "GROQ_BASE_URL": host.groq_url,
        "OPENAI_API_KEY": "test-key",
        "OPENAI_BASE_URL": host.openai_url,
        "PROMPTVISION_GROQ_MODEL": "stub",
        "PROMPTVISION_OPENAI_MODEL": "stub",
    }


@pytest.fixture(scope="module", params=["groq", "openai"])
def server(
    request: pytest.FixtureRequest, host: LLMServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp(request.param)
    site = write_plugin(folder / "site", "lookout", TOOLS)
    with ServerProcess(folder / "home", variables(host, request.param), path=[site]) as server:
        yield server


def read(response: httpx.Response) -> Iterator[ToolOutcome]:
    place = ""
    for line in response.iter_lines():
        if line.startswith("id: "):
            place = line.removeprefix("id: ")
        elif line.startswith("data: "):
            yield place, json.loads(line.removeprefix("data: "))
            place = ""


def ask(server: ServerProcess, name: str) -> Any:
    ids = {"user_id": "ann", "conversation_id": name, "prompt_id": "p"}
    body = {**ids, "prompt": "where is the lion?"}
    return httpx.stream("POST", f"{server.url}/chat", json=body, headers=STREAM, timeout=20)


def follow(server: ServerProcess, turn_id: str, last: str = "") -> list[ToolOutcome]:
    headers = {"Last-Event-ID": last} if last else {}
    url = f"{server.url}/turns/{turn_id}/events?user_id=ann"
    with httpx.stream("GET", url, headers=headers, timeout=20) as response:
        assert response.status_code == 200
        return list(read(response))


def messages(received: list[ToolOutcome]) -> dict[str, str]:
    """Texts by message id; every message is begun once, and ended before the next and before the run."""
    texts: dict[str, str] = {}
    now: str | None = None
    for _, one in received:
        match one["type"]:
            case "TEXT_MESSAGE_START":
                assert now is None
                assert one["messageId"] not in texts
                now = one["messageId"]
                texts[now] = ""
            case "TEXT_MESSAGE_CONTENT":
                assert one["messageId"] == now
                assert one["delta"]
                texts[one["messageId"]] += one["delta"]
            case "TEXT_MESSAGE_END":
                assert one["messageId"] == now
                now = None
            case "RUN_FINISHED" | "RUN_ERROR":
                assert now is None
    return texts


def others(received: list[ToolOutcome]) -> list[ToolOutcome]:
    return [(place, one) for place, one in received if not one["type"].startswith("TEXT_")]


def pieces(received: list[ToolOutcome]) -> list[str]:
    return [one["delta"] for _, one in received if one["type"] == "TEXT_MESSAGE_CONTENT"]


def up_to_text(events: Iterator[ToolOutcome]) -> list[ToolOutcome]:
    """Events up to the first piece of text."""
    received = []
    for one in events:
        received.append(one)
        if one[1]["type"] == "TEXT_MESSAGE_CONTENT":
            break
    return received


def test_text_is_streamed_while_the_model_generates(host: LLMServer, server: ServerProcess) -> None:
    held = Held(ChatReply(text=TEXT * 4))
    host.reset([held.fault])
    with ask(server, "speaks") as response:
        events = read(response)
        received = up_to_text(events)
        assert not held.goes_on.is_set()
        held.goes_on.set()
        began = time.monotonic()
        received += list(events)
        took_s = time.monotonic() - began
    assert 4 <= len(pieces(received)) <= 20 * (took_s + 1), "not one for each of the host's 40"
    assert received[-1][1]["result"]["text_response"] == TEXT * 4
    replayed = follow(server, received[0][1]["runId"])
    assert messages(received) == messages(replayed)
    assert list(messages(received).values()) == [TEXT * 4]
    assert len(pieces(replayed)) == 1
    assert others(received) == others(replayed)


@pytest.mark.parametrize("comes_back", ["meanwhile", "afterwards"])
def test_client_that_reconnects_during_a_reply_misses_and_repeats_no_text(
    host: LLMServer, server: ServerProcess, comes_back: str
) -> None:
    held = Held(ChatReply(text=TEXT * 3))
    host.reset([held.fault])
    with ask(server, comes_back) as response:
        first = up_to_text(read(response))
    turn_id, last = first[0][1]["runId"], first[-1][0]
    if comes_back == "afterwards":
        held.goes_on.set()
        follow(server, turn_id)
    else:
        threading.Timer(0.1, held.goes_on.set).start()
    rest = follow(server, turn_id, last)
    assert "TEXT_MESSAGE_START" not in [one["type"] for _, one in rest]
    replayed = follow(server, turn_id)
    assert messages([*first, *rest]) == messages(replayed)
    assert others([*first, *rest]) == others(replayed)


def test_cut_stream_continues_the_same_message_if_the_text_is_equal(
    host: LLMServer, server: ServerProcess
) -> None:
    host.reset([Fault.cut("The lion lies"), TEXT])
    with ask(server, "cut") as response:
        received = list(read(response))
    host.assert_used_up()
    assert list(messages(received).values()) == [TEXT]
    assert messages(received) == messages(follow(server, received[0][1]["runId"]))


@pytest.mark.parametrize("fault", [Fault.cut, Fault.aborted])
def test_cut_stream_ends_with_the_right_text(host: LLMServer, server: ServerProcess, fault: Any) -> None:
    host.reset([fault("A tiger"), TEXT])
    with ask(server, f"broken-{fault.__name__}") as response:
        received = list(read(response))
    host.assert_used_up()
    *broken, (name, text) = messages(received).items()
    assert text == TEXT
    assert [begun for _, begun in broken] in ([], ["A tiger"])
    ((whole, replayed),) = messages(follow(server, received[0][1]["runId"])).items()
    assert replayed == TEXT
    assert name.startswith(whole)


def test_text_before_a_call_is_streamed(host: LLMServer, server: ServerProcess) -> None:
    held = Held(ChatReply(text=TEXT, tool_calls=(call("look", {"subject": "lion"}),)))
    host.reset([held.fault, "There it is."])
    with ask(server, "call") as response:
        events = read(response)
        received = up_to_text(events)
        held.goes_on.set()
        received += list(events)
    assert list(messages(received).values()) == [TEXT, "There it is."]
    kinds = [one["type"] for _, one in received]
    assert kinds.index("TEXT_MESSAGE_END") < kinds.index("TOOL_CALL_START")
    replayed = follow(server, received[0][1]["runId"])
    assert messages(received) == messages(replayed)
    assert others(received) == others(replayed)


def test_cancel_during_a_reply_stops_at_once_and_closes_the_connection(
    host: LLMServer, server: ServerProcess
) -> None:
    held = Held(ChatReply(text=TEXT))
    host.reset([held.fault])
    with ask(server, "cancel") as response:
        events = read(response)
        received = up_to_text(events)
        turn_id = received[0][1]["runId"]
        began = time.monotonic()
        assert httpx.post(f"{server.url}/turns/{turn_id}/cancel?user_id=ann").status_code == 202
        received += list(events)
        assert time.monotonic() - began < 2
    assert held.is_left.wait(2)
    held.goes_on.set()
    assert received[-1][1]["outcome"] == {"type": "cancelled"}
    half, stopped = messages(received).values()
    assert TEXT.startswith(half)
    assert stopped.startswith("I stopped: cancelled by the user")
    assert list(messages(follow(server, turn_id)).values()) == [stopped]


def test_unfollowed_turn_requests_whole_replies(host: LLMServer, server: ServerProcess) -> None:
    host.reset([TEXT])
    body = {"user_id": "ann", "conversation_id": "quiet", "prompt_id": "p", "prompt": "where is the lion?"}
    reply = httpx.post(f"{server.url}/chat", json=body, timeout=20).json()
    assert reply["text_response"] == TEXT
    assert "stream" not in host.bodies[0]


@pytest.fixture
def program(host: LLMServer, tmp_path: Path) -> Program:
    site = write_plugin(tmp_path / "site", "lookout", TOOLS)
    return Program(tmp_path / "home", variables(host, "openai"), path=[site])


def test_jsonl_streams_text(host: LLMServer, program: Program, lion_file: Path) -> None:
    held = Held(ChatReply(text=TEXT * 2))
    host.reset([held.fault])
    running = program.start("run", lion_file, "where is the lion?", "--jsonl")
    assert running.stdout is not None
    with running:
        received = up_to_text(("", json.loads(line)) for line in running.stdout)
        held.goes_on.set()
        received += [("", json.loads(line)) for line in running.stdout]
    assert running.returncode == 0
    assert list(messages(received).values()) == [TEXT * 2]
    assert len(pieces(received)) > 1


def test_chat_shows_the_answer_as_it_comes(host: LLMServer, program: Program) -> None:
    held = Held(ChatReply(text=TEXT))
    host.reset([held.fault, "Good bye."])
    with program.at_terminal("chat") as terminal:
        terminal.wait_for("> ")
        terminal.type("where is the lion?\n")
        terminal.wait_for("The lion lies")
        held.goes_on.set()
        terminal.wait_for("looks at the sky.")
        terminal.wait_for("> ")
        terminal.type("bye\n")
        terminal.wait_for("Good bye.")
        terminal.wait_for("> ")
        assert terminal.seen.count("The lion lies") == 1
        assert terminal.seen.count("Good bye.") == 1
        terminal.type("\x04")
        assert terminal.end() == 0


def test_chat_through_a_pipe_asks_for_whole_replies(host: LLMServer, program: Program) -> None:
    host.reset([TEXT])
    ended = program.run("chat", given=b"where is the lion?\n")
    assert ended.out == f"{TEXT}\n"
    assert "stream" not in host.bodies[0]


@pytest.fixture
def lion_file(tmp_path: Path) -> Path:
    from PIL import Image

    file = tmp_path / "lion.png"
    Image.new("RGB", (60, 40), "goldenrod").save(file)
    return file
