"""Downloading several models at once, from a hub on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from promptvision.errors import SetupError
from promptvision.models.download import Unreachable
from promptvision.models.parallel_pull import pull_all
from promptvision.models.pull import is_partial, verify
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.models.weights import locate
from promptvision.settings import Settings
from promptvision.testing.hub import LocalHub, local_hub

SIZE = 3_000_000


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    repositories = {}
    for number, name in enumerate(("one", "two", "three")):
        folder = tmp_path / "hub" / name
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(bytes([number]) * SIZE)
        (folder / "config.json").write_text("{}")
        repositories[f"tiny/{name}"] = folder
    with local_hub(repositories) as hub:
        yield hub


@pytest.fixture
def settings(tmp_path: Path, hub: LocalHub) -> Settings:
    return Settings.from_mapping({"PROMPTVISION_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url})


def spec(name: str, *files: str) -> ModelSpec:
    return ModelSpec(
        id=name,
        source=f"tiny/{name}",
        revision="main",
        files=tuple(map(WeightFile, files or ("model.safetensors", "config.json"))),
        license="MIT",
    )


SPECS = [spec("one"), spec("two"), spec("three")]


def silent(done: int, total: int, name: str) -> None:
    """A progress callback that does nothing."""


def test_all_files_are_downloaded_with_one_progress(settings: Settings) -> None:
    seen: list[tuple[int, int]] = []
    assert pull_all(SPECS, settings, lambda done, total, name: seen.append((done, total))) == {}
    whole = 3 * (SIZE + 2)
    assert seen[-1] == (whole, whole)
    assert {total for _, total in seen} == {whole}
    for one in SPECS:
        assert locate(one, settings) is not None
        assert verify(one, settings) == []


def test_files_come_in_parallel(settings: Settings, hub: LocalHub) -> None:
    hub.hold_after = 1
    threads: set[str] = set()

    def watch(done: int, total: int, name: str) -> None:
        threads.add(threading.current_thread().name)
        if len(threads) > 1:
            hub.is_open.set()

    assert pull_all(SPECS, settings, watch) == {}
    assert len(threads) > 1


def test_one_that_fails_does_not_stop_the_others(settings: Settings) -> None:
    failed = pull_all([spec("gone"), spec("one", "no-such-file"), spec("two")], settings, silent)
    assert sorted(failed) == ["gone", "one"]
    assert "has no file 'no-such-file'" in str(failed["one"])
    assert locate(SPECS[1], settings) is not None


def test_stopping_keeps_what_has_arrived(settings: Settings, hub: LocalHub) -> None:
    def stop(done: int, total: int, name: str) -> None:
        if done > 2 * 2**20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull_all(SPECS, settings, stop, workers=1)
    assert is_partial(SPECS[0], settings)
    assert hub.ranges == []
    assert pull_all(SPECS, settings, silent) == {}
    assert hub.ranges[0].startswith("bytes=")


def test_downloaded_model_is_not_downloaded_again(settings: Settings, hub: LocalHub) -> None:
    pull_all(SPECS[:1], settings, silent)
    served = hub.served
    assert pull_all(SPECS[:1], settings, silent) == {}
    assert hub.served == served


def test_a_disk_that_is_too_small_is_reported_before_the_first_byte(
    settings: Settings, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promptvision.models.download.SPARE_BYTES", 10**18)
    with pytest.raises(SetupError, match="free on this disk"):
        pull_all(SPECS, settings, silent)
    assert hub.served == 0


def test_an_unreachable_hub_ends_it(tmp_path: Path) -> None:
    settings = Settings.from_mapping(
        {"PROMPTVISION_HOME": str(tmp_path / "home"), "HF_ENDPOINT": "http://127.0.0.1:9"}
    )
    with pytest.raises(Unreachable):
        pull_all(SPECS, settings, silent)
