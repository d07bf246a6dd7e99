"""A fake Cloudinary on a loopback port, for tests: it checks signatures like Cloudinary.

It implements the parts that the image store needs: signed upload and destroy, the listing of the Admin API
with its password, and public or signed delivery. It records all requests.

Source of the signature rules: Cloudinary's documentation, "Generating authentication signatures" and "Signed
delivery URLs".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import mimetypes
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["FakeCloudinary", "fake_cloudinary"]

_UNSIGNED = {"file", "api_key", "resource_type", "cloud_name", "signature"}
_DELIVERY = re.compile(
    r"/(?P<cloud>[^/]+)/raw/(?P<kind>upload|authenticated)/(s--(?P<sign>[\w-]{8})--/)?v1/(?P<id>.+)"
)
MAX_CLOCK_DRIFT_S = 3600


class FakeCloudinary:
    """The contents and recorded requests of the fake.

    Args:
        cloud_name: the only account that it knows.
    """

    def __init__(self, cloud_name: str = "test-cloud") -> None:
        self.cloud_name = cloud_name
        self.api_key = "123456789012345"
        self.api_secret = "abcdefgh-not-a-secret"  # noqa: S105  # made up, for loopback only
        self.assets: dict[tuple[str, str], tuple[bytes, float]] = {}
        """(kind, public id) to bytes and time."""
        self.requests: list[str] = []
        """Method and path of all requests."""
        self.fetches: list[str] = []
        """Uploads of a URL instead of bytes, which the real Cloudinary would fetch."""
        self.faults: list[int] = []
        """Statuses to answer the next requests with; 0 breaks the connection."""
        self.lock = threading.Lock()
        self.port = 0

    @property
    def variables(self) -> dict[str, str]:
        """The usual variables for this account."""
        return {
            "CLOUDINARY_NAME": self.cloud_name,
            "CLOUDINARY_API_KEY": self.api_key,
            "CLOUDINARY_API_SECRET": self.api_secret,
        }

    @property
    def url(self) -> str:
        """The store's URL; credentials come from the variables."""
        here = f"127.0.0.1:{self.port}"
        return f"cloudinary:?upload_prefix=http://{here}&cname={here}&secure=false"

    def is_signed_well(self, fields: dict[str, str]) -> bool:
        """Whether the signature of an upload or destroy is correct and recent."""
        signed = sorted(f"{name}={value}" for name, value in fields.items() if name not in _UNSIGNED)
        expected = hashlib.sha1(("&".join(signed) + self.api_secret).encode()).hexdigest()  # noqa: S324  # theirs
        is_fresh = abs(time.time() - float(fields.get("timestamp", 0))) < MAX_CLOCK_DRIFT_S
        is_ours = fields.get("api_key") == self.api_key
        return is_ours and is_fresh and hmac.compare_digest(fields.get("signature", ""), expected)

    def signature_of(self, public_id: str) -> str:
        """The eight characters in a signed delivery URL."""
        digest = hashlib.sha1((public_id + self.api_secret).encode()).digest()  # noqa: S324  # theirs
        return base64.urlsafe_b64encode(digest)[:8].decode()

    def upload(self, kind: str, fields: dict[str, str], data: bytes) -> dict[str, Any]:
        """Store bytes; existing ones are kept when ``overwrite`` is 0."""
        key = (kind, fields["public_id"])
        with self.lock:
            is_there = key in self.assets
            if not is_there or fields.get("overwrite") != "0":
                self.assets[key] = (data, time.time())
            held, _ = self.assets[key]
        is_kept = is_there and fields.get("overwrite") == "0"
        return {
            "public_id": key[1],
            "bytes": len(held),
            "etag": hashlib.md5(held, usedforsecurity=False).hexdigest(),
            "resource_type": "raw",
            **({"existing": True} if is_kept else {}),
        }

    def resource(self, kind: str, public_id: str) -> dict[str, Any] | None:
        """Details of one asset."""
        with self.lock:
            held = self.assets.get((kind, public_id))
        if held is None:
            return None
        made_at = datetime.fromtimestamp(held[1], UTC).strftime("%FT%TZ")
        return {"public_id": public_id, "created_at": made_at, "version": int(held[1])}

    def page(self, kind: str, query: dict[str, list[str]]) -> dict[str, Any]:
        """One page of the listing."""
        first, size = int(query.get("next_cursor", ["0"])[0]), int(query["max_results"][0])
        with self.lock:
            names = sorted(
                name for held, name in self.assets if held == kind and name.startswith(query["prefix"][0])
            )
            found = [
                {
                    "public_id": name,
                    "created_at": datetime.fromtimestamp(self.assets[kind, name][1], UTC).strftime("%FT%TZ"),
                }
                for name in names[first : first + size]
            ]
        rest = {"next_cursor": str(first + size)} if first + size < len(names) else {}
        return {"resources": found, **rest}


@contextmanager
def fake_cloudinary(cloud_name: str = "test-cloud") -> Iterator[FakeCloudinary]:
    """A fake that listens on a separate loopback port."""
    fake = FakeCloudinary(cloud_name)
    handler = type("Handler", (_Handler,), {"fake": fake})
    with _Server(("127.0.0.1", 0), handler) as server:
        fake.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: FakeCloudinary

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # named so in the base class
        """Do not log."""

    def do_POST(self) -> None:  # named by http.server
        """Upload and destroy."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self._is_spoilt():
            return
        _, _, cloud, resource_type, action = self.path.split("/")
        fields, file = _form(self.headers["content-type"], body)
        if cloud != self.fake.cloud_name or not self.fake.is_signed_well(fields):
            self._answer(401, {"error": {"message": "Invalid Signature"}})
        elif resource_type != "raw" or fields.get("unique_filename", "0") != "0":
            self._answer(400, {"error": {"message": "the fake supports only raw assets with explicit names"}})
        elif action == "destroy":
            gone = self.fake.assets.pop((fields["type"], fields["public_id"]), None)
            self._answer(200, {"result": "not found" if gone is None else "ok"})
        elif file is None:
            self.fake.fetches.append(fields.get("file", ""))
            self._answer(400, {"error": {"message": "the fake fetches nothing"}})
        else:
            self._answer(200, self.fake.upload(fields["type"], fields, file))

    def do_GET(self) -> None:
        """Delivery, and the listing of the Admin API."""
        if self._is_spoilt():
            return
        parts = urlsplit(self.path)
        listing = f"/v1_1/{self.fake.cloud_name}/resources/raw/"
        if parts.path.startswith(listing):
            secret = f"{self.fake.api_key}:{self.fake.api_secret}".encode()
            if self.headers.get("authorization") != f"Basic {base64.b64encode(secret).decode()}":
                self._answer(401, {"error": {"message": "Invalid credentials"}})
            else:
                kind, _, public_id = unquote(parts.path.removeprefix(listing)).partition("/")
                if not public_id:
                    self._answer(200, self.fake.page(kind, parse_qs(parts.query)))
                elif found := self.fake.resource(kind, public_id):
                    self._answer(200, found)
                else:
                    self._answer(404, {"error": {"message": f"Resource not found - {public_id}"}})
            return
        self._deliver(parts.path)

    do_HEAD = do_GET  # noqa: N815

    def _deliver(self, path: str) -> None:
        match = _DELIVERY.fullmatch(unquote(path))
        held = match and self.fake.assets.get((match["kind"], match["id"]))
        if not match or not held or match["cloud"] != self.fake.cloud_name:
            self._send(404, "text/plain", b"")
        elif match["kind"] == "authenticated" and match["sign"] != self.fake.signature_of(match["id"]):
            self._send(401, "text/plain", b"")
        else:
            self._send(200, mimetypes.guess_type(match["id"])[0] or "application/octet-stream", held[0])

    def _is_spoilt(self) -> bool:
        """Record the request; answer it with the next fault if there is one."""
        with self.fake.lock:
            self.fake.requests.append(f"{self.command} {self.path}")
            fault = self.fake.faults.pop(0) if self.fake.faults else None
        if fault == 0:
            self.close_connection = True
        elif fault is not None:
            self._answer(fault, {"error": {"message": f"fault {fault}"}})
        return fault is not None

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(document).encode())

    def _send(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _form(content_type: str, body: bytes) -> tuple[dict[str, str], bytes | None]:
    """Fields of a multipart form, and its file if that is bytes with a file name."""
    boundary = b"--" + content_type.partition("boundary=")[2].encode()
    fields: dict[str, str] = {}
    file = None
    for part in body.split(boundary)[1:-1]:
        head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        value = value.removesuffix(b"\r\n")
        name = re.search(rb'[; ]name="([^"]*)"', head)
        if name is None:
            continue
        if name[1] == b"file" and b"filename=" in head:
            file = value
        else:
            fields[name[1].decode()] = value.decode()
    return fields, file
