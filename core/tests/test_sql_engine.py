"""Engines for SQLite and PostgreSQL URLs, and which parts of a URL may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from promptvision.builtin.sql.engine import database_name, open_engine
from promptvision.errors import SetupError


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://ann:secret@db.example:5433/talks", "postgresql://db.example:5433/talks"),
        ("postgresql://db.example/talks?user=ann&password=secret", "postgresql://db.example/talks"),
        ("postgresql:///talks?host=/run/secret", "postgresql:///talks"),
        ("sqlite:////data/talks.db?key=secret", "sqlite:////data/talks.db"),
    ],
)
def test_only_backend_host_and_database_are_shown(url: str, shown: str) -> None:
    assert database_name(make_url(url)) == shown


def test_sqlite_connection_is_durable_and_begins_no_transaction_itself(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'folder' / 'talks.db'}", 0.5)
    raw = engine.raw_connection()
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    found = [raw.cursor().execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    assert found == ["wal", 2, 1, 500]
    raw.cursor().execute("CREATE TABLE t (x)")
    raw.cursor().execute("INSERT INTO t VALUES (1)")
    assert raw.dbapi_connection is not None
    assert not raw.dbapi_connection.in_transaction
    raw.close()
    engine.dispose()


def test_reading_and_writing_begin_differently(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'talks.db'}", 0.5)
    with engine.execution_options(writes=True).begin() as writer:
        writer.exec_driver_sql("CREATE TABLE t (x)")
    with engine.begin() as reader, engine.execution_options(writes=True).begin() as writer:
        assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
        writer.exec_driver_sql("INSERT INTO t VALUES (1)")
        assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0, "one snapshot"
    engine.dispose()


@pytest.mark.parametrize("url", ["", "talks.db", "mysql://host/talks", "sqlite://", "sqlite:///:memory:"])
def test_unusable_url_is_a_setup_error(url: str) -> None:
    with pytest.raises(SetupError, match="conversations: "):
        open_engine(url, 1)
