"""A model hub on loopback that breaks off, fails and declares wrong sizes and digests."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.settings import Settings

__all__ = ["BIG", "COMMIT", "SPEC", "FaultyHub", "faulty_hub", "hub_settings", "sha256", "silent"]

COMMIT = "c0ffee" + "0" * 34
BIG = bytes(range(256)) * 20_000


def sha256(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


@dataclass
class FaultyHub:
    """What the server has, how it fails, and what it was asked for.

    Args:
        files: name to content.
        cuts: each ends one answer after so many bytes.
        statuses: each replaces one answer for a file.
        etag: the ETag of each file; None sends none.
        has_ranges: whether ranges are served.
        redirect: origin that downloads are redirected to; default: this server.
        lfs: name to the declared SHA-256, where it differs from the real one.
        sizes: name to the declared size, where it differs from the real one.
        asked: path and headers of each request.
        url: the server's origin.
    """

    files: dict[str, bytes] = field(
        default_factory=lambda: {
            "config.json": b"{}",
            "model.safetensors": BIG,
            "pytorch_model.bin": b"pickle",
        }
    )
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    etag: str | None = '"one"'
    has_ranges: bool = True
    redirect: str = ""
    lfs: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def listing(self) -> dict[str, Any]:
        """The hub's description of the repository."""
        siblings = [self._sibling(name, data) for name, data in self.files.items()]
        return {"_id": "1", "id": "owner/name", "sha": COMMIT, "siblings": siblings, "private": False}

    def _sibling(self, name: str, data: bytes) -> dict[str, Any]:
        size = self.sizes.get(name, len(data))
        sibling: dict[str, Any] = {"rfilename": name, "size": size, "blobId": "0" * 40}
        if name.endswith((".safetensors", ".bin")):
            digest = self.lfs.get(name, sha256(data))
            sibling["lfs"] = {"sha256": digest, "size": size, "pointerSize": 134}
        return sibling

    def ranges(self) -> list[str | None]:
        """The ranges that were requested of the safetensors file; None for the whole of it."""
        return [headers.get("Range") for path, headers in self.asked if "safetensors" in path]


class _Handler(BaseHTTPRequestHandler):
    hub: FaultyHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        hub = self.hub
        hub.asked.append((self.path, {name.title(): value for name, value in self.headers.items()}))
        if hub.statuses and "/resolve/" in self.path:
            self._send(hub.statuses.pop(0), b"")
        elif self.path.startswith("/api/models/owner/name/"):
            self._send(200, json.dumps(hub.listing()).encode(), {"Content-Type": "application/json"})
        elif self.path.startswith(f"/owner/name/resolve/{COMMIT}/"):
            self._send(302, b"", {"Location": (hub.redirect or hub.url) + "/cdn/" + self._file()})
        elif self.path.startswith("/cdn/") and self._file() in hub.files:
            self._send_file(hub.files[self._file()])
        else:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})

    def _file(self) -> str:
        return self.path.split("/cdn/")[-1].split(f"/{COMMIT}/")[-1]

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, data: bytes) -> None:
        headers = {"ETag": self.hub.etag} if self.hub.etag else {}
        span = self.headers.get("Range")
        changed = self.headers.get("If-Range") not in (None, self.hub.etag)
        status = 200
        if span and self.hub.has_ranges and not changed:
            begin = int(span.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(data):
                self._send(416, b"")
                return
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
            status, data = 206, data[begin:]
        if self.hub.cuts:
            self.close_connection = True
            cut = self.hub.cuts.pop(0)
            self._send(status, data[:cut], {**headers, "Content-Length": str(len(data))})
        else:
            self._send(status, data, headers)


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that goes away in the middle is what these tests are about."""


@contextmanager
def faulty_hub() -> Iterator[FaultyHub]:
    """Serve a hub on loopback while the context is open."""
    hub = FaultyHub()
    handler = type("BoundHandler", (_Handler,), {"hub": hub})
    server = _Server(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hub_settings(home: Path, **variables: str) -> Settings:
    """Settings with a home folder and further variables."""
    return Settings.from_mapping({"PROMPTVISION_HOME": str(home), **variables})


SPEC = ModelSpec(
    id="toy-1.0",
    source="owner/name",
    revision=COMMIT,
    files=(WeightFile("config.json"), WeightFile("*.safetensors")),
    license="Apache-2.0",
    weight_bytes={"float32": 3_000_000_000, "float16": 1_500_000_000},
    plugin="toy",
)


def silent(done: int, total: int, file: str) -> None:
    """A progress callback that does nothing."""
