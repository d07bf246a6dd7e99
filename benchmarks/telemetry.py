"""The cost of telemetry per turn: not installed, installed and off, and on with a receiver on loopback.

    python benchmarks/telemetry.py [--rounds 100]

Each round runs the same turn with each of three agents, in an order that changes, and compares their CPU
times with each other, so that other work on the machine affects all alike; the median of the differences is
given with its 95 % confidence interval (bootstrap). A turn finds the red ball in a 1600 x 1200 image, selects
it and colours it blue, with the tools of promptvision-opencv; each round has another image, so nothing is
cached. CPU time of the whole process counts, since waiting depends on the machine. With telemetry on, each
turn ends with an export of its spans, which in practice happens every five seconds: the figure is an upper
bound. The CPU time of the receiver does not count.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
from PIL import Image

from promptvision import Agent, Settings
from promptvision.builtin.samples import still_life
from promptvision.images.codec import encode_png

WAYS = ("not installed", "off", "on")
PROMPT = "change the red ball to blue"
SIZE = (1600, 1200)
LIMIT_PERCENT = 3.0
WARM_UP = 3
"""Rounds that import and warm up."""
NEVER_MS = str(24 * 3600 * 1000)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.received.value += len(self.rfile.read(int(self.headers["Content-Length"])))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def receive(port: Any, received: Any) -> None:
    """Serve in a process of its own, whose CPU time does not count."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.received = received  # type: ignore[attr-defined]
    port.value = server.server_port
    server.serve_forever()


def make_agent(way: str, folder: Path, url: str) -> Agent:
    variables = {
        "PROMPTVISION_HOME": str(folder / way.replace(" ", "-")),
        "PROMPTVISION_PLANNER": "offline",
        "PROMPTVISION_DISABLED_PLUGINS": "telemetry" if way == "not installed" else "",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url if way == "on" else "",
    }
    return Agent(Settings.from_mapping(variables))


def photo(number: int) -> bytes:
    image = still_life().resize(SIZE, Image.Resampling.BICUBIC).convert("RGB")
    image.putpixel((number % SIZE[0], 0), (number % 256, 1, 2))
    return encode_png(image)


async def measure(agents: dict[str, Agent], rounds: int) -> dict[str, list[float]]:
    """CPU milliseconds of the turn of each way, one for each round."""
    times: dict[str, list[float]] = {way: [] for way in agents}
    for round_number in range(rounds + WARM_UP):
        data = photo(round_number)
        for way in random.sample(WAYS, len(WAYS)):
            agent = agents[way]
            gc.collect()
            gc.disable()
            began = time.process_time()
            reply = await agent.run(PROMPT, image=data)
            for instrument in agent.services.instruments._instruments:  # noqa: SLF001
                instrument._providers.tracers.force_flush()  # type: ignore[attr-defined]  # noqa: SLF001
            taken = time.process_time() - began
            gc.enable()
            assert reply.status == "done", reply.text_response
            if round_number >= WARM_UP:
                times[way].append(taken * 1e3)
    return times


def interval(values: list[float]) -> tuple[float, float, float]:
    """The median and its 95 % confidence interval."""
    medians = sorted(statistics.median(random.choices(values, k=len(values))) for _ in range(2000))
    return statistics.median(values), medians[50], medians[-51]


async def run(rounds: int, url: str, received: Any) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        agents = {way: make_agent(way, Path(folder), url) for way in WAYS}
        assert [bool(agent.services.instruments) for agent in agents.values()] == [False, False, True]
        times = await measure(agents, rounds)
        for agent in agents.values():
            await agent.close()
    base = statistics.median(times["not installed"])
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}", end="")
    print(f", load {os.getloadavg()[0]:.1f}, {rounds} turns each\n")
    print("| telemetry | CPU ms a turn, median | beyond not installed, ms (95 %) | in percent (95 %) |")
    print("|---|---|---|---|")
    found = {}
    for way, taken in times.items():
        beyond = interval([mine - other for mine, other in zip(taken, times["not installed"], strict=True)])
        found[way] = middle, low, high = [value / base * 100 for value in beyond]
        print(f"| {way} | {statistics.median(taken):.1f} ", end="")
        print(f"| {beyond[0]:+.2f} ({beyond[1]:+.2f} to {beyond[2]:+.2f}) ", end="")
        print(f"| {middle:+.2f} ({low:+.2f} to {high:+.2f}) |")
    print(f"\nThe receiver got {received.value:,} bytes. Wanted: off, no difference; on, under ", end="")
    print(f"{LIMIT_PERCENT:g} %.")
    return received.value > 0 and found["on"][0] < LIMIT_PERCENT and found["off"][1] <= 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)  # its threads wait by spinning, which is CPU time
    # what is exported is exported by the turn that made it
    os.environ |= {"OTEL_BSP_SCHEDULE_DELAY": NEVER_MS, "OTEL_METRIC_EXPORT_INTERVAL": NEVER_MS}
    context = multiprocessing.get_context("spawn")
    port, received = context.Value("i", 0), context.Value("q", 0)
    server = context.Process(target=receive, args=(port, received), daemon=True)
    server.start()
    while not port.value:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{port.value}"
    try:
        return 0 if asyncio.run(run(rounds, url, received)) else 1
    finally:
        server.terminate()


if __name__ == "__main__":
    sys.exit(main())
