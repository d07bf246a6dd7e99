"""What telemetry costs a turn: not installed, installed and off, and on with a receiver on loopback.

    python benchmarks/telemetry.py [--rounds 40]

Each round runs one turn with each of three agents, in an order that changes, so that other work on the
machine affects all alike. A turn finds the red ball in a 1600 x 1200 image, selects it and colours it blue,
with the tools of promptvision-opencv; no image is the same as another, so nothing is cached. CPU time of the
whole process counts, export included but not the receiver, since waiting depends on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
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

from PIL import Image

from promptvision import Agent, Settings
from promptvision.builtin.samples import still_life
from promptvision.images.codec import encode_png

WAYS = ("not installed", "off", "on")
PROMPT = "change the red ball to blue"
SIZE = (1600, 1200)
LIMIT_PERCENT = 3.0


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
    times: dict[str, list[float]] = {way: [] for way in agents}
    number = 0
    for round_number in range(rounds + 2):
        for way in random.sample(WAYS, len(WAYS)):
            number += 1
            data = photo(number)
            began = time.process_time()
            reply = await agents[way].run(PROMPT, image=data)
            taken = time.process_time() - began
            assert reply.status == "done", reply.text_response
            if round_number >= 2:  # the first ones import and warm up
                times[way].append(taken * 1e3)
    return times


async def run(rounds: int, url: str, received: Any) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        agents = {way: make_agent(way, Path(folder), url) for way in WAYS}
        assert [bool(agent.services.instruments) for agent in agents.values()] == [False, False, True]
        times = await measure(agents, rounds)
        for agent in agents.values():
            await agent.close()
    medians = {way: statistics.median(taken) for way, taken in times.items()}
    base = medians["not installed"]
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}", end="")
    print(f", load {os.getloadavg()[0]:.1f}, {rounds} turns each\n")
    print("| telemetry | CPU ms a turn, median | quickest | beyond not installed |\n|---|---|---|---|")
    for way, taken in times.items():
        beyond = (medians[way] / base - 1) * 100
        print(f"| {way} | {medians[way]:.1f} | {min(taken):.1f} | {beyond:+.1f} % |")
    print(f"\nThe receiver got {received.value:,} bytes. Wanted: on, under {LIMIT_PERCENT:g} %.")
    return received.value > 0 and medians["on"] / base - 1 < LIMIT_PERCENT / 100


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
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
