"""Transactions on the driver's own connections.

A turn commits at each of its steps. SQLAlchemy's ``Connection`` would add 0.15 ms to the 0.25 ms of each, so
SQLAlchemy only opens the connections and compiles the statements, once.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.exc import SQLAlchemyError

from promptvision.builtin.sql.engine import BEGIN_READING, BEGIN_WRITING, open_engine
from promptvision.builtin.sql.faults import store_error
from promptvision.builtin.sql.migrate import ensure_schema
from promptvision.builtin.sql.pool import ConnectionPool
from promptvision.builtin.sql.semaphore import FairSemaphore
from promptvision.errors import StoreError

__all__ = ["Database", "Transaction"]

POOL_SIZE = 16
"""Connections of one process, at most; on SQLite one more, for writing."""

Values = Mapping[str, Any]

_DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": psycopg.dialect()}  # type: ignore[no-untyped-call]


class Database:
    """An SQLite file or a PostgreSQL database with our tables.

    Args:
        url: as :func:`~promptvision.builtin.sql.engine.open_engine` takes it.
        lock_timeout_s: how long to wait for a lock, a statement or a free connection, in seconds.

    Raises:
        SetupError: the URL cannot be used, or the schema is newer than this code.
        StoreError: the database cannot be reached, or its file is damaged.
    """

    def __init__(self, url: str, lock_timeout_s: float) -> None:
        engine = open_engine(url, lock_timeout_s)
        self._lock_timeout_s = lock_timeout_s
        self.dialect = engine.dialect.name
        """``sqlite`` or ``postgresql``."""
        self.where = engine.url.render_as_string(hide_password=True)
        """The URL without its password, for messages."""
        self._faults = (SQLAlchemyError, engine.dialect.loaded_dbapi.Error)
        self._pool = ConnectionPool(engine)
        self._readers = FairSemaphore(POOL_SIZE)
        # SQLite has one writer at a time and waits in growing pauses; threads that queue here wait less.
        self._writers = FairSemaphore(1) if self.dialect == "sqlite" else self._readers
        try:
            ensure_schema(engine)
        except self._faults as exc:
            raise store_error(self.where, exc) from exc

    def reading(self) -> AbstractContextManager[Transaction]:
        """Read from one state of the database.

        Raises:
            StoreError: the database failed, or was busy for too long.
        """
        return self._transaction(BEGIN_READING[self.dialect], self._readers)

    def writing(self) -> AbstractContextManager[Transaction]:
        """Write all or nothing: durable at the end of the block, rolled back if it raises.

        Raises:
            StoreError: the database failed, or was locked for too long.
            ClashError: a row stands in the way of another.
        """
        return self._transaction(BEGIN_WRITING[self.dialect], self._writers)

    @contextmanager
    def _transaction(self, begin: str, turnstile: FairSemaphore) -> Iterator[Transaction]:
        if not turnstile.enter(self._lock_timeout_s):
            raise StoreError(f"conversations: {self.where}: locked for too long", retryable=True)
        try:
            connection = self._pool.acquire(begin)
            try:
                yield Transaction(connection.cursor(), self.dialect)
                connection.commit()
            finally:
                self._pool.release(connection)
        except self._faults as exc:
            raise store_error(self.where, exc) from exc
        finally:
            turnstile.leave()

    def close(self) -> None:
        """Give back connections."""
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
        """The rows that a statement returns, as named tuples."""
        compiled = _compiled(statement, self._dialect, tuple(values))
        self.cursor.execute(compiled.text, compiled.bound(values))
        return [compiled.row(found) for found in self.cursor.fetchall()]

    def change(self, statement: ClauseElement, values: Values) -> int:
        """How many rows a statement changed."""
        compiled = _compiled(statement, self._dialect, tuple(values))
        self.cursor.execute(compiled.text, compiled.bound(values))
        count: int = self.cursor.rowcount
        return count

    def insert(self, statement: ClauseElement, rows: Sequence[Values]) -> None:
        """Insert rows, at least one, that have the same columns in the same order."""
        compiled = _compiled(statement, self._dialect, tuple(rows[0]))
        self.cursor.executemany(compiled.text, [compiled.bound(row) for row in rows])


class _Compiled(NamedTuple):
    """A statement as the driver wants it: its text, the order of its values (None: they are named in the
    text), the values that are always the same, and what makes a named tuple of a row."""

    text: str
    names: Sequence[str] | None
    constants: Values
    row: Any

    def bound(self, values: Values) -> Any:
        """The values in the form that the driver takes."""
        known = {**self.constants, **values} if self.constants else values
        return known if self.names is None else [known[name] for name in self.names]


@cache
def _compiled(statement: Any, dialect: str, columns: tuple[str, ...]) -> _Compiled:
    compiled: Any = statement.compile(dialect=_DIALECTS[dialect], column_keys=columns)
    row = namedtuple("row", statement.exported_columns.keys(), rename=True)  # type: ignore[misc]  # noqa: PYI024
    constants = {name: value for name, value in compiled.params.items() if name not in columns}
    return _Compiled(compiled.string, compiled.positiontup, constants, row._make)
