"""Limits on request bodies: their size, the parts of JSON, and the bytes held at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from promptvision.agent.agent import Agent
from promptvision.server.bodies import SMALL_BODY
from promptvision.server.body_limit import MAX_TOKENS, BodyLimit, BodyRoom
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool

Serve = Callable[[Agent], TestClient]
Body = Callable[..., dict[str, Any]]

JSON = {b"content-type": b"application/json"}


async def no_send(message: Message) -> None:
    raise AssertionError(message)


def test_content_length_with_transfer_encoding_is_refused() -> None:
    sink = Sink(answers_first=False)
    sent = drive(BodyLimit(sink, 100), [1], {b"content-length": b"1", b"transfer-encoding": b"chunked"})
    assert sent[0]["status"] == 400
    assert sink.read == 0


def test_body_in_many_small_parts_does_not_block_the_event_loop() -> None:
    class Counting:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            while (await receive())["more_body"]:
                pass

    async def both() -> int:
        turns, left = 0, 100_000

        async def receive() -> Message:
            nonlocal left
            left -= 1
            return {"type": "http.request", "body": b"x", "more_body": left > 0}

        reading = asyncio.create_task(
            BodyLimit(Counting())({"type": "http", "headers": []}, receive, no_send)
        )
        while not reading.done():
            turns += 1
            await asyncio.sleep(0)
        await reading
        return turns

    assert asyncio.run(both()) > 1000


def pieces(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b"x" * 2**20


def test_body_of_undeclared_length_is_cut(serve: Serve, tools: list[Tool]) -> None:
    headers = {"Content-Type": "application/json"}
    response = serve(make_agent(tools)).post("/chat", content=pieces(30), headers=headers)
    assert response.status_code == 413
    assert response.headers["connection"] == "close"


class Sink:
    """An app that reads a body to its end, or answers before it reads any."""

    def __init__(self, *, answers_first: bool) -> None:
        self.answers_first = answers_first
        self.read = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.answers_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise OSError("the caller left")
            self.read += len(message["body"])
            if not message["more_body"]:
                return


def drive(app: BodyLimit, sizes: list[int], headers: dict[bytes, bytes], fill: bytes = b"x") -> list[Message]:
    sent: list[Message] = []
    waiting = list(sizes)

    async def receive() -> Message:
        size = waiting.pop(0)
        return {"type": "http.request", "body": fill * size, "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app({"type": "http", "headers": list(headers.items())}, receive, send))
    return sent


def test_declared_length_is_judged_before_anything_is_read() -> None:
    sink = Sink(answers_first=False)
    sent = drive(BodyLimit(sink, 100), [101], {b"content-length": b"101"})
    assert sent[0]["status"] == 413
    assert sink.read == 0


def test_streamed_length_is_judged_as_it_comes() -> None:
    sink = Sink(answers_first=False)
    sent = drive(BodyLimit(sink, 100), [60, 40, 1, 10**9], {})
    assert sent[0]["status"] == 413
    assert sink.read == 100


def test_limit_itself_is_allowed_and_a_wrong_content_length_is_detected() -> None:
    assert drive(BodyLimit(Sink(answers_first=False), 100), [60, 40], {}) == []
    sent = drive(BodyLimit(Sink(answers_first=False), 100), [101], {b"content-length": b"5"})
    assert sent[0]["status"] == 413


def test_answer_that_has_begun_is_not_followed_by_another() -> None:
    sent = drive(BodyLimit(Sink(answers_first=True), 100), [101], {})
    assert [message["type"] for message in sent] == ["http.response.start"]


def test_json_of_too_many_parts_is_refused_wherever_it_is_parsed() -> None:
    size = SMALL_BODY + 1
    sink = Sink(answers_first=False)
    sent = drive(BodyLimit(sink), [size] * 4, JSON, fill=b",")
    assert sent[0]["status"] == 400
    assert b"members" in sent[1]["body"]
    assert sink.read < MAX_TOKENS + size
    for headers in ({}, {b"content-type": b"image/png"}):
        assert drive(BodyLimit(Sink(answers_first=False)), [size] * 4, headers, fill=b",") == []
    assert drive(BodyLimit(Sink(answers_first=False)), [SMALL_BODY], JSON, fill=b",") == []


def test_large_bodies_of_one_user_leave_room_for_the_next_user() -> None:
    size = 2**20

    async def run() -> dict[str, list[int]]:
        release, statuses = asyncio.Event(), dict[str, list[int]]()

        async def hold(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await release.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def body() -> Message:
            return {"type": "http.request", "body": b"x" * size, "more_body": False}

        limit = BodyLimit(hold, room=BodyRoom(8 * size), user=lambda scope: scope["user"])

        async def ask(user: str, *, is_declared: bool) -> None:
            async def send(message: Message) -> None:
                if "status" in message:
                    statuses.setdefault(user, []).append(message["status"])

            headers = [(b"content-length", str(size).encode())] if is_declared else []
            await limit({"type": "http", "headers": headers, "user": user}, body, send)

        users = [("ann", True)] * 6 + [("bob", False)] * 4 + [("cleo", True)] * 2
        asking = [asyncio.create_task(ask(user, is_declared=declared)) for user, declared in users]
        await asyncio.sleep(0.01)
        release.set()
        await asyncio.gather(*asking)
        await asyncio.gather(*[ask("ann", is_declared=True) for _ in range(4)])
        return statuses

    statuses = asyncio.run(run())
    assert statuses["ann"] == [429] * 2 + [200] * 8
    assert sorted(statuses["bob"]) == [200] * 2 + [429] * 2
    assert statuses["cleo"] == [429, 200]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 60), st.booleans()), max_size=30))
def test_room_is_never_exceeded_and_comes_back(steps: list[tuple[str, int, bool]]) -> None:
    room, held = BodyRoom(100), list[tuple[str, int]]()
    for user, size, is_kept in steps:
        if room.take(user, size):
            held.append((user, size))
        assert sum(taken for _, taken in held) <= 100
        if held and not is_kept:
            room.release(*held.pop(0))
    for user, size in held:
        room.release(user, size)
    assert room.take("d", 50)
    assert not room.take("d", 1)


@pytest.mark.parametrize("path", ["/chat", "/batches", "/images", "/tools/convert_to_bw"])
def test_unknown_key_is_refused_before_the_body_is_read(serve: Serve, tools: list[Tool], path: str) -> None:
    agent = make_agent(tools, settings=Settings.from_mapping({"PROMPTVISION_API_KEYS": "a:k"}))
    app = serve(agent).app
    read = 0

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def run() -> list[Message]:
        sent = list[Message]()

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"x"), (b"content-type", b"application/json")],
        }
        await app(scope, receive, send)
        return sent

    assert asyncio.run(run())[0]["status"] == 401
    assert read == 0
