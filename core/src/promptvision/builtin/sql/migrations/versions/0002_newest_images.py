"""The index from which the newest images of a conversation are read in order."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the position of an image in its conversation to the index of the conversation's images."""
    op.drop_index("ix_events_conversation_image", "events")
    has_image = sa.text("image_id IS NOT NULL")
    op.create_index(
        "ix_events_conversation_image",
        "events",
        ["user_id", "conversation_id", "turn_seq", "seq"],
        sqlite_where=has_image,
        postgresql_where=has_image,
    )
