"""What the model hubs of the tests share: the answers' form, and a server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["COMMIT", "HubHandler", "describe_file", "describe_repository", "serve"]

COMMIT = "c0ffee" + "0" * 34
"""The one revision of every repository."""


class HubHandler(BaseHTTPRequestHandler):
    """Answers with a body whose length is stated, and logs nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send an answer; ``headers`` replace the length of the body."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def describe_file(name: str, size: int, sha256: str | None) -> dict[str, Any]:
    """One file in the hub's description of a repository; with a digest it is kept in LFS."""
    sibling: dict[str, Any] = {"rfilename": name, "size": size, "blobId": "0" * 40}
    if sha256 is not None:
        sibling["lfs"] = {"sha256": sha256, "size": size, "pointerSize": 134}
    return sibling


def describe_repository(name: str, siblings: list[dict[str, Any]]) -> dict[str, Any]:
    """The hub's description of a repository."""
    return {"_id": "1", "id": name, "sha": COMMIT, "siblings": siblings, "private": False}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Ignore clients that disconnect early: tests kill them."""


@contextmanager
def serve(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on loopback until the block ends; yields the origin."""
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
