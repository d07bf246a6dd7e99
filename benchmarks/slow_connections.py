"""A server with 2,000 connections whose clients send nothing more: /health meanwhile, and memory.

    python benchmarks/slow_connections.py

Three kinds, one after the other on one server: connections without a byte, with half of a request head, and
with a head whose body does not come. They come from eight addresses of loopback, each of which may have 256
at once. After every 20 connections a client that is not slow asks for /health. Linux only.
"""

from __future__ import annotations

import asyncio
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from promptvision.testing import ServerProcess

CONNECTIONS, ADDRESSES, EVERY = 2_000, 8, 20
HEALTH_TIMEOUT_S = 10
KINDS = {
    "no byte": b"",
    "half a head": b"GET /health HTTP/1.1\r\nHost: local",
    "no body": (
        b"POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 9\r\n\r\n"
    ),
}


@dataclass
class Seen:
    """The effect of one kind of connection on the server."""

    health_ms: list[float] = field(default_factory=list)
    failed: int = 0
    refused: int = 0
    open: int = 0
    rss_mb: float = 0.0


async def ask_health(url: str, seen: Seen) -> None:
    began = time.perf_counter()
    async with httpx.AsyncClient(timeout=HEALTH_TIMEOUT_S) as client:
        try:
            is_well = (await client.get(f"{url}/health")).status_code == 200
        except httpx.HTTPError:
            is_well = False
    seen.health_ms.append((time.perf_counter() - began) * 1e3)
    seen.failed += not is_well


async def attack(url: str, data: bytes, pid: int) -> Seen:
    """Open all connections, send the same bytes on each, and keep them until the end."""
    address, seen = urlsplit(url), Seen()
    writers: list[asyncio.StreamWriter] = []
    for number in range(1, CONNECTIONS + 1):
        local = (f"127.0.0.{2 + number % ADDRESSES}", 0)
        try:
            _, writer = await asyncio.open_connection(address.hostname, address.port, local_addr=local)
            writer.write(data)
            writers.append(writer)
        except OSError:
            seen.refused += 1
        if number % EVERY == 0:
            await ask_health(url, seen)
            seen.rss_mb = max(seen.rss_mb, rss_mb(pid))
    seen.open = sockets(pid)
    for writer in writers:
        writer.close()
    return seen


def rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def sockets(pid: int) -> int:
    """Sockets of a process; all but a few are connections of clients."""
    files = Path(f"/proc/{pid}/fd").iterdir()
    count = 0
    for file in files:
        with suppress(FileNotFoundError):  # closed meanwhile
            count += str(file.readlink()).startswith("socket:")
    return count


async def main() -> int:
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"Load average {os.getloadavg()[0]:.1f}; {CONNECTIONS:,} connections of each kind.\n")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder, ServerProcess(Path(folder)) as server:
        await ask_health(server.url, Seen())
        idle = rss_mb(server.pid)
        found: dict[str, Seen] = {}
        for kind, data in KINDS.items():
            found[kind] = await attack(server.url, data, server.pid)
        await asyncio.sleep(1)
        await ask_health(server.url, last := Seen())
        after = rss_mb(server.pid)
    print("| connections with | /health, median, ms | slowest | without answer | open at the end | RSS, MB |")
    print("|---|---|---|---|---|---|")
    for kind, seen in found.items():
        print(
            f"| {kind} | {statistics.median(seen.health_ms):.0f} | {max(seen.health_ms):.0f} "
            f"| {seen.failed} of {len(seen.health_ms)} | {seen.open} | {seen.rss_mb:.0f} |"
        )
    print(f"\nRSS before {idle:.0f} MB, after all were closed {after:.0f} MB.")
    failed = sum(seen.failed for seen in found.values()) + last.failed
    print("Each request was answered." if not failed else f"{failed} requests were not answered.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
