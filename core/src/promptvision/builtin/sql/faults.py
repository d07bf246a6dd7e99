"""Convert database errors to store errors, marked as retryable or not."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from promptvision.errors import StoreError

__all__ = ["ClashError", "store_error"]

_SQLITE_TRANSIENT = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_SQLITE_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_POSTGRESQL_TRANSIENT = ("08", "40", "53", "55P03", "57", "58")
"""Classes of SQLSTATE: connection, rollback, resources, lock not available, operator intervention, system.

Source: PostgreSQL manual, appendix A.
"""


class ClashError(StoreError):
    """A constraint was violated: a row conflicts with another, or one that it refers to is missing."""


def store_error(where: str, exc: Exception) -> StoreError:
    """Convert an error of the driver or of SQLAlchemy.

    Args:
        where: backend, host and database, for the message.
        exc: the exception.
    """
    cause = exc.orig if isinstance(exc, DBAPIError) and exc.orig is not None else exc
    message = " ".join(str(cause).split())[:300]
    if _is_a("IntegrityError", cause):
        return ClashError(f"conversations: {where}: {message}")
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the primary code is the low byte
        if code in _SQLITE_DAMAGE:
            return StoreError(
                f"conversations: {where}: the database file is damaged: {message}",
                hint="restore it from a backup, or move it away to start with an empty database",
            )
        return StoreError(f"conversations: {where}: {message}", retryable=code in _SQLITE_TRANSIENT)
    return StoreError(f"conversations: {where}: {message}", retryable=_is_transient(cause))


def _is_transient(cause: BaseException) -> bool:
    state = getattr(cause, "sqlstate", None)
    if state is None:  # no answer from the server: it is down, or the connection broke
        return _is_a("OperationalError", cause)
    return str(state).startswith(_POSTGRESQL_TRANSIENT)


def _is_a(name: str, cause: BaseException) -> bool:
    """Whether an error is of a class of PEP 249, which each driver defines separately."""
    return any(kind.__name__ == name for kind in type(cause).__mro__)
