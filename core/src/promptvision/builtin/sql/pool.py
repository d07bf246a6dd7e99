"""A pool of the driver's connections, each used by one transaction at a time."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy import Engine

__all__ = ["ConnectionPool"]

_SHORTER_S = 0.02
"""Changes of the lock timeout below this are not sent to the database."""


class ConnectionPool:
    """Keeps idle connections for the next transaction. The callers limit their number.

    SQLAlchemy's own pool takes 6 microseconds to return a connection, but 50 after the processor has waited
    for the disk (measured): as much as all other work of a write outside the database.

    Args:
        engine: opens the connections, which must not begin transactions by themselves.
        lock_timeout_s: wait for a lock that the engine's connections are opened with, in seconds.
    """

    def __init__(self, engine: Engine, lock_timeout_s: float) -> None:
        self._engine = engine
        self._lock_timeout_s = lock_timeout_s
        self._is_file = engine.dialect.name == "sqlite"
        self._driver_error = engine.dialect.loaded_dbapi.Error
        self._idle: list[Any] = []  # its append and pop are thread-safe
        self._is_closed = False

    def acquire(self, begin: str, wait_s: float) -> Any:
        """Return a connection on which ``begin`` has been executed; pass it to :meth:`release` afterwards.

        Args:
            begin: the statement that begins the transaction.
            wait_s: remaining wait for the lock of an SQLite file, in seconds.

        Raises:
            Exception: the driver's, if it cannot connect or begin.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._begun(self._connect(), begin, wait_s)
        try:
            return self._begun(connection, begin, wait_s)
        except self._driver_error:
            if not _is_broken(connection):
                raise
        self._close_idle()  # the server was restarted, so all of them are broken
        return self._begun(self._connect(), begin, wait_s)

    def _begun(self, connection: Any, begin: str, wait_s: float) -> Any:
        is_shorter = self._is_file and wait_s < self._lock_timeout_s - _SHORTER_S
        try:
            if is_shorter:
                _limit_wait(connection, wait_s)
            try:
                connection.execute(begin)
            finally:
                if is_shorter:
                    _limit_wait(connection, self._lock_timeout_s)
        except BaseException:
            self.release(connection)
            raise
        return connection

    def _connect(self) -> Any:
        proxy = self._engine.raw_connection()
        connection = proxy.dbapi_connection
        proxy.detach()
        return connection

    def release(self, connection: Any) -> None:
        """Return a connection to the pool, and roll back an open transaction."""
        try:
            connection.rollback()
        except self._driver_error:
            connection.close()
            return
        self._idle.append(connection)
        if self._is_closed:
            self._close_idle()

    def _close_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def close(self) -> None:
        """Close all connections; those in use when they are released."""
        self._is_closed = True
        self._close_idle()
        self._engine.dispose()


def _limit_wait(connection: Any, wait_s: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {max(round(wait_s * 1000), 1)}")


def _is_broken(connection: Any) -> bool:
    """Whether the server has ended a connection; a connection to a file does not end."""
    return bool(getattr(connection, "closed", False))
