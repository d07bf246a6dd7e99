"""Contract tests for conversation stores that several processes use, some of which are killed.

Subclass :class:`SharedStoreContract` in a test module and define an ``open_store`` fixture: a function that
opens the store, once in each process.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from random import Random
from typing import Any

import pytest

from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import Claim, Turn, TurnStatus
from promptvision.errors import LeaseLost
from promptvision.testing.turns import claim, note

__all__ = ["SharedStoreContract"]

OpenStore = Callable[[], ConversationStore]

_FORK = multiprocessing.get_context("fork")
EVENTS_PER_TURN = 4
PATIENCE_S = 20
"""A test fails if it waits longer than this."""


class SharedStoreContract:
    """Contract tests for shared stores. A subclass defines the ``open_store`` fixture."""

    rounds = 10
    """How often the writers are killed."""

    @pytest.fixture
    def user(self) -> str:
        """A user that no other test uses."""
        return f"user-{uuid.uuid4().hex}"

    def test_fifty_duplicates_in_two_processes_run_once(self, open_store: OpenStore, user: str) -> None:
        """Exactly one of 50 concurrent claims gets the turn, whichever process it comes from."""
        barrier = _FORK.Barrier(2)
        with (
            _process(_claim_often, open_store, user, barrier) as (_, one),
            _process(_claim_often, open_store, user, barrier) as (_, other),
        ):
            turns: list[Turn] = [*_received(one), *_received(other)]
        assert Counter(turn.claim for turn in turns) == {Claim.NEW: 1, Claim.BUSY: 49}
        assert len({turn.id for turn in turns}) == 1

    def test_killed_owner_is_replaced_after_its_lease(self, open_store: OpenStore, user: str) -> None:
        """The next claim gets the turn with its journal; a late write of the dead owner is rejected."""
        with _process(_own_turn, open_store, user) as (process, pipe):
            turn: Turn = _received(pipe)
            process.kill()
            process.join(PATIENCE_S)
        store = open_store()
        new = _claimed_after_lease(store, user)
        assert (new.claim, new.id, new.fence, new.events) == (
            Claim.RESUMED,
            turn.id,
            turn.fence + 1,
            (note(1),),
        )
        _assert_writes_refused(store, turn)
        store.append(new, [note(2)])
        store.finish_turn(new, TurnStatus.DONE, {"text": "by the second owner"})
        _assert_writes_refused(store, turn)
        again = claim(store, user)
        assert (again.reply, again.events) == ({"text": "by the second owner"}, (note(1), note(2)))
        store.close()

    def test_paused_owner_finds_its_turn_taken(self, open_store: OpenStore, user: str) -> None:
        """An owner that was suspended is rejected when it resumes."""
        with _process(_own_turn, open_store, user) as (process, pipe):
            turn: Turn = _received(pipe)
            os.kill(process.pid or 0, signal.SIGSTOP)
            store = open_store()
            new = _claimed_after_lease(store, user)
            pipe.send("write now")
            os.kill(process.pid or 0, signal.SIGCONT)
            assert _received(pipe) == "LeaseLost"
            store.append(new, [note(2)])
            found = store.turn(user, turn.id)
            assert found is not None
            assert found.events == (note(1), note(2))
            store.close()

    def test_killed_writers_lose_nothing_acknowledged(
        self, open_store: OpenStore, user: str, tmp_path: Path
    ) -> None:
        """After rounds of kill -9 every acknowledged entry exists once, in order and without gaps."""
        random = Random(user)  # noqa: S311  # not a secret
        logs = [tmp_path / f"acknowledged-{number}" for number in range(2)]
        for _ in range(self.rounds):
            with (
                _process(_write, open_store, user, "c0", logs[0]) as (one, one_ready),
                _process(_write, open_store, user, "c1", logs[1]) as (other, other_ready),
            ):
                assert [_received(one_ready), _received(other_ready)] == ["ready", "ready"]
                time.sleep(random.uniform(0.05, 0.3))
                one.kill()
                other.kill()
        store = open_store()
        written = [_check_conversation(store, user, f"c{number}", log) for number, log in enumerate(logs)]
        assert min(written) > self.rounds
        store.close()


@contextmanager
def _process(work: Callable[..., None], *arguments: object) -> Iterator[tuple[BaseProcess, Connection]]:
    """A process that runs the work, with a pipe to it; killed at the end."""
    ours, theirs = _FORK.Pipe()
    process = _FORK.Process(target=work, args=(theirs, *arguments))
    process.start()
    theirs.close()
    try:
        yield process, ours
    finally:
        process.kill()
        process.join(PATIENCE_S)
        ours.close()


def _received(pipe: Connection) -> Any:
    assert pipe.poll(PATIENCE_S), "the other process sent nothing"
    return pipe.recv()


def _claim_often(pipe: Connection, open_store: OpenStore, user: str, barrier: Barrier) -> None:
    store = open_store()
    barrier.wait(PATIENCE_S)
    with ThreadPoolExecutor(25) as pool:
        pipe.send(list(pool.map(lambda _: claim(store, user), range(25))))


def _own_turn(pipe: Connection, open_store: OpenStore, user: str) -> None:
    store = open_store()
    turn = claim(store, user, owner="first")
    store.append(turn, [note(1)])
    pipe.send(turn)
    pipe.recv()
    try:
        store.append(turn, [note(2, "late")])
    except LeaseLost:
        pipe.send("LeaseLost")
    else:
        pipe.send("written")


def _claimed_after_lease(store: ConversationStore, user: str) -> Turn:
    deadline = time.monotonic() + PATIENCE_S
    while (turn := claim(store, user, owner="second", lease_s=0.3)).claim is Claim.BUSY:
        assert time.monotonic() < deadline, "the lease never ends"
        time.sleep(0.02)
    return turn


def _assert_writes_refused(store: ConversationStore, turn: Turn) -> None:
    with pytest.raises(LeaseLost):
        store.heartbeat(turn)
    with pytest.raises(LeaseLost):
        store.append(turn, [note(2, "late")])
    with pytest.raises(LeaseLost):
        store.finish_turn(turn, TurnStatus.DONE, {"text": "late"})


def _write(pipe: Connection, open_store: OpenStore, user: str, conversation: str, log: Path) -> None:
    """Run turns until killed, and record each acknowledged write at once."""
    store = open_store()
    acknowledged = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note_down(*what: object) -> None:
        os.write(acknowledged, json.dumps(what).encode() + b"\n")

    pipe.send("ready")
    while True:
        turn = claim(
            store, user, _next_prompt_id(store, user, conversation), conversation=conversation, lease_s=0
        )
        for seq in range(len(turn.events) + 1, EVENTS_PER_TURN + 1):
            store.append(turn, [note(seq, f"{turn.id} {seq}")])
            note_down("event", turn.id, seq)
        store.finish_turn(turn, TurnStatus.DONE, {"turn": turn.id})
        note_down("reply", turn.id)


def _next_prompt_id(store: ConversationStore, user: str, conversation: str) -> str:
    """The next prompt, or the last one again if it was not answered."""
    last = store.history(user, conversation, 1)
    if not last:
        return "p1"
    return last[0].key.prompt_id if last[0].status is not TurnStatus.DONE else f"p{last[0].seq + 1}"


def _check_conversation(store: ConversationStore, user: str, conversation: str, log: Path) -> int:
    """Compare a conversation with its acknowledged entries; return their number."""
    turns = store.history(user, conversation, 1_000_000)
    assert [turn.seq for turn in turns] == list(range(1, len(turns) + 1))
    assert all(turn.status is TurnStatus.DONE for turn in turns[:-1])
    found = {turn.id: turn for turn in turns}
    acknowledged: defaultdict[str, list[int]] = defaultdict(list)
    for line in log.read_text("utf-8").splitlines():
        kind, turn_id, *seq = json.loads(line)
        if kind == "event":
            acknowledged[turn_id].append(seq[0])
        else:
            assert found[turn_id].reply == {"turn": turn_id}
    for turn in turns:
        count = len(turn.events)
        assert turn.events == tuple(note(seq, f"{turn.id} {seq}") for seq in range(1, count + 1))
        assert acknowledged[turn.id] == sorted(set(acknowledged[turn.id]))
        assert set(acknowledged[turn.id]) <= set(range(1, count + 1))
    assert set(acknowledged) <= set(found)
    return sum(map(len, acknowledged.values()))
