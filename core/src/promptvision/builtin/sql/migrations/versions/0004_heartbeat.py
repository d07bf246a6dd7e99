"""The name of the column with the time of the owner's last heartbeat."""

from alembic import op

revision = "0004"
down_revision = "0003"

RENAME_CONSTRAINT = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_constraint WHERE conname = 'turns_beat_at_not_null') THEN
    ALTER TABLE turns RENAME CONSTRAINT turns_beat_at_not_null TO turns_heartbeat_at_not_null;
  END IF;
END $$
"""
"""PostgreSQL 18 and later name NOT NULL constraints after their column."""


def upgrade() -> None:
    """Rename ``turns.beat_at`` to ``turns.heartbeat_at``."""
    op.execute("ALTER TABLE turns RENAME COLUMN beat_at TO heartbeat_at")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(RENAME_CONSTRAINT)
