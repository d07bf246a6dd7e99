"""Answers to the questions of running turns, given to another process than the one that runs the turn."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of answers."""
    op.create_table(
        "answers",
        sa.Column("turn_id", sa.Text, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("approval_id", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("turn_id", "fence", "approval_id", name="pk_answers"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_answers_turn", ondelete="CASCADE"),
    )
