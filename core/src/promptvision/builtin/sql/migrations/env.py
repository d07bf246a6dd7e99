"""Alembic's entry point: run the revisions on the connection that ``migrate`` has opened and locked."""

from alembic import context

from promptvision.builtin.sql.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
