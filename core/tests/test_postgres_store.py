"""The conversation contract on a real PostgreSQL, and its behaviour when the server is unreachable."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.conversations.turn import Claim, TurnStatus
from promptvision.errors import StoreError
from promptvision.testing.conversation_store import ConversationStoreContract
from promptvision.testing.needs import enter_or_skip
from promptvision.testing.postgres import PostgresServer, postgres_server
from promptvision.testing.shared_store import SharedStoreContract
from promptvision.testing.stopwatch import Stopwatch
from promptvision.testing.turns import claim, note


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with ExitStack() as stack:
        yield enter_or_skip(stack, postgres_server())


@pytest.fixture
def store(server: PostgresServer) -> Iterator[SQLConversationStore]:
    store = SQLConversationStore(server.url())
    yield store
    store.close()


class TestPostgresConversationStore(ConversationStoreContract):
    pass


class TestPostgresSharedByProcesses(SharedStoreContract):
    rounds = 4

    @pytest.fixture
    def open_store(self, server: PostgresServer) -> Callable[[], SQLConversationStore]:
        return lambda: SQLConversationStore(server.url())


@dataclass
class Client(threading.Thread):
    """A thread that runs turns and records which were acknowledged and which failed."""

    store: SQLConversationStore
    user: str
    acknowledged: dict[str, list[int]] = field(default_factory=dict)
    failures: list[tuple[StoreError, float]] = field(default_factory=list)
    successes_at: list[float] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__()

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        number = 0
        while not self.stopping.is_set():
            number += 1
            started = time.monotonic()
            try:
                self._converse(f"p{number}")
            except StoreError as exc:
                self.failures.append((exc, time.monotonic() - started))
                self.stopping.wait(0.01)

    def _converse(self, prompt_id: str) -> None:
        turn = claim(self.store, self.user, prompt_id, lease_s=0)
        acknowledged = self.acknowledged.setdefault(turn.id, [])
        for seq in range(1, 4):
            self.store.append(turn, [note(seq, f"{turn.id} {seq}")])
            acknowledged.append(seq)
            self.successes_at.append(time.monotonic())
        self.store.finish_turn(turn, TurnStatus.DONE, {"turn": turn.id})
        acknowledged.append(0)


BACK_S, ATTEMPTS = 2.0, 3
"""How soon calls fail while the server is away, and succeed once it is back. That depends on other processes,
so a busy machine gets several crashes to show it; nothing may be lost in any of them."""


def test_crashed_server_loses_nothing_and_recovers_quickly(server: PostgresServer) -> None:
    slowest = [crash_under_load(server, "crash-0")]
    while slowest[-1] >= BACK_S and len(slowest) < ATTEMPTS:
        slowest.append(crash_under_load(server, f"crash-{len(slowest)}"))
    assert slowest[-1] < BACK_S, slowest


def crash_under_load(server: PostgresServer, name: str) -> float:
    """Crash and restart the server under four clients; return the slowest failure or recovery."""
    with ExitStack() as stack:
        stores = [SQLConversationStore(server.url()) for _ in range(2)]
        for store in stores:
            stack.callback(store.close)
        clients = [Client(store, f"{name}-{number}") for number, store in enumerate([*stores, *stores])]
        for client in clients:
            client.start()
        time.sleep(0.5)
        server.stop("immediate")
        time.sleep(2)
        server.start()
        up_at = time.monotonic()
        time.sleep(2)
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(20)
        for client in clients:
            check_nothing_lost(client, stores[0])
        returns = [min((at for at in c.successes_at if at > up_at), default=up_at + 60) for c in clients]
        return max([at - up_at for at in returns] + [seconds for c in clients for _, seconds in c.failures])


def check_nothing_lost(client: Client, store: SQLConversationStore) -> None:
    assert client.failures
    for failure, _ in client.failures:
        assert failure.retryable, failure
    turns = store.history(client.user, "c1", 1_000_000)
    assert [turn.seq for turn in turns] == list(range(1, len(turns) + 1))
    found = {turn.id: turn for turn in turns}
    for turn_id, acknowledged in client.acknowledged.items():
        turn = found[turn_id]
        count = len(turn.events)
        assert turn.events == tuple(note(seq, f"{turn_id} {seq}") for seq in range(1, count + 1))
        assert max(acknowledged, default=0) <= count
        if 0 in acknowledged:
            assert turn.reply == {"turn": turn_id}


def test_connections_that_ended_while_idle_are_replaced_unnoticed(server: PostgresServer) -> None:
    store = SQLConversationStore(server.url())
    turn = claim(store, "idle")
    with store._database.reading(), store._database.reading():
        pass  # two connections are idle now
    server.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'promptvision'"
    )
    store.append(turn, [note(1)])
    assert store.history("idle", "c1", 1)[0].events == (note(1),)
    store.close()


def test_connection_that_ends_inside_a_transaction_is_a_retryable_error(server: PostgresServer) -> None:
    store = SQLConversationStore(server.url())

    def write() -> None:
        with store._database.writing() as db:
            [(pid,)] = db.cursor.execute("SELECT pg_backend_pid()").fetchall()
            server.execute(f"SELECT pg_terminate_backend({pid}, 5000)")
            db.cursor.execute("SELECT 1")

    with pytest.raises(StoreError) as caught:
        write()
    assert caught.value.retryable
    assert claim(store, "ended").claim is Claim.NEW
    store.close()


def test_opening_without_a_server_is_a_quick_retryable_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        watch = Stopwatch()
        with pytest.raises(StoreError, match=f"127.0.0.1:{port}") as caught:
            SQLConversationStore(f"postgresql+psycopg://ann:geheim@127.0.0.1:{port}/db")
    assert caught.value.retryable
    assert watch.seconds < 2
    assert "geheim" not in str(caught.value)


def test_unresponsive_server_is_a_timeout() -> None:
    """A half-open connection: the server accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        watch = Stopwatch()
        with pytest.raises(StoreError) as caught:
            SQLConversationStore(f"postgresql+psycopg://ann@127.0.0.1:{silent.getsockname()[1]}/db")
    assert caught.value.retryable
    assert watch.seconds < 5


def test_missing_database_is_named(server: PostgresServer) -> None:
    with pytest.raises(StoreError, match='database "nowhere" does not exist'):
        SQLConversationStore(server.url("nowhere"))


def test_plain_postgresql_url_works_too(server: PostgresServer) -> None:
    store = SQLConversationStore(server.url(driver="postgresql"))
    assert claim(store, "plain-url").claim is Claim.NEW
    store.close()


def test_locked_turn_is_a_retryable_error_after_the_timeout(server: PostgresServer) -> None:
    store = SQLConversationStore(server.url(), lock_timeout_s=0.3)
    other = SQLConversationStore(server.url())
    turn = claim(store, "locked")
    with other._database.writing() as db:
        db.cursor.execute("LOCK TABLE turns")
        started, watch = time.monotonic(), Stopwatch()
        with pytest.raises(StoreError, match="timeout") as caught:
            store.append(turn, [note(1)])
    assert caught.value.retryable
    assert time.monotonic() - started > 0.25
    assert watch.seconds < 2
    store.append(turn, [note(1)])
    store.close()
    other.close()


def test_more_threads_than_connections_take_turns(server: PostgresServer) -> None:
    store = SQLConversationStore(server.url())
    clients = [Client(store, f"crowd-{number}") for number in range(40)]
    for client in clients:
        client.start()
    time.sleep(0.5)
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join(20)
        assert not client.failures
        assert client.successes_at
    [(count,)] = server.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'promptvision'"
    )
    assert 1 < count <= 16
    store.close()


def test_options_of_the_url_are_kept(server: PostgresServer) -> None:
    server.execute("CREATE SCHEMA IF NOT EXISTS elsewhere")
    store = SQLConversationStore(server.url() + "?options=-csearch_path%3Delsewhere")
    claim(store, "options")
    assert server.execute("SELECT count(*) FROM elsewhere.turns") == [(1,)]
    with store._database.reading() as db:
        assert db.cursor.execute("SHOW statement_timeout").fetchone()[0] == "5s"
    store.close()


def test_value_that_postgresql_cannot_hold_is_an_error_not_worth_retrying(
    store: SQLConversationStore,
) -> None:
    with pytest.raises(StoreError, match="NUL") as caught:
        claim(store, "nul", prompt="not cleaned \x00")
    assert not caught.value.retryable
    assert store.conversation("nul", "c1") is None
