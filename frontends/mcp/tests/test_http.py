"""Streamable HTTP at ``/mcp`` of the server, behind its API keys."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_agents import MODES, data_uri, scene, text_of

from promptvision.testing import ServerProcess

KEYS = {"alice": "key-of-alice", "bob": "key-of-bob"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    keys = ",".join(f"{user}:{key}" for user, key in KEYS.items())
    variables = {"PROMPTVISION_API_KEYS": keys, "OMP_NUM_THREADS": "1"}
    with ServerProcess(tmp_path_factory.mktemp("server"), variables) as process:
        yield process


@asynccontextmanager
async def connect(server: ServerProcess, user: str, mode: str = "auto") -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {KEYS[user]}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(f"{server.url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.mark.parametrize("mode", MODES)
def test_call_with_progress_and_an_image_result(mode: str, server: ServerProcess) -> None:
    seen: list[str] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append(message or "")

    async def check() -> None:
        async with connect(server, "alice", mode) as client:
            assert "convert_to_bw" in [tool.name for tool in (await client.list_tools()).tools]
            result = await client.call_tool(
                "convert_to_bw", {"image_url": data_uri(scene())}, progress_callback=note
            )
            assert [block.type for block in result.content] == ["text", "image", "resource_link"]

    asyncio.run(check())
    assert seen == ["step 1: convert_to_bw", "step 1: convert_to_bw done"]


@pytest.mark.parametrize("mode", MODES)
def test_keys_cannot_access_each_others_data(mode: str, server: ServerProcess) -> None:
    async def check() -> None:
        async with connect(server, "alice", mode) as alice, connect(server, "bob", mode) as bob:
            image = data_uri(scene(33 if mode == "auto" else 34))
            made = await alice.call_tool("convert_to_bw", {"image_url": image})
            uri = made.structured_content["images"][0]["uri"]
            assert (await bob.call_tool("list_images", {})).structured_content["images"] == []
            assert (await bob.list_resources()).resources == []
            with pytest.raises(MCPError, match="no such image"):
                await bob.read_resource(uri)
            for name, arguments in (("convert_to_bw", {"image_url": uri}), ("get_image", {"image": "img_1"})):
                refused = await bob.call_tool(name, arguments)
                assert refused.is_error
                assert "no " in text_of(refused)
            assert (await alice.read_resource(uri)).contents

    asyncio.run(check())


def test_session_of_one_key_is_unknown_to_another(server: ServerProcess) -> None:
    def post(user: str, body: dict[str, object], **headers: str) -> httpx.Response:
        authorization = {"Authorization": f"Bearer {KEYS[user]}"}
        return httpx.post(
            f"{server.url}/mcp", json=body, headers={**ACCEPT, **authorization, **headers}, timeout=30
        )

    opened = post("alice", INITIALIZE)
    assert opened.status_code == 200
    session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
    listing: dict[str, object] = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    assert post("alice", listing, **session).status_code == 200
    assert post("bob", listing, **session).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("key", [None, "Bearer nothing", "Basic key-of-alice", "Bearer"])
def test_no_request_passes_without_a_key(method: str, key: str | None, server: ServerProcess) -> None:
    headers = {**ACCEPT, **({} if key is None else {"Authorization": key})}
    answer = httpx.request(
        method, f"{server.url}/mcp", json=INITIALIZE if method == "POST" else None, headers=headers
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_hostile_bodies_are_answered_with_an_error(server: ServerProcess) -> None:
    headers = {**ACCEPT, "Authorization": "Bearer key-of-alice", "Content-Type": "application/json"}
    bodies = [b"", b"{", b"[]", b"null", b'{"jsonrpc": "2.0"}', b"\xff\xfe", b"[" * 5000, b'{"id": 1}']
    for body in bodies:
        answer = httpx.post(f"{server.url}/mcp", content=body, headers=headers)
        assert 400 <= answer.status_code < 500, (body[:20], answer.status_code, answer.text)
        assert "Traceback" not in answer.text
    huge = httpx.post(f"{server.url}/mcp", content=b"x" * (26 * 2**20), headers=headers)
    assert huge.status_code == 413


def test_pages_of_other_sites_and_other_host_names_are_refused(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, {"OMP_NUM_THREADS": "1"}) as server:
        url = f"{server.url}/mcp"
        assert httpx.post(url, json=INITIALIZE, headers=ACCEPT).status_code == 200
        foreign = {**ACCEPT, "Origin": "http://evil.example"}
        assert httpx.post(url, json=INITIALIZE, headers=foreign).status_code == 403
        rebound = {**ACCEPT, "Host": "evil.example"}
        assert httpx.post(url, json=INITIALIZE, headers=rebound).status_code == 421


def test_mcp_over_http_as_a_command(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from promptvision.cli.main import main; main()"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PROMPTVISION_HOME": str(tmp_path)}
    with subprocess.Popen(
        [*command, "mcp", "--http", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(r"MCP serves on (http://\S+/mcp)", line):
                break

        async def names() -> list[str]:
            async with Client(found[1]) as client:  # type: ignore[index]
                return [tool.name for tool in (await client.list_tools()).tools]

        try:
            assert "do" in asyncio.run(names())
        finally:
            process.terminate()
            process.communicate(timeout=60)


def test_json_of_very_many_members_is_refused_before_it_is_parsed(server: ServerProcess) -> None:
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"x": [' + b"1," * 60_000 + b"1]}}"
    headers = {
        **ACCEPT,
        "Authorization": f"Bearer {KEYS['alice']}",
        "Content-Type": "application/json",
    }
    response = httpx.post(f"{server.url}/mcp", content=body, headers=headers)
    assert response.status_code == 400
    assert "members" in response.json()["error"]


def test_client_that_leaves_in_mid_request_leaves_no_traceback(server: ServerProcess) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    head = f"POST /mcp HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEYS['alice']}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    with socket.create_connection((host, int(port))) as client:
        client.sendall(head.encode())
    assert httpx.get(f"{server.url}/health").status_code == 200
    assert "ClientDisconnect" not in server.log
