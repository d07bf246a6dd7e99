"""The set-up script: the tables of the SQL store, accessible only to the service role, safe to run again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from click.testing import CliRunner

from promptvision.plugin import Claim, SetupError
from promptvision.testing import SQLConversationStore, claim, cli
from promptvision_supabase import store as store_module
from promptvision_supabase import testing
from promptvision_supabase.command import setup_sql
from promptvision_supabase.store import SupabaseConversationStore
from promptvision_supabase.testing import RestServer

TABLES = ("conversations", "turns", "events", "uploads", "answers", "alembic_version")
COLUMNS = """
    select table_name, column_name, data_type, character_maximum_length, is_nullable, column_default
    from information_schema.columns where table_schema = 'public' order by table_name, ordinal_position"""
CONSTRAINTS = """
    select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
    where connamespace = 'public'::regnamespace order by 1, 2"""
INDEXES = "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' order by 1, 2"
VERSION = "select version_num from alembic_version"


@pytest.mark.parametrize("query", [COLUMNS, CONSTRAINTS, INDEXES, VERSION])
def test_tables_are_those_of_the_sql_store(rest: RestServer, sql_database: str, query: str) -> None:
    ours = rest.postgres.execute(query, database=rest.database)
    assert ours == rest.postgres.execute(query, database=sql_database)
    assert ours


@pytest.fixture(scope="module")
def sql_database(rest: RestServer) -> str:
    SQLConversationStore(rest.postgres.create_database("made_by_alembic")).close()
    return "made_by_alembic"


def test_script_can_be_run_again(rest: RestServer) -> None:
    with closing(SupabaseConversationStore(rest.url, rest.key())) as store:
        turn = claim(store, "before")
        rest.postgres.execute(setup_sql(), database=rest.database)
        store.heartbeat(turn)


@pytest.mark.parametrize("table", ["turns", "alembic_version"])
def test_tables_of_another_program_are_not_changed(rest: RestServer, table: str) -> None:
    database = f"foreign_{table}"
    rest.postgres.create_database(database)
    rest.postgres.execute(f"create table {table} (version_num text)", database=database)
    with pytest.raises(psycopg.errors.RaiseException, match="another program"):
        rest.postgres.execute(setup_sql(), database=database)
    assert rest.postgres.execute(COLUMNS, database=database)[0][:2] == (table, "version_num")
    assert rest.postgres.execute(
        "select count(*) from pg_tables where schemaname = 'public'", database=database
    ) == [(1,)]


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_public_keys_see_and_change_nothing(rest: RestServer, role: str) -> None:
    head = {"Authorization": f"Bearer {rest.key(role)}"}
    for table in TABLES:
        url = f"{rest.url}/rest/v1/{table}"
        for answer in (httpx.get(url, headers=head), httpx.delete(url, headers=head)):
            assert answer.json()["code"] == "42501"
    call = httpx.post(f"{rest.url}/rest/v1/rpc/promptvision_close_stale", headers=head, json={"p_lease_s": 0})
    assert call.json()["code"] == "42501"
    with pytest.raises(SetupError, match="SUPABASE_KEY must be the service_role"):
        SupabaseConversationStore(rest.url, rest.key(role))


def test_every_function_runs_with_the_rights_of_its_caller(rest: RestServer) -> None:
    rows = rest.postgres.execute(
        "select proname, prosecdef, proconfig, has_function_privilege('anon', oid, 'execute'), "
        "has_function_privilege('authenticated', oid, 'execute') from pg_proc "
        "where pronamespace = 'public'::regnamespace",
        database=rest.database,
    )
    assert len(rows) > 15
    for name, *rest_of_row in rows:
        assert (name, *rest_of_row) == (name, False, ['search_path=""'], False, False)


@pytest.fixture
def permissive_project(rest: RestServer) -> Iterator[None]:
    """A project in which anon has every privilege and row-level security is on."""

    def change(how: str, whom: str) -> None:
        for what in ("all tables", "all functions"):
            rest.postgres.execute(f"{how} all on {what} in schema public {whom} anon", database=rest.database)

    change("grant", "to")
    yield
    change("revoke", "from")


@pytest.mark.usefixtures("permissive_project")
def test_empty_because_of_row_level_security_is_explained(rest: RestServer) -> None:
    with closing(SupabaseConversationStore(rest.url, rest.key())) as store:
        claim(store, "hidden")
    seen = httpx.get(
        f"{rest.url}/rest/v1/turns?user_id=eq.hidden", headers={"Authorization": f"Bearer {rest.key('anon')}"}
    )
    assert (seen.status_code, seen.json()) == (
        200,
        [],
    )  # an empty list without an error, which must be explained
    with pytest.raises(SetupError, match="'anon', from which row-level security hides every row") as caught:
        SupabaseConversationStore(rest.url, rest.key("anon"))
    assert "service_role" in str(caught.value)


@pytest.mark.usefixtures("permissive_project")
def test_role_with_its_own_policy_is_accepted(rest: RestServer) -> None:
    for table in TABLES:
        rest.postgres.execute(f"create policy mine on {table} to anon using (true)", database=rest.database)
    try:
        with closing(SupabaseConversationStore(rest.url, rest.key("anon"))) as store:
            assert claim(store, "policy").claim is Claim.NEW
    finally:
        for table in TABLES:
            rest.postgres.execute(f"drop policy mine on {table}", database=rest.database)


def test_error_of_a_project_without_set_up_names_the_command(rest: RestServer) -> None:
    with (
        testing.rest_server(rest.postgres, "empty", is_set_up=False) as empty,
        pytest.raises(SetupError, match="promptvision supabase sql"),
    ):
        SupabaseConversationStore(empty.url, empty.key())


def test_script_of_another_version_is_reported(rest: RestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "VERSION", 5)
    with pytest.raises(SetupError, match="version 4, this needs 5"):
        SupabaseConversationStore(rest.url, rest.key())


def test_command_prints_the_script() -> None:
    printed = CliRunner().invoke(cli, ["supabase", "sql"], catch_exceptions=False)
    assert printed.output == setup_sql()


def test_other_program_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    false: Any = tmp_path / "postgrest"
    false.write_bytes(b"#!/bin/sh\ntouch ran\n")
    monkeypatch.setenv("PROMPTVISION_POSTGREST", str(false))
    with pytest.raises(SetupError, match="not run"):
        testing._checked_copy(tmp_path)
    monkeypatch.setenv("PROMPTVISION_POSTGREST", str(tmp_path / "none"))
    with pytest.raises(SetupError, match="scripts/install"):
        testing._checked_copy(tmp_path)
