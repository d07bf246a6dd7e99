"""Objects of the server process that garbage collection leaves out."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from promptvision.server import process
from promptvision.server.app import create_app
from promptvision.server.long_lived import LongLived
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent


class Node:
    """An object that can refer to itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def usual_collection() -> Iterator[None]:
    """Each test begins and ends with collections on and nothing frozen."""
    gc.unfreeze()
    assert gc.isenabled()
    yield
    gc.unfreeze()
    gc.enable()


def test_objects_of_the_start_are_frozen_without_garbage() -> None:
    with LongLived() as long_lived:
        assert not gc.isenabled()
        kept = Node()
        garbage = weakref.ref(Node())
        long_lived.freeze()
        assert gc.isenabled()
        assert garbage() is None
        assert not any(found is kept for found in gc.get_objects())
        assert gc.get_freeze_count() > 1000


def test_later_objects_are_collected() -> None:
    with LongLived() as long_lived:
        long_lived.freeze()
        later = weakref.ref(Node())
        gc.collect()
        assert later() is None


def test_collection_is_as_before_at_the_end() -> None:
    with LongLived() as long_lived:
        long_lived.freeze()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    with pytest.raises(ZeroDivisionError), LongLived():
        _ = 1 / 0
    assert gc.isenabled()


def test_collection_that_was_off_stays_off() -> None:
    gc.disable()
    with LongLived() as long_lived:
        long_lived.freeze()
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_server_freezes_before_it_announces_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopping(process._Server):
        async def startup(self, sockets: object = None) -> None:
            await super().startup(sockets)  # type: ignore[arg-type]
            self.should_exit = True

    def app_of_few_plugins(settings: Settings) -> object:
        assert not gc.isenabled()
        return create_app(agent=make_agent())

    frozen: list[int] = []
    monkeypatch.setattr(process, "_Server", Stopping)
    monkeypatch.setattr(process, "create_app", app_of_few_plugins)
    monkeypatch.setattr(process, "_logging", lambda settings: None)  # it changes the loggers of the tests
    process.run_server(Settings(), "127.0.0.1", 0, lambda url: frozen.append(gc.get_freeze_count()))
    assert frozen[0] > 1000
    assert gc.get_freeze_count() == 0


def test_application_that_mounts_the_app_decides_itself() -> None:
    from starlette.testclient import TestClient

    with TestClient(create_app(agent=make_agent()), base_url="http://127.0.0.1") as client:
        assert client.get("/health").status_code == 200
        assert gc.isenabled()
        assert gc.get_freeze_count() == 0
