"""Responses of other hosts that expand in memory, or do not end."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from promptvision.plugin import Message, PlanRequest, ProviderError, Settings, StoreError
from promptvision_groq.provider import create as create_groq
from promptvision_openai.provider import create as create_openai
from promptvision_supabase.client import DatabaseClient

BOMB = gzip.compress(gzip.compress(gzip.compress(bytes(50 * 2**20))))
ASK = PlanRequest(messages=(Message(role="user", content="Where is the lion?"),), timeout_s=20)
CREATE = {"groq": create_groq, "openai": create_openai}


class Host(BaseHTTPRequestHandler):
    """Answers every POST with a compressed body, or with one that does not end."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.accepted.append(self.headers.get("Accept-Encoding"))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if "endless" in self.path:
            self.end_headers()
            write_without_end(self)
            return
        self.send_header("Content-Encoding", "gzip, gzip, gzip")
        self.send_header("Content-Length", str(len(BOMB)))
        self.end_headers()
        self.wfile.write(BOMB)

    def log_message(self, *_: object) -> None:
        """Do not log."""


def write_without_end(handler: Host) -> None:
    try:
        for _ in range(2000):
            handler.wfile.write(b" " * 2**16)
    except OSError:
        return


@pytest.fixture
def host() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.accepted = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def settings_for(name: str, host: ThreadingHTTPServer, path: str) -> Settings:
    prefix = name.upper()
    url = f"http://127.0.0.1:{host.server_port}{path}"
    return Settings.from_mapping(
        {f"{prefix}_API_KEY": "key", f"{prefix}_BASE_URL": url, f"PROMPTVISION_{prefix}_MODEL": "m"}
    )


@pytest.mark.parametrize("name", ["groq", "openai"])
@pytest.mark.parametrize(
    ("path", "reason"),
    [("/bomb", "encoded as 'gzip, gzip, gzip'"), ("/endless", "longer than 16777216 bytes")],
)
def test_language_model_host(name: str, path: str, reason: str, host: ThreadingHTTPServer) -> None:
    provider = CREATE[name](settings_for(name, host, path))

    async def ask() -> None:
        try:
            await provider.complete(ASK)
        finally:
            await provider.close()

    with pytest.raises(ProviderError, match=reason) as raised:
        asyncio.run(ask())
    assert raised.value.kind == "malformed"
    assert not raised.value.retryable
    assert set(host.accepted) == {"identity"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/bomb", "encoded as 'gzip, gzip, gzip'"), ("/endless", "longer than 67108864 bytes")],
)
def test_database(path: str, reason: str, host: ThreadingHTTPServer) -> None:
    client = DatabaseClient(f"http://127.0.0.1:{host.server_port}{path}", "a.b.c")
    try:
        with pytest.raises(StoreError, match=reason):
            client.call("anything")
    finally:
        client.close()
