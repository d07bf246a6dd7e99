"""Time of a journaled turn over HTTP: the store's own pool and statements against SQLAlchemy's.

    python benchmarks/journaled_http.py

Each round starts a process that serves the app on a loopback port, with conversations in a new SQLite file
(WAL, synchronous=FULL), and sends it ``--turns`` requests one after another. A turn has four model calls and
three tool calls that do nothing, so what is measured is HTTP, the loop and the journal. The rounds of the two
variants alternate. The table shows the median of the rounds' medians, and the CPU time of the process per
turn.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from agent import Script

WARM_UP = 20
VARIANTS = ("own", "SQLAlchemy")


async def look(subject: str) -> str:
    """Look at a subject."""
    return f"saw {subject}"


def use_sqlalchemy() -> None:
    """Run the store's transactions on SQLAlchemy's ``Connection`` and ``QueuePool``."""
    from sqlalchemy import Connection, Engine, QueuePool

    from promptvision.builtin.sql import engine as engines
    from promptvision.builtin.sql.migrate import ensure_schema
    from promptvision.builtin.sql.semaphore import FairSemaphore

    class Transaction:
        def __init__(self, connection: Connection) -> None:
            self.connection = connection

        def rows(self, statement: Any, values: Any) -> Any:
            return self.connection.execute(statement, dict(values)).all()

        def change(self, statement: Any, values: Any) -> Any:
            return self.connection.execute(statement, dict(values)).rowcount

        def insert(self, statement: Any, rows: Any) -> None:
            self.connection.execute(statement, [dict(row) for row in rows])

    class Database:
        def __init__(self, url: str, lock_timeout_s: float) -> None:
            engine = engines.open_engine(url, lock_timeout_s)
            assert isinstance(engine.pool, QueuePool)
            self.dialect = engine.dialect.name
            self.lock_timeout_s = lock_timeout_s
            self.engine = engine
            self.writer = engine.execution_options(writes=True)
            self.writers = FairSemaphore(1)
            ensure_schema(engine)

        @contextmanager
        def transaction(self, engine: Engine) -> Iterator[Transaction]:
            with engine.begin() as connection:
                yield Transaction(connection)

        def reading(self) -> Any:
            return self.transaction(self.engine)

        @contextmanager
        def writing(self) -> Iterator[Transaction]:
            assert self.writers.acquire(self.lock_timeout_s)
            try:
                with self.transaction(self.writer) as transaction:
                    yield transaction
            finally:
                self.writers.release()

    setattr(import_module("promptvision.builtin.sql.store"), "Database", Database)  # noqa: B010


def serve(file: Path) -> int:
    """Serve on a free port, in a thread; returns the port."""
    import uvicorn

    from promptvision import tool
    from promptvision.builtin.sql.store import SQLConversationStore
    from promptvision.server.app import create_app
    from promptvision.testing.agents import make_agent

    store = SQLConversationStore(f"sqlite:///{file}")
    app = create_app(agent=make_agent([tool()(look)], planner=Script(), conversations=store))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", access_log=False))
    threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


def measure(turns: int) -> None:
    """Print the seconds of each turn and the CPU seconds of all."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        connection = http.client.HTTPConnection("127.0.0.1", serve(Path(folder) / "turns.db"))
        seconds, cpu = [], 0.0
        for number in range(WARM_UP + turns):
            if number == WARM_UP:
                cpu = time.process_time()
            body = {"user_id": "ann", "prompt": "look", "prompt_id": f"p{number}",
                    "conversation_id": f"c{number // 10}"}  # fmt: skip
            started = time.perf_counter()
            connection.request("POST", "/chat", json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            reply = json.loads(response.read())
            seconds.append(time.perf_counter() - started)
            assert len(reply["steps"]) == 3, reply
        print(json.dumps({"seconds": seconds[WARM_UP:], "cpu_s": time.process_time() - cpu}))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--child", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        if options.child == VARIANTS[1]:
            use_sqlalchemy()
        measure(options.turns)
        return 0
    medians: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    cpu: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for round_ in range(options.rounds):
        for variant in VARIANTS if round_ % 2 else reversed(VARIANTS):
            command = [sys.executable, __file__, "--child", variant, "--turns", str(options.turns)]
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            medians[variant].append(statistics.median(found["seconds"]) * 1000)
            cpu[variant].append(found["cpu_s"] / options.turns * 1000)
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, load "
        f"{os.getloadavg()[0]:.1f}; medians of {options.rounds} alternating rounds of {options.turns} turns\n"
    )
    print("| pool and statements | ms per turn | fastest round | CPU ms per turn |\n|---|---|---|---|")
    for variant in VARIANTS:
        figures = statistics.median(medians[variant]), min(medians[variant]), statistics.median(cpu[variant])
        print(f"| {variant} | {' | '.join(f'{figure:.2f}' for figure in figures)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
