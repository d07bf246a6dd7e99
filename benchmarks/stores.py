"""Journaled turns per second for each conversation store, put and get for each image store, in one run.

    python benchmarks/stores.py

A turn is claimed, eight entries are appended one by one, each acknowledged before the next, and it is ended.
All servers except Cloudinary, a fake, are real. They run on loopback in a process of their own; with no
network between, a hosted store is slower by its round trips, one for each call.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from multiprocessing.connection import Connection
from typing import TypeVar

from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import Event, EventKind, TurnKey, TurnStatus
from promptvision.images.store import ImageStore
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings

T = TypeVar("T")

EVENTS = 8
TURNS = 300
"""Turns of each measurement, whatever the number of threads."""
THREADS = (1, 8)
IMAGES = 60
BYTES = 1_000_000
ENTRY = {"operation": "detect_objects", "arguments": {"prompt": "lion"}, "result": {"text": "word " * 80}}


def serve(pipe: Connection) -> None:
    """Start every server, send the settings of each store, and run until the pipe closes."""
    from promptvision.testing.postgres import postgres_server
    from promptvision_cloudinary.fake import fake_cloudinary
    from promptvision_s3.testing import s3_server
    from promptvision_supabase.testing import rest_server

    with ExitStack() as stack:
        postgres = stack.enter_context(postgres_server())
        rest = stack.enter_context(rest_server(postgres, "rest"))
        cloudinary = stack.enter_context(fake_cloudinary())
        s3 = stack.enter_context(s3_server("images"))
        conversations = {
            "PostgreSQL": {"PROMPTVISION_CONVERSATIONS": postgres.create_database("bench")},
            "Supabase (PostgREST)": {"SUPABASE_URL": rest.url, "SUPABASE_KEY": rest.key()},
        }
        images = {
            "S3 (moto)": {"PROMPTVISION_IMAGES": "s3://images", **s3.variables},
            "Cloudinary (fake)": {"PROMPTVISION_IMAGES": cloudinary.url, **cloudinary.variables},
        }
        [(version,)] = postgres.execute("show server_version")
        pipe.send((conversations, images, version))
        pipe.poll(None)


@contextmanager
def servers() -> Iterator[tuple[dict[str, dict[str, str]], dict[str, dict[str, str]], str]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,))
    process.start()
    try:
        if not ours.poll(60):
            raise RuntimeError("the servers did not start; run scripts/install")
        yield ours.recv()
    finally:
        ours.send("done")
        process.join(20)


def run_turns(store: ConversationStore, name: str, count: int, seconds: list[float]) -> None:
    """Run turns of one conversation, and note how long each took."""
    for number in range(count):
        began = time.perf_counter()
        key = TurnKey(name, "c1", f"p{number}")
        turn = store.claim_turn(key, prompt="make it grey", fingerprint="f", owner="bench", lease_s=60)
        for seq in range(1, EVENTS + 1):
            store.append(turn, [Event(seq=seq, kind=EventKind.STEP_FINISHED, data=ENTRY)])
        store.finish_turn(turn, TurnStatus.DONE, {"text_response": "done"})
        seconds.append(time.perf_counter() - began)


def measure_turns(store: ConversationStore, threads: int) -> tuple[float, float, float]:
    """Turns per second, median and 99th percentile of one turn in milliseconds."""
    run_turns(store, f"warm-{threads}", 10, [])
    seconds: list[float] = []
    workers = [
        threading.Thread(target=run_turns, args=(store, f"{threads}-{number}", TURNS // threads, seconds))
        for number in range(threads)
    ]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    rate = len(seconds) / (time.perf_counter() - began)
    return rate, 1000 * statistics.median(seconds), 1000 * statistics.quantiles(seconds, n=100)[98]


def measure_images(store: ImageStore) -> list[float]:
    """Median and 99th percentile of put and of get, in milliseconds."""
    images = [os.urandom(BYTES) for _ in range(IMAGES)]
    ids: list[str] = []
    puts = timed(lambda data: ids.append(store.put(data, "image/png").id), images)
    gets = timed(store.get, ids)
    return [
        1000 * figure
        for seconds in (puts, gets)
        for figure in (statistics.median(seconds), statistics.quantiles(seconds, n=100)[98])
    ]


def timed(work: Callable[[T], object], items: list[T]) -> list[float]:
    found = []
    for item in items:
        began = time.perf_counter()
        work(item)
        found.append(time.perf_counter() - began)
    return found


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, servers() as (remote_conversations, remote_images, version):
        home = {"PROMPTVISION_HOME": folder}
        load = os.getloadavg()[0]
        print(
            f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
            f"PostgreSQL {version}, load average {load:.1f} at the start\n"
        )
        print(f"## Turns: a claim, {EVENTS} entries and an end, {TURNS} times\n")
        print("| store | threads | turns/s | median ms | p99 ms |\n|---|---|---|---|---|")
        local = {"memory": {"PROMPTVISION_CONVERSATIONS": "memory:"}, "SQLite": {}}
        for name, variables in {**local, **remote_conversations}.items():
            registry = Registry.load(Settings.from_mapping({**home, **variables}))
            with closing(registry.make_conversation_store()) as store:
                for threads in THREADS:
                    rate, median, p99 = measure_turns(store, threads)
                    print(f"| {name} | {threads} | {rate:.0f} | {median:.1f} | {p99:.1f} |", flush=True)
        print(f"\n## Images of {BYTES / 1e6:.0f} MB, {IMAGES} of them\n")
        print("| store | put median ms | put p99 ms | get median ms | get p99 ms |\n|---|---|---|---|---|")
        local = {"memory": {"PROMPTVISION_IMAGES": "memory:"}, "files": {}}
        for name, variables in {**local, **remote_images}.items():
            registry = Registry.load(Settings.from_mapping({**home, **variables}))
            with closing(registry.make_image_store()) as images:
                print(
                    f"| {name} | {' | '.join(f'{figure:.1f}' for figure in measure_images(images))} |",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
