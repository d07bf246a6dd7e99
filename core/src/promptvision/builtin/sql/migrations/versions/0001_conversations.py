"""Conversations, turns with their events, and uploads."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "conversations",
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("turns", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "conversation_id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_activity", "conversations", ["user_id", "updated_at"])
    op.create_table(
        "turns",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.Text, nullable=False),
        sa.Column("prompt_id", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("reply", sa.Text),
        sa.Column("event_count", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("beat_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.UniqueConstraint("user_id", "conversation_id", "prompt_id", name="uq_turns_prompt"),
        sa.UniqueConstraint("user_id", "conversation_id", "seq", name="uq_turns_seq"),
        sa.ForeignKeyConstraint(
            ["user_id", "conversation_id"],
            ["conversations.user_id", "conversations.conversation_id"],
            name="fk_turns_conversation",
            ondelete="CASCADE",
        ),
    )
    running = sa.text("status = 'running'")
    op.create_index(
        "uq_turns_running",
        "turns",
        ["user_id", "conversation_id"],
        unique=True,
        sqlite_where=running,
        postgresql_where=running,
    )
    op.create_table(
        "events",
        sa.Column("turn_id", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.Text, nullable=False),
        sa.Column("turn_seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("image_id", sa.Text),
        sa.PrimaryKeyConstraint("turn_id", "seq", name="pk_events"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_events_turn", ondelete="CASCADE"),
    )
    has_image = sa.text("image_id IS NOT NULL")
    for name, columns in (
        ("ix_events_image", ["image_id", "user_id"]),
        ("ix_events_conversation_image", ["user_id", "conversation_id"]),
    ):
        op.create_index(name, "events", columns, sqlite_where=has_image, postgresql_where=has_image)
    op.create_table(
        "uploads",
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("image_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("image_id", "user_id", name="pk_uploads"),
    )
