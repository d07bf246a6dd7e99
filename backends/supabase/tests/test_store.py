"""The conversation contract through the real supabase SDK, and tests specific to Supabase."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from subprocess import run
from sys import executable

import pytest

from promptvision.plugin import Claim, Settings, SetupError, StoreError, TurnStatus
from promptvision.testing import (
    ConversationStoreContract,
    Registry,
    SharedStoreContract,
    SQLConversationStore,
    Stopwatch,
    claim,
    hostile_keys,
    image_event,
    note,
)
from promptvision_supabase import client
from promptvision_supabase.store import SupabaseConversationStore
from promptvision_supabase.testing import RestServer


@pytest.fixture(scope="module")
def store(rest: RestServer) -> Iterator[SupabaseConversationStore]:
    with closing(SupabaseConversationStore(rest.url, rest.key())) as store:
        yield store


class TestSupabaseConversationStore(ConversationStoreContract):
    pass


class TestSupabaseSharedByProcesses(SharedStoreContract):
    rounds = 2

    @pytest.fixture
    def open_store(self, rest: RestServer) -> Callable[[], SupabaseConversationStore]:
        return lambda: SupabaseConversationStore(rest.url, rest.key())


def test_only_function_names_stand_in_urls(rest: RestServer, store: SupabaseConversationStore) -> None:
    """A thousand hostile ids are sent as values, never in a path or a filter."""
    rest.requests.clear()
    bystander = claim(store, "bystander", conversation="bystander")
    keys = [key for key in hostile_keys() if "\x00" not in key]
    for number, key in enumerate(keys):
        ask = (store.delete, store.conversation, store.owns_image, store.turn)[number % 4]
        assert not ask(key, key)
    store.heartbeat(bystander)
    assert len(rest.requests) > len(keys)
    for request in rest.requests:
        assert re.fullmatch(r"POST /rest/v1/rpc/promptvision_[a-z_]+", request)


def test_ids_that_no_database_can_store_are_refused_and_prompts_are_cleaned(
    store: SupabaseConversationStore,
) -> None:
    for odd in ("nul\x00", "lone \ud800"):
        with pytest.raises(StoreError) as caught:
            claim(store, f"odd-{odd}")
        assert not caught.value.retryable
    assert claim(store, "odd-prompt", prompt="nul \x00 lone \ud800").prompt == "nul  lone ?"
    assert store.rename("odd-prompt", "c1", "title \x00\ud800")
    assert [found.title for found in store.conversations("odd-prompt")] == ["title ?"]


@pytest.mark.parametrize("lost", [1, 2])
def test_calls_with_a_lost_answer_are_repeated(
    rest: RestServer, store: SupabaseConversationStore, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    monkeypatch.setattr(client, "PATIENCE_S", 20)  # two answers may be lost, at any speed
    user = f"lost-answers-{lost}"
    rest.answers_to_drop = lost
    turn = claim(store, user)
    assert (turn.claim, turn.fence, turn.seq) == (Claim.NEW, 1, 1)
    rest.answers_to_drop = lost
    store.append(turn, [note(1), note(2)])
    rest.answers_to_drop = lost
    store.finish_turn(turn, TurnStatus.INTERRUPTED, {"text": "stopped"})
    rest.answers_to_drop = lost
    again = claim(store, user)
    assert (again.claim, again.fence, again.events) == (Claim.RESUMED, 2, (note(1), note(2)))
    rest.answers_to_drop = lost
    store.finish_turn(again, TurnStatus.DONE, {"text": "done"})
    assert [turn.reply for turn in store.history(user, "c1", 9)] == [{"text": "done"}]


def test_postgrest_down_is_an_error_within_a_second(
    rest: RestServer, store: SupabaseConversationStore
) -> None:
    turn = claim(store, "rest-down")
    rest.stop()
    try:
        for ask in (
            lambda: store.heartbeat(turn),
            lambda: store.history("rest-down", "c1", 5),
            lambda: SupabaseConversationStore(rest.url, rest.key()),
        ):
            watch = Stopwatch()
            with pytest.raises(StoreError, match=r"supabase http://127\.0\.0\.1") as caught:
                ask()
            assert caught.value.retryable
            assert watch.seconds < 1
    finally:
        rest.start()
    store.heartbeat(turn)


def test_closed_port_is_an_error_within_a_second(rest: RestServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        watch = Stopwatch()
        with pytest.raises(StoreError, match="ConnectError") as caught:
            SupabaseConversationStore(f"http://127.0.0.1:{unused.getsockname()[1]}", rest.key())
    assert caught.value.retryable
    assert watch.seconds < 1
    assert rest.key() not in str(caught.value)


def test_host_with_a_full_queue_times_out_within_two_seconds(rest: RestServer) -> None:
    """Nothing answers the connection attempt, so the connect timeout applies."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        watch = Stopwatch()
        with pytest.raises(StoreError, match="Timeout") as caught:
            SupabaseConversationStore(f"http://127.0.0.1:{port}", rest.key())
        assert caught.value.retryable
        assert watch.seconds < 2
        for one in waiting:
            one.close()


def test_silent_host_times_out(rest: RestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "READ_TIMEOUT_S", 0.6)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        watch = Stopwatch()
        with pytest.raises(StoreError, match="ReadTimeout") as caught:
            SupabaseConversationStore(f"http://127.0.0.1:{silent.getsockname()[1]}", rest.key())
    assert caught.value.retryable
    assert watch.seconds < 2


def test_crashed_database_loses_nothing_and_recovers_quickly(
    rest: RestServer, store: SupabaseConversationStore
) -> None:
    turn = claim(store, "database-down")
    store.append(turn, [note(1)])
    rest.postgres.stop("immediate")
    try:
        watch = Stopwatch()
        with pytest.raises(StoreError) as caught:
            store.append(turn, [note(2)])
        assert caught.value.retryable
        assert watch.seconds < 1
    finally:
        rest.postgres.start()
    started = time.monotonic()
    while True:
        try:
            store.append(turn, [note(2)])
        except StoreError:
            assert time.monotonic() - started < 2
            time.sleep(0.02)
        else:
            break
    assert store.history("database-down", "c1", 1)[0].events == (note(1), note(2))


@pytest.mark.parametrize("key", ["nonsense", "a.b.c"])
def test_wrong_key_is_a_setup_error(rest: RestServer, key: str) -> None:
    with pytest.raises(SetupError, match="SUPABASE_KEY"):
        SupabaseConversationStore(rest.url, key)


@pytest.mark.parametrize("url", ["project.supabase.co", "ftp://x", "http://"])
def test_wrong_url_is_a_setup_error(url: str) -> None:
    with pytest.raises(SetupError, match="SUPABASE_URL"):
        SupabaseConversationStore(url, "key")


def test_wrong_path_is_a_setup_error(rest: RestServer) -> None:
    with pytest.raises(SetupError, match="check SUPABASE_URL"):
        SupabaseConversationStore(f"{rest.url}/elsewhere", rest.key())


def test_same_database_is_open_to_the_sql_store(rest: RestServer, store: SupabaseConversationStore) -> None:
    """Both stores keep the same tables, and respect each other's claims."""
    turn = claim(store, "both")
    store.append(turn, [note(1), image_event(2, 1, "a" * 64)])
    with closing(SQLConversationStore(rest.postgres.url(rest.database))) as direct:
        assert direct.history("both", "c1", 5) == store.history("both", "c1", 5)
        assert direct.images("both", "c1") == store.images("both", "c1")
        assert claim(direct, "both").claim is Claim.BUSY
        taken = claim(direct, "both", lease_s=0)
        assert (taken.claim, taken.fence) == (Claim.RESUMED, 2)
        with pytest.raises(StoreError, match="the lease was lost"):
            store.heartbeat(turn)
        direct.append(taken, [note(3)])
        direct.finish_turn(taken, TurnStatus.DONE, {"by": "sql"})
        assert claim(store, "both").reply == {"by": "sql"}
        assert store.conversations("both") == direct.conversations("both")


def test_established_variables_alone_choose_it(rest: RestServer, tmp_path: Path) -> None:
    home = {"PROMPTVISION_HOME": str(tmp_path)}
    variables = {"SUPABASE_URL": rest.url, "SUPABASE_KEY": rest.key()}
    registry = Registry.load(Settings.from_mapping({**home, **variables}))
    with closing(registry.make_conversation_store()) as chosen:
        assert isinstance(chosen, SupabaseConversationStore)
    registry = Registry.load(Settings.from_mapping({**home, "SUPABASE_URL": rest.url}))
    with closing(registry.make_conversation_store()) as chosen:
        assert not isinstance(chosen, SupabaseConversationStore)
    registry = Registry.load(Settings.from_mapping({**home, "PROMPTVISION_CONVERSATIONS": "supabase:"}))
    with pytest.raises(SetupError, match="SUPABASE_URL and SUPABASE_KEY not set"):
        registry.make_conversation_store()


def test_plugin_imports_no_sdk() -> None:
    code = "import promptvision_supabase.plugin, sys; assert not {'supabase', 'httpx'} & set(sys.modules)"
    run([executable, "-c", code], check=True, timeout=60)
