"""Deadlines and limits of client connections, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from promptvision.server.connections import ConnectionLimits, limited_protocol

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Harness:
    """A small app on a free port of loopback."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.release = asyncio.Event()
        self.cut_bodies = 0
        self.protocol = limited_protocol(limits)
        routes = [
            Route("/", self.hello),
            Route("/held", self.held),
            Route("/body", self.body, methods=["POST"]),
            Route("/large", self.large),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), port=0, http=self.protocol, log_config=None, lifespan="off", ws="none"
        )
        self.server = uvicorn.Server(config)
        self.port = 0

    async def hello(self, request: Request) -> Response:
        return PlainTextResponse("hello")

    async def held(self, request: Request) -> Response:
        await self.release.wait()
        return PlainTextResponse("released")

    async def large(self, request: Request) -> Response:
        return PlainTextResponse("x" * 30_000_000)

    async def body(self, request: Request) -> Response:
        try:
            return PlainTextResponse(str(len(await request.body())))
        except ClientDisconnect:
            self.cut_bodies += 1
            raise

    async def connect(
        self, data: bytes = b"", host: str = "127.0.0.1"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(host, 0))
        writer.write(data)
        await writer.drain()
        return reader, writer


@asynccontextmanager
async def running(**limits: Any) -> AsyncIterator[Harness]:
    harness = Harness(ConnectionLimits(**limits))
    serving = asyncio.create_task(harness.server.serve())
    await until(lambda: harness.server.started)
    harness.port = harness.server.servers[0].sockets[0].getsockname()[1]
    try:
        yield harness
    finally:
        harness.release.set()
        harness.server.should_exit = harness.server.force_exit = True
        await serving


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.005)


async def status(reader: asyncio.StreamReader) -> bytes:
    """The status line of a response; empty when the connection was closed without one."""
    try:
        return (await asyncio.wait_for(reader.readline(), 20)).strip()
    except ConnectionError:
        return b""


async def is_closed(reader: asyncio.StreamReader) -> bool:
    with suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 20)
    return True


def test_connection_that_sends_nothing_is_closed() -> None:
    async def run() -> None:
        async with running(head_s=0.1) as harness:
            reader, writer = await harness.connect()
            assert await asyncio.wait_for(reader.read(), 20) == b""
            writer.close()
            assert len(harness.protocol.table) == 0

    asyncio.run(run())


def test_endless_request_head_is_answered_with_408() -> None:
    async def run() -> None:
        async with running(head_s=0.3) as harness:
            reader, writer = await harness.connect(b"GET / HTTP/1.1\r\n")
            reading = asyncio.create_task(status(reader))
            while not reading.done():
                writer.write(b"X: y\r\n")
                await asyncio.sleep(0.02)
            assert b"408" in reading.result()
            writer.close()

    asyncio.run(run())


def test_next_request_on_a_kept_connection_has_the_same_deadline() -> None:
    async def run() -> None:
        async with running(head_s=0.3) as harness:
            reader, writer = await harness.connect(HEAD)
            assert b"200" in await status(reader)
            await reader.readuntil(b"hello")
            writer.write(HEAD[:10])
            assert b"408" in await status(reader)
            writer.close()

    asyncio.run(run())


def test_slow_body_is_cut_and_a_steady_one_is_not() -> None:
    async def run() -> None:
        async with running(body_s=0.3, body_rate=1000) as harness:
            head = b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
            reader, writer = await harness.connect(head % 10)
            assert await is_closed(reader)
            writer.close()
            assert harness.cut_bodies == 1
            reader, writer = await harness.connect(head % 4000)
            for _ in range(20):
                writer.write(b"x" * 200)
                await asyncio.sleep(0.05)
            assert b"200" in await status(reader)
            writer.close()

    asyncio.run(run())


def test_request_in_progress_has_no_deadline() -> None:
    async def run() -> None:
        async with running(head_s=0.05, body_s=0.05) as harness:
            reader, writer = await harness.connect(HEAD.replace(b"GET /", b"GET /held"))
            await asyncio.sleep(0.3)
            harness.release.set()
            assert b"200" in await status(reader)
            writer.close()

    asyncio.run(run())


def test_client_that_does_not_read_is_closed() -> None:
    async def run() -> None:
        async with running(write_s=0.2) as harness:
            _, writer = await harness.connect(HEAD.replace(b"GET /", b"GET /large"))
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await until(lambda: len(harness.protocol.table) == 1)
            await until(lambda: len(harness.protocol.table) == 0)
            writer.close()

    asyncio.run(run())


def test_body_in_a_hundred_thousand_chunks_is_refused() -> None:
    async def run() -> None:
        async with running() as harness:
            head = b"POST /body HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            reader, writer = await harness.connect(head)
            writer.write(b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n")
            assert b"400" in await status(reader) or harness.cut_bodies
            writer.close()
            reader, writer = await harness.connect(head + b"64\r\n" + b"x" * 100 + b"\r\n0\r\n\r\n")
            assert b"200" in await status(reader)
            writer.close()

    asyncio.run(run())


def test_oldest_idle_connection_of_a_peer_is_closed_for_a_new_one() -> None:
    async def run() -> None:
        async with running(per_peer=3) as harness:
            held_reader, held = await harness.connect(HEAD.replace(b"GET /", b"GET /held"))
            waiting = [await harness.connect(b"GET") for _ in range(2)]
            await until(lambda: len(harness.protocol.table) == 3)
            reader, writer = await harness.connect(HEAD)
            assert b"200" in await status(reader), "a client that sends its request at once is served"
            assert await is_closed(waiting[0][0])
            harness.release.set()
            assert b"200" in await status(held_reader), "a request in progress is not cut"
            for one in (held, writer, *(waiter for _, waiter in waiting)):
                one.close()

    asyncio.run(run())


def test_peer_with_only_busy_connections_is_refused_and_others_are_served() -> None:
    async def run() -> None:
        async with running(per_peer=2) as harness:
            held = [await harness.connect(HEAD.replace(b"GET /", b"GET /held")) for _ in range(2)]
            await asyncio.sleep(0.1)
            reader, writer = await harness.connect(HEAD)
            assert b"503" in await status(reader)
            other_reader, other = await harness.connect(HEAD, host="127.0.0.2")
            assert b"200" in await status(other_reader)
            for one in (writer, other, *(holder for _, holder in held)):
                one.close()

    asyncio.run(run())


def test_trusted_proxy_has_no_limit_of_its_own() -> None:
    async def run() -> None:
        async with running(per_peer=1, trusted={"127.0.0.1"}) as harness:
            held = [await harness.connect(HEAD.replace(b"GET /", b"GET /held")) for _ in range(3)]
            await asyncio.sleep(0.1)
            reader, writer = await harness.connect(HEAD)
            assert b"200" in await status(reader)
            for one in (writer, *(holder for _, holder in held)):
                one.close()

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["silent", "head", "body"])
def test_server_still_answers_with_two_thousand_slow_connections(kind: str) -> None:
    data = {
        "silent": b"",
        "head": b"GET / HTTP/1.1\r\nX: ",
        "body": b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
    }[kind]

    async def run() -> None:
        async with running(per_peer=64, total=128) as harness:
            slow: list[asyncio.StreamWriter] = []
            served = 0
            for number in range(2000):
                _, writer = await harness.connect(data, host=f"127.0.0.{2 + number % 4}")
                slow.append(writer)
                if number % 200 == 199:
                    for host in ("127.0.0.1", "127.0.0.2"):
                        reader, client = await harness.connect(HEAD, host=host)
                        served += b"200" in await status(reader)
                        client.close()
                if len(slow) > 300:  # file descriptors of this process; the server has closed these
                    slow.pop(0).close()
            assert len(harness.protocol.table) <= 128
            assert served == 20
            for writer in slow:
                writer.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
)
def test_request_that_cannot_be_parsed_gets_a_problem_document(request_bytes: bytes) -> None:
    async def run() -> bytes:
        async with running() as site:
            reader, writer = await site.connect(request_bytes)
            received = await asyncio.wait_for(reader.read(), 20)
            writer.close()
            return received

    head, _, body = asyncio.run(run()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"x-content-type-options: nosniff" in head
    assert json.loads(body)["status"] == 400
