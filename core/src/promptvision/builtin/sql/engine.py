"""Database engines configured for durable writes and bounded waits."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from promptvision.errors import SetupError

__all__ = ["BEGIN_READING", "BEGIN_WRITING", "database_name", "open_engine"]

CONNECT_TIMEOUT_S = 3

BEGIN_READING = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ"}
"""Begins a transaction that reads one snapshot."""

BEGIN_WRITING = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN"}
"""Begins a transaction that writes; an SQLite file is locked from here on."""


def open_engine(url: str, lock_timeout_s: float) -> Engine:
    """Create an engine for a database URL, without connecting.

    The driver's connections do not begin transactions by themselves. SQLAlchemy's ``Connection`` begins to
    read, or with ``engine.execution_options(writes=True)`` to write.

    Args:
        url: ``sqlite:///path`` or ``postgresql+psycopg://user:password@host/database``.
        lock_timeout_s: limit of the wait for a lock or a statement, in seconds.

    Raises:
        SetupError: the URL is invalid, or the driver is not installed.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as exc:
        raise SetupError("conversations: the URL is invalid", hint=_URL_HINT) from exc
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        engine = _open_sqlite(parsed, lock_timeout_s)
    elif backend in ("postgresql", "postgres"):
        engine = _open_postgresql(parsed.set(drivername="postgresql+psycopg"), lock_timeout_s)
    else:
        raise SetupError(f"conversations: no store for {backend!r} URLs", hint=_URL_HINT)
    event.listen(engine, "begin", _begin)
    return engine


def database_name(url: URL) -> str:
    """Return backend, host and database of a URL, without the rest, which may contain a password."""
    shown = URL.create(url.get_backend_name(), host=url.host, port=url.port, database=url.database)
    return shown.render_as_string()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql((BEGIN_WRITING if writes else BEGIN_READING)[connection.dialect.name])


_URL_HINT = "write sqlite:///path/to/file.db or postgresql+psycopg://user:password@host/database"


def _open_sqlite(url: URL, lock_timeout_s: float) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise SetupError("conversations: an SQLite URL needs a file", hint="write sqlite:///path or memory:")
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise SetupError(f"conversations: {folder}: {exc.strerror}", hint="set PROMPTVISION_HOME") from exc
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        connect_args={"timeout": lock_timeout_s},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions itself
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _open_postgresql(url: URL, lock_timeout_s: float) -> Engine:
    limit_ms = round(lock_timeout_s * 1000)
    limits = {
        "statement_timeout": limit_ms,
        "lock_timeout": limit_ms,
        "idle_in_transaction_session_timeout": 4 * limit_ms,
    }
    options = [str(url.query.get("options", ""))] + [f"-c {name}={value}" for name, value in limits.items()]
    try:
        return create_engine(
            url,
            connect_args={
                "autocommit": True,
                "connect_timeout": CONNECT_TIMEOUT_S,
                "tcp_user_timeout": limit_ms,
                "application_name": "promptvision",
                "options": " ".join(options).strip(),
            },
        )
    except ModuleNotFoundError as exc:
        raise SetupError(
            "conversations: PostgreSQL needs its driver", hint="pip install 'promptvision[postgresql]'"
        ) from exc
