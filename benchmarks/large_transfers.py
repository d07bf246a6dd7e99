"""A server whose clients keep large bodies: uploads that do not end, and images that are not read.

    python benchmarks/large_transfers.py

Each row opens 100 connections with one API key, or with an unknown one, and measures the resident memory of
the server above idle, the statuses that arrive, and the time of a request of another user. Linux only.
"""

from __future__ import annotations

import io
import platform
import socket
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import httpx
from PIL import Image

from promptvision.testing import ServerProcess

CONNECTIONS, SIZE, WAIT_S = 100, 24_000_000, 5.0
KEYS = {"alice": "key-a", "bob": "key-b"}
JSON = b'{"input_image_url": "data:image/png;base64,'
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


def request(method: str, path: str, key: str, content_type: str = "", length: int = 0) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}"]
    lines += [f"Content-Type: {content_type}", f"Content-Length: {length}"] if length else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def upload(path: str, content_type: str, start: bytes, key: str) -> bytes:
    """A request of which the last byte does not come."""
    return request("POST", path, key, content_type, SIZE) + start + b"A" * (SIZE - len(start) - 1)


def rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def statuses(clients: list[socket.socket]) -> Counter[str]:
    found: Counter[str] = Counter()
    for client in clients:
        client.settimeout(0.01)
        head = b""
        with suppress(OSError):
            head = client.recv(64)
        found[head[9:12].decode() or "open"] += 1
    return found


def row(server: ServerProcess, label: str, sent: bytes, idle_mb: float) -> str:
    address = urlsplit(server.url).hostname, urlsplit(server.url).port
    with ExitStack() as stack:
        clients = []
        for _ in range(CONNECTIONS):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(10)
            client.connect(address)
            with suppress(OSError):  # refused before the end of the body
                client.sendall(sent)
            clients.append(client)
        time.sleep(WAIT_S)
        held_mb = rss_mb(server.pid) - idle_mb
        began = time.perf_counter()
        bob = {"Authorization": f"Bearer {KEYS['bob']}"}
        httpx.get(f"{server.url}/conversations", headers=bob, timeout=30).raise_for_status()
        other_ms = (time.perf_counter() - began) * 1e3
        seen = ", ".join(f"{count} x {status}" for status, count in sorted(statuses(clients).items()))
    time.sleep(WAIT_S)
    return f"| {label} | {held_mb:.0f} | {seen} | {other_ms:.0f} |"


def main() -> None:
    keys = ",".join(f"{user}:{key}" for user, key in KEYS.items())
    noise = Image.frombytes("RGB", (2550, 2550), Random(1).randbytes(2550 * 2550 * 3))
    file = io.BytesIO()
    noise.save(file, "PNG", compress_level=1)
    form = "multipart/form-data; boundary=x"
    with (
        tempfile.TemporaryDirectory() as home,
        ServerProcess(Path(home), {"PROMPTVISION_API_KEYS": keys}) as server,
    ):
        alice = {"Authorization": f"Bearer {KEYS['alice']}"}
        stored = httpx.post(
            f"{server.url}/images", files={"file": file.getvalue()}, headers=alice, timeout=60
        )
        path = f"/images/{stored.json()['image_id']}"
        time.sleep(WAIT_S)
        idle_mb = rss_mb(server.pid)
        print(f"{CONNECTIONS} connections, {platform.platform()}, Python {platform.python_version()}")
        print("\n| connections | RSS over idle, MB | answers | other user, ms |\n|---|---|---|---|")
        for label, sent in (
            ("JSON of 24 MB, unknown key", upload("/chat", "application/json", JSON, "no")),
            ("JSON of 24 MB", upload("/chat", "application/json", JSON, KEYS["alice"])),
            ("JSON of 24 MB to /mcp", upload("/mcp", "application/json", JSON, KEYS["alice"])),
            ("file of 24 MB", upload("/images", form, PART, KEYS["alice"])),
            ("image of 20 MB that is not read", request("GET", path, KEYS["alice"])),
        ):
            print(row(server, label, sent, idle_mb), flush=True)
        print(f"\nIdle {idle_mb:.0f} MB, after all were closed {rss_mb(server.pid):.0f} MB.")


if __name__ == "__main__":
    main()
