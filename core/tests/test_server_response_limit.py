"""Large responses: sent in pieces, and a bounded number of bytes at once."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from promptvision.errors import Busy
from promptvision.server.body_limit import BodyRoom
from promptvision.server.response_limit import LARGE_RESPONSE, PIECE, ResponseLimit, hold_response


async def no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 3 * PIECE])
def test_body_arrives_whole_in_small_pieces(size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    limit = ResponseLimit(Response(body[:size]))
    asyncio.run(limit({"type": "http", "headers": []}, no_body, send))
    pieces = [message["body"] for message in sent[1:]]
    assert b"".join(pieces) == body[:size]
    assert all(len(piece) <= PIECE for piece in pieces)
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(pieces) - 1) + [False]


def test_slow_readers_of_one_user_leave_room_for_the_next_user() -> None:
    async def run() -> dict[str, list[int]]:
        read, statuses = asyncio.Event(), dict[str, list[int]]()

        async def ask(user: str) -> None:
            async def send(message: Message) -> None:
                if "status" in message:
                    statuses.setdefault(user, []).append(message["status"])
                else:
                    await read.wait()

            await limit({"type": "http", "headers": [], "user": user}, no_body, send)

        room = BodyRoom(8 * LARGE_RESPONSE)
        limit = ResponseLimit(Response(bytes(LARGE_RESPONSE)), room=room, user=lambda scope: scope["user"])
        asking = [asyncio.create_task(ask(user)) for user in ["ann"] * 6 + ["bob"] * 3]
        await asyncio.sleep(0.01)
        read.set()
        await asyncio.gather(*asking)
        await asyncio.gather(*[ask("ann") for _ in range(4)])
        return statuses

    statuses = asyncio.run(run())
    assert statuses["ann"] == [200] * 4 + [429] * 2 + [200] * 4
    assert statuses["bob"] == [200] * 2 + [429]


def test_small_and_streamed_responses_take_no_room() -> None:
    sent: list[Message] = []

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(LARGE_RESPONSE), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(ResponseLimit(stream, room=BodyRoom(0))({"type": "http", "headers": []}, no_body, send))
    assert sum(len(message.get("body", b"")) for message in sent) == LARGE_RESPONSE
    assert not sent[-1]["more_body"]


def test_room_is_taken_before_an_image_is_read() -> None:
    statuses: list[int] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        with pytest.raises(Busy):
            hold_response(request, 5 * LARGE_RESPONSE)
        hold_response(request, 2 * LARGE_RESPONSE)
        await Response(bytes(2 * LARGE_RESPONSE))(scope, receive, send)

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    limit = ResponseLimit(answer, room=BodyRoom(4 * LARGE_RESPONSE))
    for _ in range(2):
        asyncio.run(limit({"type": "http", "headers": []}, no_body, send))
    assert [status for status in statuses if status] == [200, 200]
    hold_response(Request({"type": "http", "headers": []}), 100 * LARGE_RESPONSE)
