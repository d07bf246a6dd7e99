"""The tables of the conversation store, the same on SQLite and PostgreSQL.

``turns.heartbeat_at`` is the time of the owner's last heartbeat by the database's clock, so that the clocks
of the servers do not matter. ``status = 'running'`` is unique in a conversation: the database ensures that
one turn runs at a time across all processes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

__all__ = [
    "HEAD",
    "answers",
    "conversations",
    "database_now",
    "events",
    "is_running",
    "metadata",
    "turns",
    "uploads",
]

HEAD = "0004"
"""The newest revision in ``migrations/versions``."""

metadata = MetaData()

conversations = Table(
    "conversations",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("turns", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    PrimaryKeyConstraint("user_id", "conversation_id", name="pk_conversations"),
    Index("ix_conversations_activity", "user_id", "updated_at"),
)

turns = Table(
    "turns",
    metadata,
    Column("id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("prompt_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("reply", Text),
    Column("event_count", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("heartbeat_at", Double, nullable=False),
    PrimaryKeyConstraint("id", name="pk_turns"),
    UniqueConstraint("user_id", "conversation_id", "prompt_id", name="uq_turns_prompt"),
    UniqueConstraint("user_id", "conversation_id", "seq", name="uq_turns_seq"),
    ForeignKeyConstraint(
        ["user_id", "conversation_id"],
        ["conversations.user_id", "conversations.conversation_id"],
        name="fk_turns_conversation",
        ondelete="CASCADE",
    ),
)

is_running = turns.c.status == literal_column("'running'")
"""A literal, since SQLite does not use the partial index with a bound parameter."""

Index(
    "uq_turns_running",
    turns.c.user_id,
    turns.c.conversation_id,
    unique=True,
    sqlite_where=is_running,
    postgresql_where=is_running,
)

events = Table(
    "events",
    metadata,
    Column(
        "turn_id", Text, ForeignKey("turns.id", name="fk_events_turn", ondelete="CASCADE"), nullable=False
    ),
    Column("seq", Integer, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("turn_seq", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("image_id", Text),
    PrimaryKeyConstraint("turn_id", "seq", name="pk_events"),
)

_HAS_IMAGE = events.c.image_id.is_not(None)
for _name, _columns in (
    ("ix_events_image", (events.c.image_id, events.c.user_id)),
    (
        "ix_events_conversation_image",
        (events.c.user_id, events.c.conversation_id, events.c.turn_seq, events.c.seq),
    ),
):
    Index(_name, *_columns, sqlite_where=_HAS_IMAGE, postgresql_where=_HAS_IMAGE)

uploads = Table(
    "uploads",
    metadata,
    Column("user_id", Text, nullable=False),
    Column("image_id", Text, nullable=False),
    PrimaryKeyConstraint("image_id", "user_id", name="pk_uploads"),
)


answers = Table(
    "answers",
    metadata,
    Column(
        "turn_id", Text, ForeignKey("turns.id", name="fk_answers_turn", ondelete="CASCADE"), nullable=False
    ),
    Column("fence", Integer, nullable=False),
    Column("approval_id", Text, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("turn_id", "fence", "approval_id", name="pk_answers"),
)


class database_now(FunctionElement[float]):  # noqa: N801  # reads as the SQL function it stands for
    """Seconds since the epoch by the database's clock when executed, not when the transaction began."""

    type = Double()
    inherit_cache = True
    name = "database_now"


@compiles(database_now, "sqlite")
def _sqlite_now(element: database_now, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"  # 2440587.5 is the Julian day of the epoch


@compiles(database_now, "postgresql")
def _postgresql_now(element: database_now, compiler: Any, **options: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
