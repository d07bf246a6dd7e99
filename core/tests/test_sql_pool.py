"""The pool of driver connections, on a real SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from promptvision.builtin.sql.engine import open_engine
from promptvision.builtin.sql.pool import ConnectionPool
from promptvision.testing import Stopwatch


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'talks.db'}", 1.0)
    yield engine
    engine.dispose()


@pytest.fixture
def pool(engine: Engine) -> Iterator[ConnectionPool]:
    pool = ConnectionPool(engine, 1.0)
    yield pool
    pool.close()


def test_released_connection_is_used_again(pool: ConnectionPool) -> None:
    first = pool.acquire("BEGIN", 1.0)
    second = pool.acquire("BEGIN", 1.0)
    assert first is not second
    pool.release(first)
    assert pool.acquire("BEGIN", 1.0) is first
    pool.release(first)
    pool.release(second)


def test_what_was_not_committed_is_rolled_back(pool: ConnectionPool) -> None:
    connection = pool.acquire("BEGIN IMMEDIATE", 1.0)
    connection.execute("CREATE TABLE t (x)")
    pool.release(connection)
    assert not connection.in_transaction
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_remaining_wait_limits_the_wait_for_the_lock(pool: ConnectionPool, tmp_path: Path) -> None:
    pool.release(pool.acquire("BEGIN", 1.0))
    holder = sqlite3.connect(tmp_path / "talks.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    watch = Stopwatch()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        pool.acquire("BEGIN IMMEDIATE", 0.1)
    assert watch.seconds < 0.9, "the whole timeout is 1 s"
    holder.close()
    connection = pool.acquire("BEGIN", 1.0)
    assert connection.execute("PRAGMA busy_timeout").fetchone() == (1000,)
    pool.release(connection)


def test_connection_in_use_is_closed_when_it_comes_back(pool: ConnectionPool) -> None:
    connection = pool.acquire("BEGIN", 1.0)
    pool.close()
    assert connection.execute("SELECT 1").fetchone() == (1,)
    pool.release(connection)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
