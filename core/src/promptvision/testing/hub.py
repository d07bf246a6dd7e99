"""A model hub on loopback that serves folders as repositories and can hold its answers back."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from promptvision.testing.hub_server import (
    COMMIT,
    HubHandler,
    describe_file,
    describe_repository,
    serve,
)

__all__ = ["LocalHub", "local_hub"]

_PIECE = 64 * 1024
_PATH = re.compile(r"/(?:api/models/)?(?P<repo>[\w.-]+/[\w.-]+)/(?P<rest>.*)")


@dataclass
class LocalHub:
    """Repositories by name, each a folder, and what was asked for.

    Args:
        repositories: ``owner/name`` to folder.
        renames: file of the repository to the file of the folder that is served for it.
        hold_after: bytes of a file after which its answer waits until :attr:`is_open` is set.
    """

    repositories: Mapping[str, Path]
    renames: Mapping[str, str] = field(default_factory=dict)
    hold_after: int | None = None
    url: str = ""
    served: int = 0
    ranges: list[str] = field(default_factory=list)
    is_open: threading.Event = field(default_factory=threading.Event)
    is_closed: bool = False

    def files(self, repository: str) -> dict[str, Path]:
        """Name of each file to where it is."""
        folder = self.repositories[repository]
        back = {here: name for name, here in self.renames.items()}
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        names = {path.relative_to(folder).as_posix(): path for path in found}
        return {back.get(name, name): path for name, path in names.items()}


class _Handler(HubHandler):
    hub: LocalHub

    def do_GET(self) -> None:  # noqa: N802  # http.server calls it by this name
        found = _PATH.match(self.path)
        if found is None or found["repo"] not in self.hub.repositories:
            self.send(404, b"")
        elif self.path.startswith("/api/models/"):
            listing = json.dumps(self._listing(found["repo"])).encode()
            self.send(200, listing, {"Content-Type": "application/json"})
        else:
            name = found["rest"].partition(f"resolve/{COMMIT}/")[2]
            self._send_file(self.hub.files(found["repo"])[name].read_bytes())

    def _listing(self, repository: str) -> dict[str, object]:
        contents = {name: path.read_bytes() for name, path in self.hub.files(repository).items()}
        siblings = [
            describe_file(name, len(data), hashlib.sha256(data).hexdigest())
            for name, data in contents.items()
        ]
        return describe_repository(repository, siblings)

    def _send_file(self, data: bytes) -> None:
        hub, begin = self.hub, 0
        if span := self.headers.get("Range"):
            hub.ranges.append(span)
            begin = int(span.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(data) - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        for start in range(begin, len(data), _PIECE):
            self.wfile.write(data[start : start + _PIECE])
            hub.served += min(_PIECE, len(data) - start)
            if hub.hold_after is not None and start + _PIECE - begin >= hub.hold_after:
                while not (hub.is_open.is_set() or hub.is_closed):
                    time.sleep(0.01)


@contextmanager
def local_hub(
    repositories: Mapping[str, Path], *, renames: Mapping[str, str] | None = None
) -> Iterator[LocalHub]:
    """Serve folders as repositories until the block ends."""
    hub = LocalHub(repositories, renames or {})
    with serve(type("Handler", (_Handler,), {"hub": hub})) as hub.url:
        try:
            yield hub
        finally:
            hub.is_closed = True
