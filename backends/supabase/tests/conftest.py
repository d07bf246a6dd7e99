"""A real PostgREST on a real PostgreSQL, started once for all tests here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from promptvision.errors import SetupError
from promptvision.testing.postgres import postgres_server
from promptvision_supabase.testing import RestServer, rest_server


@pytest.fixture(scope="session")
def rest() -> Iterator[RestServer]:
    with ExitStack() as stack:
        try:
            postgres = stack.enter_context(postgres_server())
            server = stack.enter_context(rest_server(postgres, "conversations"))
        except SetupError as exc:
            if os.environ.get(
                "PROMPTVISION_STRICT_PLUGINS"
            ):  # as scripts/test sets it: nothing is skipped there
                raise
            pytest.skip(str(exc))
        yield server
