"""Claims whose answer is lost, on a real PostgreSQL behind a proxy that drops answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from promptvision.builtin.sql.claims import UnansweredClaims
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.conversations.turn import Claim, TurnKey, TurnStatus
from promptvision.errors import StoreError
from promptvision.testing.needs import enter_or_skip
from promptvision.testing.postgres import PostgresServer, postgres_server
from promptvision.testing.turns import claim, note


class CommitDropper:
    """A TCP proxy that can drop the server's answer to ``COMMIT``, together with the connection."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.losses = 0
        """How many answers will be dropped."""
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._upstream))
                self._threads.append(threading.Thread(target=self._pump, args=(client, server), daemon=True))
                self._threads[-1].start()

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        lost, committed = threading.Event(), threading.Event()
        back = threading.Thread(target=_copy, args=(server, client, lost, committed), daemon=True)
        with client, server, suppress(OSError):
            back.start()
            while not lost.is_set() and (data := client.recv(65536)):
                if b"COMMIT" in data and self.losses > 0:
                    self.losses -= 1
                    lost.set()
                server.sendall(data)
            if lost.is_set():
                committed.wait(30)
                _shut(client)
            _shut(server)
        back.join(10)

    def close(self) -> None:
        self._listener.close()


def _copy(
    source: socket.socket, sink: socket.socket, lost: threading.Event, committed: threading.Event
) -> None:
    """Copy what the server sends, but for its answer to the ``COMMIT`` that is lost."""
    with suppress(OSError):
        while data := source.recv(65536):
            if lost.is_set():
                committed.set()
                continue
            with suppress(OSError):
                sink.sendall(data)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with ExitStack() as stack:
        yield enter_or_skip(stack, postgres_server())


@pytest.fixture
def proxy(server: PostgresServer) -> Iterator[CommitDropper]:
    proxy = CommitDropper(server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def store(server: PostgresServer, proxy: CommitDropper) -> Iterator[SQLConversationStore]:
    store = SQLConversationStore(f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres")
    for user in store.users():
        store.delete(user, "c1")
    yield store
    proxy.losses = 0
    store.close()


def test_claim_whose_answer_was_lost_is_repeated_at_once(
    store: SQLConversationStore, proxy: CommitDropper
) -> None:
    proxy.losses = 1
    with pytest.raises(StoreError) as lost:
        claim(store, "ann")
    assert lost.value.retryable
    [written] = store.history("ann", "c1", 10)
    assert written.status is TurnStatus.RUNNING, "the server has committed it"
    again = claim(store, "ann", lease_s=60)
    assert (again.claim, again.id, again.fence) == (Claim.NEW, written.id, 1)
    store.append(again, [note(1)])
    assert claim(store, "ann").claim is Claim.BUSY, "an answered claim is taken once"
    store.finish_turn(again, TurnStatus.DONE, {"text_response": "done"})
    assert claim(store, "ann").claim is Claim.DONE


def test_take_over_whose_answer_was_lost_is_repeated_with_its_events(
    store: SQLConversationStore, proxy: CommitDropper
) -> None:
    first = claim(store, "ann")
    store.append(first, [note(1)])
    store.finish_turn(first, TurnStatus.INTERRUPTED, {})
    proxy.losses = 1
    with pytest.raises(StoreError):
        claim(store, "ann")
    again = claim(store, "ann")
    assert (again.claim, again.id, again.fence) == (Claim.RESUMED, first.id, first.fence + 1)
    assert again.events == (note(1),)
    store.append(again, [note(2)])


def test_many_claims_after_a_lost_answer_give_one_turn(
    store: SQLConversationStore, proxy: CommitDropper
) -> None:
    proxy.losses = 1
    with pytest.raises(StoreError):
        claim(store, "ann")
    with ThreadPoolExecutor(8) as threads:
        claims = [turn.claim for turn in threads.map(lambda _: claim(store, "ann"), range(16))]
    assert sorted(claims) == [Claim.BUSY] * 15 + [Claim.NEW]


def test_another_process_waits_for_the_lease(
    store: SQLConversationStore, proxy: CommitDropper, server: PostgresServer
) -> None:
    proxy.losses = 1
    with pytest.raises(StoreError):
        claim(store, "ann")
    other = SQLConversationStore(server.url())
    assert claim(other, "ann").claim is Claim.BUSY
    other.close()


def test_nonce_is_kept_after_a_store_failure_alone() -> None:
    claims, key = UnansweredClaims(), TurnKey("ann", "c1", "p1")
    with pytest.raises(StoreError), claims.nonce(key, "f") as lost:
        raise StoreError("gone")
    with claims.nonce(key, "other") as different:
        pass
    with claims.nonce(key, "f") as again, claims.nonce(key, "f") as beside:
        pass
    with pytest.raises(ValueError, match="bug"), claims.nonce(key, "f") as after:
        raise ValueError("bug")
    assert again == lost
    assert len({lost, different, beside, after}) == 4
