"""The conversation contract on SQLite, and behaviour specific to SQLite files."""

from __future__ import annotations

import sqlite3
import stat
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import run

import pytest
from sqlalchemy.dialects import sqlite

from promptvision.builtin.sql import default_sqlite_url
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.conversations.turn import Claim, Event, EventKind, TurnStatus
from promptvision.errors import LeaseLost, SetupError, StoreError
from promptvision.testing.conversation_store import ConversationStoreContract
from promptvision.testing.stopwatch import Stopwatch
from promptvision.testing.turns import claim, image_event, note


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def store(home: Path) -> Iterator[SQLConversationStore]:
    store = SQLConversationStore(default_sqlite_url(home))
    yield store
    store.close()


class TestSQLiteConversationStore(ConversationStoreContract):
    pass


def test_what_is_written_is_there_after_reopening(home: Path, store: SQLConversationStore) -> None:
    turn = claim(store, "ann")
    store.append(turn, [note(1), image_event(2, 1, "a" * 64)])
    store.add_image("ann", "b" * 64)
    again = SQLConversationStore(default_sqlite_url(home))
    assert again.history("ann", "c1", 5)[0].events == (note(1), image_event(2, 1, "a" * 64))
    assert again.owns_image("ann", "b" * 64)
    assert claim(again, "ann").claim is Claim.BUSY
    again.close()


def test_folder_is_for_its_owner_alone(home: Path, store: SQLConversationStore) -> None:
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_file_is_durable_and_checks_references(home: Path, store: SQLConversationStore) -> None:
    with store._database.reading() as db:
        assert db.cursor.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.cursor.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
        assert db.cursor.execute("PRAGMA foreign_keys").fetchone()[0] == 1


def test_deleting_a_conversation_leaves_no_rows(home: Path, store: SQLConversationStore) -> None:
    turn = claim(store, "ann")
    store.append(turn, [note(1)])
    store.delete("ann", "c1")
    with store._database.reading() as db:
        for table in ("conversations", "turns", "events"):
            assert db.cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0


def test_gap_in_the_journal_is_refused(store: SQLConversationStore) -> None:
    turn = claim(store, "ann")
    with pytest.raises(StoreError, match="entry 2 does not follow entry 0"):
        store.append(turn, [note(2)])
    with pytest.raises(StoreError, match="without gaps"):
        store.append(turn, [note(1), note(3)])
    assert store.history("ann", "c1", 1)[0].events == ()


def test_locked_file_is_a_retryable_error_after_the_timeout(home: Path) -> None:
    store = SQLConversationStore(default_sqlite_url(home), lock_timeout_s=0.2)
    turn = claim(store, "ann")
    other = sqlite3.connect(home / "conversations.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    started, watch = time.monotonic(), Stopwatch()
    with pytest.raises(StoreError, match="locked") as caught:
        store.append(turn, [note(1)])
    assert caught.value.retryable
    assert time.monotonic() - started > 0.15
    assert watch.seconds < 2
    assert store.history("ann", "c1", 1)[0].events == ()  # readers do not block
    other.execute("ROLLBACK")
    other.close()
    store.append(turn, [note(1)])
    store.close()


def test_wait_in_the_queue_and_for_the_file_share_one_timeout(home: Path) -> None:
    store = SQLConversationStore(default_sqlite_url(home), lock_timeout_s=1)
    turn = claim(store, "ann")
    other = sqlite3.connect(home / "conversations.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    def wait(number: int) -> float:
        started = time.monotonic()
        with pytest.raises(StoreError, match="locked"):
            store.append(turn, [note(1)])
        return time.monotonic() - started

    with ThreadPoolExecutor(3) as threads:
        waits = list(threads.map(wait, range(3)))
    assert max(waits) < 1.8, "two full timeouts one after another would take 2 s"
    other.execute("ROLLBACK")
    other.close()
    store.append(turn, [note(1)])
    with store._database.writing() as db:
        assert db.cursor.execute("PRAGMA busy_timeout").fetchone()[0] == 1000, "it is whole again"
    store.close()


def test_threads_behind_a_stuck_writer_time_out(home: Path) -> None:
    store = SQLConversationStore(default_sqlite_url(home), lock_timeout_s=0.2)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store._database.writing():
            inside.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(10)
    with pytest.raises(StoreError, match="locked for too long") as caught:
        claim(store, "ann")
    assert caught.value.retryable
    leave.set()
    holder.join(10)
    assert claim(store, "ann").claim is Claim.NEW
    store.close()


def test_full_disk_is_a_retryable_error_and_recovers(store: SQLConversationStore) -> None:
    turn = claim(store, "ann")
    large = Event(seq=1, kind=EventKind.NOTE, data={"text": "x" * 1_000_000})
    with store._database.reading() as db:
        pages = db.cursor.execute("PRAGMA page_count").fetchone()[0]
        db.cursor.execute(f"PRAGMA max_page_count = {pages + 10}")
    with pytest.raises(StoreError, match="full") as caught:
        store.append(turn, [large])
    assert caught.value.retryable
    store.append(turn, [note(1)])
    with store._database.reading() as db:
        db.cursor.execute("PRAGMA max_page_count = 1000000")
    store.append(turn, [Event(seq=2, kind=EventKind.NOTE, data=large.data)])
    assert len(store.history("ann", "c1", 1)[0].events) == 2


def test_failed_write_leaves_no_transaction_open(home: Path, store: SQLConversationStore) -> None:
    turn = claim(store, "ann")
    store.finish_turn(turn, TurnStatus.DONE, {})

    def interrupted() -> None:
        with store._database.writing() as db:
            db.cursor.execute("DELETE FROM conversations")
            raise KeyboardInterrupt

    with pytest.raises(LeaseLost):
        store.append(turn, [note(1)])
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    other = sqlite3.connect(home / "conversations.db", isolation_level=None, timeout=0)
    other.execute("BEGIN EXCLUSIVE")
    other.close()
    assert len(store.history("ann", "c1", 1)) == 1


def test_connection_in_use_when_the_store_closes_is_closed_afterwards(home: Path) -> None:
    store = SQLConversationStore(default_sqlite_url(home))
    with store._database.reading() as db:
        store.close()
        assert db.cursor.execute("SELECT 1").fetchall() == [(1,)]
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        db.cursor.execute("SELECT 1")


def test_many_threads_share_few_connections(store: SQLConversationStore) -> None:
    turn = claim(store, "ann")
    store.append(turn, [note(1)])
    with ThreadPoolExecutor(40) as threads:
        found = list(threads.map(lambda _: store.turn("ann", turn.id), range(400)))
    assert all(it is not None and it.events == (note(1),) for it in found)
    assert 1 <= len(store._database._pool._idle) <= 17


def _fill(home: Path) -> Path:
    store = SQLConversationStore(default_sqlite_url(home))
    for number in range(40):
        turn = claim(store, "ann", f"p{number}", prompt=f"prompt {number} " * 50)
        store.append(turn, [note(1, "event " * 200)])
        store.finish_turn(turn, TurnStatus.DONE, {"text": "reply " * 100})
    store.close()
    return home / "conversations.db"


@pytest.mark.parametrize("place", ["header", "pages"])
def test_damaged_file_is_refused_with_a_clear_message(home: Path, place: str) -> None:
    file = _fill(home)
    data = bytearray(file.read_bytes())
    first = 0 if place == "header" else 4096  # behind the page that holds the schema
    data[first : len(data)] = bytes(byte ^ 0xFF for byte in data[first:])
    file.write_bytes(data)

    def use() -> None:
        store = SQLConversationStore(default_sqlite_url(home))
        try:
            store.close_stale(0)
            store.history("ann", "c1", 100)
        finally:
            store.close()

    with pytest.raises(StoreError, match="the database file is damaged") as caught:
        use()
    assert not caught.value.retryable
    assert "restore it from a backup" in str(caught.value)


def test_file_of_another_kind_is_refused(home: Path) -> None:
    home.mkdir()
    (home / "conversations.db").write_text("dear diary, " * 1000)
    with pytest.raises(StoreError, match="damaged"):
        SQLConversationStore(default_sqlite_url(home))


def test_folder_that_cannot_be_made_is_a_setup_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupError, match="PROMPTVISION_HOME"):
        SQLConversationStore(default_sqlite_url(tmp_path / "file" / "home"))


@pytest.mark.parametrize("url", ["", "not a url", "mysql://host/db", "sqlite://", "sqlite:///:memory:"])
def test_unusable_url_is_a_setup_error_that_shows_a_good_one(url: str) -> None:
    with pytest.raises(SetupError, match="sqlite:///path"):
        SQLConversationStore(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://ann:hunter2@127.0.0.1:1/db",
        "postgresql+psycopg://127.0.0.1:1/db?user=ann&password=hunter2",
        "postgresql://ann@127.0.0.1:1/db?sslpassword=hunter2&passfile=hunter2",
    ],
)
def test_errors_name_the_database_and_no_secret(url: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError) as failed:
        SQLConversationStore(url)
    assert "postgresql://127.0.0.1:1/db" in str(failed.value)
    assert "hunter2" not in str(failed.value)
    assert "ann" not in str(failed.value)


def test_claims_use_the_indexes(store: SQLConversationStore) -> None:
    from promptvision.builtin.sql import statements

    claims = (statements.FIND_TURNS, statements.TURN_OF_KEY, statements.LAST_TURNS)
    for statement in (*claims, statements.IMAGES, statements.OWNS_IMAGE):
        sql = str(statement.compile(dialect=sqlite.dialect()))
        with store._database.reading() as db:
            plan = db.cursor.execute(f"EXPLAIN QUERY PLAN {sql}", ("x",) * sql.count("?")).fetchall()
        assert not [step for step in plan if step[3].startswith("SCAN") and step[3] != "SCAN CONSTANT ROW"]


def test_import_is_light_and_opening_needs_no_alembic(home: Path, store: SQLConversationStore) -> None:
    code = f"""
import sys
from promptvision.builtin.sql import default_sqlite_url
assert "sqlalchemy" not in sys.modules
from promptvision.builtin.sql.store import SQLConversationStore
SQLConversationStore({default_sqlite_url(home)!r}).close()
assert "alembic" not in sys.modules and "psycopg" not in sys.modules
"""
    run([sys.executable, "-c", code], check=True, timeout=60)
