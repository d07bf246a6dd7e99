"""Connections of the driver, lent to one transaction at a time."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy import Engine

__all__ = ["ConnectionPool"]


class ConnectionPool:
    """Keeps the connections that an engine makes. How many they become is for the borrowers to limit.

    SQLAlchemy's own pool takes 6 microseconds to lend one, but 50 when the processor comes back from waiting
    for the disk (measured): as much as all else that a write does outside the database.

    Args:
        engine: makes the connections, which must not begin transactions by themselves.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._driver_error = engine.dialect.loaded_dbapi.Error
        self._idle: list[Any] = []  # its append and pop are safe between threads
        self._is_closed = False

    def acquire(self, begin: str) -> Any:
        """A connection on which ``begin`` has been run, to be given to :meth:`release`.

        Raises:
            Exception: the driver's, when it cannot connect or begin.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._begun(self._connect(), begin)
        try:
            return self._begun(connection, begin)
        except self._driver_error:
            if not _is_broken(connection):
                raise
        self._close_idle()  # the server was away, which broke all of them
        return self._begun(self._connect(), begin)

    def _begun(self, connection: Any, begin: str) -> Any:
        try:
            connection.execute(begin)
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
        """End a loan. What was not committed is rolled back."""
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
        """Close all connections: those that are lent, when they come back."""
        self._is_closed = True
        self._close_idle()
        self._engine.dispose()


def _is_broken(connection: Any) -> bool:
    """Whether a connection to a server has ended; one to a file does not end."""
    return bool(getattr(connection, "closed", False))
