"""A model hub on loopback that breaks off, fails and declares wrong sizes and digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.settings import Settings
from promptvision.testing.hub_server import (
    COMMIT,
    HubHandler,
    describe_file,
    describe_repository,
    serve,
)

__all__ = ["BIG", "COMMIT", "SPEC", "FaultyHub", "faulty_hub", "hub_settings", "sha256", "silent"]

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
        siblings = [
            describe_file(name, self.sizes.get(name, len(data)), self._digest(name, data))
            for name, data in self.files.items()
        ]
        return describe_repository("owner/name", siblings)

    def _digest(self, name: str, data: bytes) -> str | None:
        is_in_lfs = name.endswith((".safetensors", ".bin"))
        return self.lfs.get(name, sha256(data)) if is_in_lfs else None

    def ranges(self) -> list[str | None]:
        """The ranges that were requested of the safetensors file; None for the whole of it."""
        return [headers.get("Range") for path, headers in self.asked if "safetensors" in path]


class _Handler(HubHandler):
    hub: FaultyHub

    def do_GET(self) -> None:  # noqa: N802  # http.server calls it by this name
        hub = self.hub
        hub.asked.append((self.path, {name.title(): value for name, value in self.headers.items()}))
        if hub.statuses and "/resolve/" in self.path:
            self.send(hub.statuses.pop(0), b"")
        elif self.path.startswith("/api/models/owner/name/"):
            self.send(200, json.dumps(hub.listing()).encode(), {"Content-Type": "application/json"})
        elif self.path.startswith(f"/owner/name/resolve/{COMMIT}/"):
            self.send(302, b"", {"Location": (hub.redirect or hub.url) + "/cdn/" + self._file()})
        elif self.path.startswith("/cdn/") and self._file() in hub.files:
            self._send_file(hub.files[self._file()])
        else:
            self.send(404, b"", {"X-Error-Code": "RepoNotFound"})

    def _file(self) -> str:
        return self.path.split("/cdn/")[-1].split(f"/{COMMIT}/")[-1]

    def _send_file(self, data: bytes) -> None:
        headers = {"ETag": self.hub.etag} if self.hub.etag else {}
        span = self.headers.get("Range")
        changed = self.headers.get("If-Range") not in (None, self.hub.etag)
        status = 200
        if span and self.hub.has_ranges and not changed:
            begin = int(span.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(data):
                self.send(416, b"")
                return
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
            status, data = 206, data[begin:]
        if self.hub.cuts:
            self.close_connection = True
            cut = self.hub.cuts.pop(0)
            self.send(status, data[:cut], {**headers, "Content-Length": str(len(data))})
        else:
            self.send(status, data, headers)


@contextmanager
def faulty_hub() -> Iterator[FaultyHub]:
    """Serve a hub on loopback while the context is open."""
    hub = FaultyHub()
    with serve(type("BoundHandler", (_Handler,), {"hub": hub})) as hub.url:
        yield hub


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
