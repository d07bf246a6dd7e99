"""Downloads that resume, retry and verify, against a loopback server that drops connections and fails."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from promptvision.models import download
from promptvision.models.download import DownloadFailed, RemoteFile, Unreachable, fetch, part_of
from promptvision.models.pull import pull
from promptvision.settings import Settings
from promptvision.testing.faulty_hub import BIG, SPEC, FaultyHub, hub_settings, sha256, silent

HTTP = ("http",)


@pytest.fixture
def settings(tmp_path: Path, hub: FaultyHub) -> Settings:
    return hub_settings(tmp_path, HF_ENDPOINT=hub.url)


@pytest.fixture
def remote(hub: FaultyHub) -> RemoteFile:
    return RemoteFile(path="model.safetensors", url=f"{hub.url}/cdn/model.safetensors")


def fetch_quietly(remote: RemoteFile, target: Path) -> str:
    return fetch(remote, target, progress=lambda here: None, schemes=HTTP, pause_s=0)


def test_without_a_digest_a_partial_file_is_resumed_only_if_the_etag_matches(
    tmp_path: Path, hub: FaultyHub, remote: RemoteFile
) -> None:
    hub.cuts = [1_000_000]
    hub.statuses = []
    assert fetch_quietly(remote, tmp_path / "a") == sha256(BIG)
    assert hub.ranges() == [None, "bytes=1000000-"]
    assert hub.asked[-1][1]["If-Range"] == '"one"'
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_that_changed_meanwhile_is_fetched_again(
    tmp_path: Path, hub: FaultyHub, remote: RemoteFile
) -> None:
    part_of(tmp_path / "a").write_bytes(b"of an older file")
    (tmp_path / "a.part.etag").write_text('"zero"')
    assert fetch_quietly(remote, tmp_path / "a") == sha256(BIG)


def test_without_digest_and_etag_everything_is_fetched_again(
    tmp_path: Path, hub: FaultyHub, remote: RemoteFile
) -> None:
    hub.etag = None
    hub.cuts = [1_000_000]
    assert fetch_quietly(remote, tmp_path / "a") == sha256(BIG)
    assert hub.ranges() == [None, None]


def test_a_server_without_ranges(tmp_path: Path, hub: FaultyHub, remote: RemoteFile) -> None:
    hub.has_ranges = False
    hub.cuts = [1_000_000]
    assert fetch_quietly(replace(remote, sha256=sha256(BIG)), tmp_path / "a") == sha256(BIG)


def test_a_part_that_is_longer_than_the_file(tmp_path: Path, hub: FaultyHub, remote: RemoteFile) -> None:
    part_of(tmp_path / "a").write_bytes(BIG + b"more")
    assert fetch_quietly(replace(remote, sha256=sha256(BIG)), tmp_path / "a") == sha256(BIG)


def test_a_part_that_is_already_whole(tmp_path: Path, hub: FaultyHub, remote: RemoteFile) -> None:
    part_of(tmp_path / "a").write_bytes(BIG)
    whole = replace(remote, sha256=sha256(BIG), size=len(BIG))
    assert fetch_quietly(whole, tmp_path / "a") == sha256(BIG)
    assert hub.asked == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_for_a_while(
    settings: Settings, hub: FaultyHub, status: int, quick: None
) -> None:
    hub.statuses = [status, status]
    assert pull(SPEC, settings, silent).is_dir()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptvision.models.download.time.sleep", lambda seconds: None)


def test_server_that_keeps_failing_is_an_error(settings: Settings, hub: FaultyHub, quick: None) -> None:
    hub.statuses = [500] * 20
    with pytest.raises(DownloadFailed, match="HTTP 500"):
        pull(SPEC, settings, silent)
    assert len(hub.statuses) == 20 - download.TRIES


def test_a_refusal_is_not_tried_again(settings: Settings, hub: FaultyHub) -> None:
    hub.statuses = [403, 403]
    with pytest.raises(DownloadFailed, match="HTTP 403"):
        pull(SPEC, settings, silent)
    assert hub.statuses == [403]


def test_connection_refused_is_an_error(settings: Settings, quick: None, tmp_path: Path) -> None:
    remote = RemoteFile(path="a", url="http://127.0.0.1:9/a")
    with pytest.raises(DownloadFailed, match=r"http://127.0.0.1:9/a: .*refused"):
        fetch_quietly(remote, tmp_path / "a")


def test_unresolvable_name_fails_quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("promptvision.models.download.time.sleep", pauses.append)

    def fail(*args: object, **options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", fail)
    with pytest.raises(Unreachable, match=r"hub\.example cannot be reached: .*Name or service not known"):
        fetch_quietly(RemoteFile(path="a", url="http://hub.example/a"), tmp_path / "a")
    assert len(pauses) == 1
