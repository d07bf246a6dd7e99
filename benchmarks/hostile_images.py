"""A server under hostile images: time to each answer, memory above the idle processes, and /health meanwhile.

    python benchmarks/hostile_images.py

Each file of ``promptvision.testing.hostile_images`` is uploaded alone, then eight at once in every order of
the list. Memory is that of the server and its children (proportional set size), sampled every 20 ms. A
second server, which decodes nothing, is asked for /health in turn with the first one: its times show the
load of the machine. A hypervisor that takes the CPUs of a virtual machine away stops every process in it;
answers during which that happened (steal time in ``/proc/stat``) are listed apart, and the limit does not
apply to them. Linux only.
"""

from __future__ import annotations

import os
import platform
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from promptvision.testing import ServerProcess
from promptvision.testing.hostile_images import HOSTILE

LIMIT_S, LIMIT_MB, HEALTH_MS, AFTER_MB = 3.0, 300, 100, 350
AT_ONCE = 8


def family(pid: int) -> list[int]:
    """A process and its children."""
    try:
        children: list[str] = []
        for thread in Path(f"/proc/{pid}/task").iterdir():
            children += (thread / "children").read_text().split()
    except OSError:
        children = []
    return [pid, *map(int, children)]


def memory_mb(pid: int) -> float:
    total = 0
    for member in family(pid):
        try:
            rollup = Path(f"/proc/{member}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(rollup.split("\nPss:")[1].split()[0])
    return total / 1024


def stolen_s() -> float:
    """Seconds that the hypervisor has taken from the CPUs of this machine so far."""
    fields = Path("/proc/stat").read_text().split(maxsplit=9)
    return int(fields[8]) / os.sysconf("SC_CLK_TCK")


@dataclass
class HealthTimes:
    """How long answers to /health took, in milliseconds.

    Args:
        own: those during which the machine had its CPUs.
        stolen: those during which the hypervisor took them away.
    """

    own: list[float] = field(default_factory=list)
    stolen: list[float] = field(default_factory=list)


class Watch(threading.Thread):
    """Samples memory and asks two servers for /health until it is stopped."""

    def __init__(self, server: ServerProcess, idle: ServerProcess) -> None:
        super().__init__(daemon=True)
        self._server, self._idle = server, idle
        self.peak_mb = 0.0
        self.health = HealthTimes()
        self.idle = HealthTimes()
        self.stolen_s = stolen_s()
        self._is_over = threading.Event()
        self._pinger = threading.Thread(target=self._ping, daemon=True)

    def run(self) -> None:
        self._pinger.start()
        while not self._is_over.wait(0.02):
            self.peak_mb = max(self.peak_mb, memory_mb(self._server.pid))

    def _ping(self) -> None:
        watched = ((self._server, self.health), (self._idle, self.idle))
        connections = [(connect(server.url), times) for server, times in watched]
        counters, answers = [stolen_s()], list[tuple[float, HealthTimes]]()
        while not self._is_over.is_set():
            last, answers = answers, [(_ask(connection), times) for connection, times in connections]
            self._is_over.wait(0.05)
            counters = [*counters[-2:], stolen_s()]  # stolen time is counted with a delay
            for milliseconds, times in last:
                (times.own if counters[0] == counters[-1] else times.stolen).append(milliseconds)
        self.stolen_s = counters[-1] - self.stolen_s

    def stop(self) -> None:
        self._is_over.set()
        self.join()
        self._pinger.join()


def _ask(connection: HTTPConnection) -> float:
    """How long one answer to /health takes, in milliseconds."""
    began = time.perf_counter()
    connection.request("GET", "/health")
    connection.getresponse().read()
    return (time.perf_counter() - began) * 1000


def connect(url: str) -> HTTPConnection:
    address = urlsplit(url)
    return HTTPConnection(address.hostname or "", address.port, timeout=60)


def upload(url: str, data: bytes) -> tuple[int, float]:
    """The status and the seconds to the answer."""
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    body = head + data + b"\r\n--b--\r\n"
    connection = connect(url)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    began = time.perf_counter()
    connection.request("POST", "/images", body, {"Content-Type": "multipart/form-data; boundary=b"})
    status = connection.getresponse().status
    seconds = time.perf_counter() - began
    connection.close()
    return status, seconds


def _summary(times: list[float]) -> str:
    return f"{statistics.median(times):.1f}, {_share(times, 0.99):.0f}, {max(times):.0f}"


def _share(times: list[float], share: float) -> float:
    """The time that this share of the answers took at most."""
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]


def main() -> int:
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    files = {name: make() for name, make in HOSTILE.items()}
    print(
        f"{len(files)} files, {sum(map(len, files.values())) / 1e6:.0f} MB; load {os.getloadavg()[0]:.2f}\n"
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        ServerProcess(Path(folder) / "busy") as server,
        ServerProcess(Path(folder) / "idle") as other,
    ):
        upload(server.url, files["PNG of 1 x 16384"])
        time.sleep(1)
        idle = memory_mb(server.pid)
        alone = Watch(server, other)
        alone.start()
        single = {name: upload(server.url, data) for name, data in files.items()}
        alone.stop()
        together = Watch(server, other)
        together.start()
        batched: list[tuple[int, float]] = []
        order = list(files.values())
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for start in range(0, len(order), AT_ONCE):
                batch = order[start : start + AT_ONCE]
                batched += threads.map(lambda data: upload(server.url, data), batch)
        together.stop()
        time.sleep(1)
        after = memory_mb(server.pid)
    print("| | alone | eight at once |\n|---|---|---|")
    slowest = max(single, key=lambda name: single[name][1])
    worst = single[slowest][1], max(seconds for _, seconds in batched)
    print(f"| slowest answer, s | {worst[0]:.2f} ({slowest}) | {worst[1]:.2f} |")
    rise = alone.peak_mb - idle, together.peak_mb - idle
    print(f"| peak over idle, MB | {rise[0]:.0f} | {rise[1]:.0f} |")
    watches = alone, together
    health = [max(watch.health.own) for watch in watches]
    for name, both in (
        ("/health", [watch.health for watch in watches]),
        ("/health of an idle server", [watch.idle for watch in watches]),
    ):
        cells = (_summary(times.own) for times in both)
        print(f"| {name}, median, 99 %, worst, ms | {' | '.join(cells)} |")
        cells = (f"{len(times.stolen)}, {max(times.stolen, default=0):.0f}" for times in both)
        print(f"| the same while CPUs were stolen, answers, worst, ms | {' | '.join(cells)} |")
    print(f"| CPU time stolen, s | {' | '.join(f'{watch.stolen_s:.1f}' for watch in watches)} |")
    for_all = [Counter(status for status, _ in found) for found in (single.values(), batched)]
    print(f"| answers by status | {dict(for_all[0])} | {dict(for_all[1])} |")
    print(f"\nIdle {idle:.0f} MB, after all {after:.0f} MB.")
    passed = max(worst) < LIMIT_S and max(rise) < LIMIT_MB and max(health) < HEALTH_MS and after < AFTER_MB
    limits = f"{LIMIT_S} s, {LIMIT_MB} MB over idle, {HEALTH_MS} ms for /health, {AFTER_MB} MB afterwards"
    print(f"{'Within' if passed else 'OVER'} the limits: {limits}.")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
