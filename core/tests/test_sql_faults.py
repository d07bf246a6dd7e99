"""Database errors as store errors."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from promptvision.builtin.sql.faults import ClashError, store_error


class OperationalError(Exception):
    """An error of a driver, by the name that PEP 249 gives it."""

    sqlstate: str | None = None


def sqlite_failure(tmp_path: Path, *statements: str) -> sqlite3.Error:
    connection = sqlite3.connect(tmp_path / "talks.db", isolation_level=None)
    try:
        for statement in statements:
            connection.execute(statement)
    except sqlite3.Error as exc:
        return exc
    finally:
        connection.close()
    raise AssertionError("no statement failed")


def test_violated_constraint_is_a_clash(tmp_path: Path) -> None:
    failure = sqlite_failure(tmp_path, "CREATE TABLE t (x UNIQUE)", *["INSERT INTO t VALUES (1)"] * 2)
    error = store_error("sqlite:///talks.db", failure)
    assert isinstance(error, ClashError)
    assert error.message.startswith("conversations: sqlite:///talks.db: UNIQUE constraint failed")


def test_locked_file_may_be_tried_again(tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "talks.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    waiter = sqlite3.connect(tmp_path / "talks.db", isolation_level=None, timeout=0)
    with pytest.raises(sqlite3.OperationalError) as locked:
        waiter.execute("BEGIN IMMEDIATE")
    assert store_error("here", locked.value).retryable
    waiter.close()
    holder.close()


def test_file_that_is_not_a_database_is_reported_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "talks.db").write_text("no database " * 500)
    error = store_error("here", sqlite_failure(tmp_path, "SELECT * FROM sqlite_master"))
    assert "damaged" in error.message
    assert error.hint is not None
    assert not error.retryable


def test_wrong_statement_is_not_worth_a_retry(tmp_path: Path) -> None:
    assert not store_error("here", sqlite_failure(tmp_path, "SELECT * FROM missing")).retryable


@pytest.mark.parametrize(
    ("state", "retryable"),
    [
        (None, True),
        ("08006", True),
        ("40001", True),
        ("53300", True),
        ("55P03", True),
        ("57014", True),
        ("58030", True),
        ("42P01", False),
        ("55000", False),
        ("22P05", False),
    ],
)
def test_sqlstate_says_whether_to_retry(state: str | None, retryable: bool) -> None:
    failure = OperationalError("it\nfailed")
    failure.sqlstate = state
    error = store_error("postgresql://host/talks", DBAPIError("SELECT 1", {}, failure))
    assert (error.message, error.retryable) == (
        "conversations: postgresql://host/talks: it failed",
        retryable,
    )
