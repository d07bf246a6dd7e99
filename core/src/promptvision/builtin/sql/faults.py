"""What a database's failure means to a caller: a store error, and whether trying again can help."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from promptvision.errors import StoreError

__all__ = ["converted_faults"]

_SQLITE_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_SQLITE_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_POSTGRESQL_PASSING = ("08", "40", "53", "55P03", "57", "58")
"""Classes of SQLSTATE: connection, rollback, resources, lock not available, operator intervention, system.

Source: PostgreSQL manual, appendix A.
"""


@contextmanager
def converted_faults(where: str) -> Iterator[None]:
    """Turn every database error into a :class:`StoreError`.

    Args:
        where: the database's URL without its password, for the message.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as exc:
        raise _store_error(where, exc) from exc


def _store_error(where: str, exc: Exception) -> StoreError:
    cause = exc.orig if isinstance(exc, DBAPIError) and exc.orig is not None else exc
    said = " ".join(str(cause).split())[:300]
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the primary code is the low byte
        if code in _SQLITE_DAMAGE:
            return StoreError(
                f"conversations: {where}: the database file is damaged: {said}",
                hint="restore it from a backup, or move it away to begin with an empty one",
            )
        return StoreError(f"conversations: {where}: {said}", retryable=code in _SQLITE_PASSING)
    return StoreError(f"conversations: {where}: {said}", retryable=_passes(exc, cause))


def _passes(exc: Exception, cause: BaseException) -> bool:
    if isinstance(exc, PoolTimeout):
        return True
    state = getattr(cause, "sqlstate", None)
    if state is None:  # the server said nothing: it is not there, or the connection broke
        return isinstance(exc, DBAPIError) and (exc.connection_invalidated or _is_operational(cause))
    return str(state).startswith(_POSTGRESQL_PASSING)


def _is_operational(cause: BaseException) -> bool:
    return any(kind.__name__ == "OperationalError" for kind in type(cause).__mro__)
