"""Transactions on the driver's own connections.

A turn commits at each of its steps. SQLAlchemy opens the connections and compiles the statements once; its
``Connection`` and pool would make a journaled turn over HTTP a quarter slower
(``benchmarks/journaled_http.py``).
"""

from __future__ import annotations

import time
from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.exc import SQLAlchemyError

from promptvision.builtin.sql.engine import BEGIN_READING, BEGIN_WRITING, database_name, open_engine
from promptvision.builtin.sql.faults import store_error
from promptvision.builtin.sql.migrate import ensure_schema
from promptvision.builtin.sql.pool import ConnectionPool
from promptvision.builtin.sql.semaphore import FairSemaphore
from promptvision.errors import StoreError

__all__ = ["Database", "Transaction"]

POOL_SIZE = 16
"""Maximum number of connections of one process; SQLite uses one more, for writing."""

Values = Mapping[str, Any]

_DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": psycopg.dialect()}  # type: ignore[no-untyped-call]


class Database:
    """An SQLite file or a PostgreSQL database with the tables of the conversation store.

    Args:
        url: see :func:`~promptvision.builtin.sql.engine.open_engine`.
        lock_timeout_s: limit of the wait for a lock, a statement or a free connection, in seconds.

    Raises:
        SetupError: the URL is invalid, or the schema is newer than this version.
        StoreError: the database cannot be reached, or its file is damaged.
    """

    def __init__(self, url: str, lock_timeout_s: float) -> None:
        engine = open_engine(url, lock_timeout_s)
        self._lock_timeout_s = lock_timeout_s
        self.dialect = engine.dialect.name
        """``sqlite`` or ``postgresql``."""
        self.where = database_name(engine.url)
        """Backend, host and database, for messages."""
        self._faults = (SQLAlchemyError, engine.dialect.loaded_dbapi.Error)
        self._pool = ConnectionPool(engine, lock_timeout_s)
        self._readers = FairSemaphore(POOL_SIZE)
        # SQLite allows one writer and polls with growing pauses; queueing threads here shortens the wait.
        self._writers = FairSemaphore(1) if self.dialect == "sqlite" else self._readers
        try:
            ensure_schema(engine)
        except self._faults as exc:
            raise store_error(self.where, exc) from exc

    def reading(self) -> AbstractContextManager[Transaction]:
        """Read one snapshot of the database.

        Raises:
            StoreError: the database failed, or was busy for too long.
        """
        return self._transaction(BEGIN_READING[self.dialect], self._readers)

    def writing(self) -> AbstractContextManager[Transaction]:
        """Write in one transaction: durable at the end of the block, rolled back if the block raises.

        Raises:
            StoreError: the database failed, or was locked for too long.
            ClashError: a constraint of the database was violated.
        """
        return self._transaction(BEGIN_WRITING[self.dialect], self._writers)

    @contextmanager
    def _transaction(self, begin: str, slots: FairSemaphore) -> Iterator[Transaction]:
        waits_until = time.monotonic() + self._lock_timeout_s
        if not slots.acquire(self._lock_timeout_s):
            raise StoreError(f"conversations: {self.where}: locked for too long", retryable=True)
        try:
            connection = self._pool.acquire(begin, max(waits_until - time.monotonic(), 0))
            try:
                yield Transaction(connection.cursor(), self.dialect)
                connection.commit()
            finally:
                self._pool.release(connection)
        except self._faults as exc:
            raise store_error(self.where, exc) from exc
        finally:
            slots.release()

    def close(self) -> None:
        """Close all connections; those in use when they are released."""
        self._pool.close()


class Transaction:
    """Runs statements of :mod:`~promptvision.builtin.sql.statements` inside one transaction.

    Args:
        cursor: of the driver, after ``BEGIN``.
        dialect: ``sqlite`` or ``postgresql``.
    """

    def __init__(self, cursor: Any, dialect: str) -> None:
        self.cursor = cursor
        self._dialect = dialect

    def rows(self, statement: ClauseElement, values: Values) -> list[Any]:
        """Return the rows of a statement as named tuples."""
        compiled = _compiled(statement, self._dialect, tuple(values))
        self.cursor.execute(compiled.text, compiled.bound(values))
        return [compiled.row(found) for found in self.cursor.fetchall()]

    def change(self, statement: ClauseElement, values: Values) -> int:
        """Return the number of rows that a statement changed."""
        compiled = _compiled(statement, self._dialect, tuple(values))
        self.cursor.execute(compiled.text, compiled.bound(values))
        count: int = self.cursor.rowcount
        return count

    def insert(self, statement: ClauseElement, rows: Sequence[Values]) -> None:
        """Insert rows, at least one, that have the same columns in the same order."""
        compiled = _compiled(statement, self._dialect, tuple(rows[0]))
        self.cursor.executemany(compiled.text, [compiled.bound(row) for row in rows])


class _Compiled(NamedTuple):
    """A statement in the form that the driver accepts.

    Args:
        text: the SQL text.
        names: the order of its values; None if the text uses named parameters.
        constants: values that are the same in each call.
        row: converts a row to a named tuple.
    """

    text: str
    names: Sequence[str] | None
    constants: Values
    row: Any

    def bound(self, values: Values) -> Any:
        """Return the values in the form that the driver accepts."""
        known = {**self.constants, **values} if self.constants else values
        return known if self.names is None else [known[name] for name in self.names]


@cache
def _compiled(statement: Any, dialect: str, columns: tuple[str, ...]) -> _Compiled:
    compiled: Any = statement.compile(dialect=_DIALECTS[dialect], column_keys=columns)
    row = namedtuple("row", statement.exported_columns.keys(), rename=True)  # type: ignore[misc]  # noqa: PYI024
    constants = {name: value for name, value in compiled.params.items() if name not in columns}
    return _Compiled(compiled.string, compiled.positiontup, constants, row._make)
