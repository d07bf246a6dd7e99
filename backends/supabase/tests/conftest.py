"""A real PostgREST on a real PostgreSQL, started once for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from promptvision.testing import enter_or_skip, postgres_server
from promptvision_supabase.testing import RestServer, rest_server


@pytest.fixture(scope="session")
def rest() -> Iterator[RestServer]:
    with ExitStack() as stack:
        postgres = enter_or_skip(stack, postgres_server())
        yield enter_or_skip(stack, rest_server(postgres, "conversations"))
