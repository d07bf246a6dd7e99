"""The tables are made and upgraded by the same scripts on SQLite and PostgreSQL, and never downgraded."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import upgrade
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from promptvision.builtin.sql.engine import open_engine
from promptvision.builtin.sql.migrate import ensure_schema
from promptvision.builtin.sql.schema import HEAD, metadata
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.errors import SetupError
from promptvision.testing.needs import enter_or_skip
from promptvision.testing.postgres import postgres_server
from promptvision.testing.turns import claim


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with ExitStack() as stack:
        yield enter_or_skip(stack, postgres_server()).url()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on an empty database."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'conversations.db'}", 5)
    else:
        engine = open_engine(request.getfixturevalue("postgres_url"), 5)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    yield engine
    engine.dispose()


def test_scripts_make_the_tables_that_the_code_uses(engine: Engine) -> None:
    ensure_schema(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD


def test_newest_script_is_the_schema_of_the_code() -> None:
    config = Config()
    config.set_main_option("script_location", "promptvision.builtin.sql:migrations")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [HEAD]
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)  # migrate.py compares revisions by number


def test_every_index_and_rule_is_there(engine: Engine) -> None:
    ensure_schema(engine)
    look = inspect(engine)
    indexes = {index["name"]: index for table in metadata.tables for index in look.get_indexes(table)}
    running = indexes["uq_turns_running"]
    assert running["unique"]
    assert "'running'" in str(running["dialect_options"][f"{engine.dialect.name}_where"])
    assert {"ix_events_image", "ix_events_conversation_image", "ix_conversations_activity"} <= set(indexes)
    assert {rule["name"] for rule in look.get_unique_constraints("turns")} == {
        "uq_turns_prompt",
        "uq_turns_seq",
    }
    assert {rule["name"] for rule in look.get_foreign_keys("events")} == {"fk_events_turn"}


def test_ten_at_once_migrate_once(engine: Engine) -> None:
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(lambda _: ensure_schema(engine), range(10))) == [None] * 10
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]


def test_first_schema_is_upgraded_with_its_contents(engine: Engine) -> None:
    with engine.execution_options(writes=True).begin() as connection:
        config = Config()
        config.set_main_option("script_location", "promptvision.builtin.sql:migrations")
        config.attributes["connection"] = connection
        upgrade(config, "0001")
        connection.execute(text("INSERT INTO uploads VALUES ('u', 'i')"))
        connection.execute(text("INSERT INTO conversations VALUES ('u', 'c', 't', 1, 1, 1)"))
        connection.execute(
            text(
                "INSERT INTO turns VALUES ('t', 'u', 'c', 'p', 1, 'done', 1, 'o', 'x', 'f', NULL, 0, 1, 2.5)"
            )
        )
    ensure_schema(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == HEAD
        assert connection.execute(text("SELECT image_id FROM uploads")).scalars().all() == ["i"]
        assert connection.execute(text("SELECT heartbeat_at FROM turns")).scalars().all() == [2.5]
    [index] = [
        index
        for index in inspect(engine).get_indexes("events")
        if index["name"] == "ix_events_conversation_image"
    ]
    assert index["column_names"] == ["user_id", "conversation_id", "turn_seq", "seq"]


def test_newer_schema_is_refused_and_untouched(engine: Engine) -> None:
    ensure_schema(engine)
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SetupError, match=r"schema 9999.*upgrade promptvision"):
        ensure_schema(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"


def test_tables_of_another_program_are_refused(engine: Engine) -> None:
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("CREATE TABLE turns (id integer)"))
    with pytest.raises(SetupError, match="another program"):
        ensure_schema(engine)


def test_broken_off_migration_leaves_nothing(engine: Engine) -> None:
    """No table is left; the next start runs the whole migration."""
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("CREATE TABLE uploads (id integer)"))  # like the last table of the script
    with pytest.raises(Exception, match="uploads"):
        ensure_schema(engine)
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("DROP TABLE uploads"))
    ensure_schema(engine)


def test_reopening_keeps_what_is_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'conversations.db'}"
    store = SQLConversationStore(url)
    claim(store, "ann")
    store.close()
    store = SQLConversationStore(url)
    assert len(store.history("ann", "c1", 1)) == 1
    store.close()


def test_newer_schema_stops_the_store(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    SQLConversationStore(f"sqlite:///{file}").close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(SetupError, match="upgrade promptvision"):
        SQLConversationStore(f"sqlite:///{file}")
