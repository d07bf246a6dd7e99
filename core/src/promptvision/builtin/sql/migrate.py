"""Migrate a database to the current schema. Forward only; Alembic is imported only when needed."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, inspect, text

from promptvision.builtin.sql.schema import HEAD
from promptvision.errors import SetupError

__all__ = ["ensure_schema"]

_LOCK_KEY = 7_741_001
"""Advisory lock number in PostgreSQL, so that two servers starting together migrate once."""


def ensure_schema(engine: Engine) -> None:
    """Create or upgrade the tables if their schema is not the current one.

    Several processes may call it at once: the first does the work, the others wait for it.

    Raises:
        SetupError: a newer version has written the database, or the tables are not ours.
    """
    with engine.connect() as connection:
        if _is_current(connection):
            return
    import alembic.command  # slow to import, and needed once per schema
    import alembic.config

    with engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        if _is_current(connection):
            return
        config = alembic.config.Config()
        config.set_main_option("script_location", "promptvision.builtin.sql:migrations")
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")


def _is_current(connection: Connection) -> bool:
    tables = inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        if "turns" in tables or "conversations" in tables:
            raise SetupError(
                "conversations: the database has tables of another program", hint="give an empty database"
            )
        return False
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if revision is not None and (not revision.isdecimal() or revision > HEAD):
        raise SetupError(
            f"conversations: the database has schema {revision}, this version supports {HEAD} at most",
            hint="upgrade promptvision, or give another database",
        )
    return revision == HEAD
