"""Pulling, locating, verifying and removing weights, against a loopback server that speaks the hub's API."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from promptvision.errors import Busy, PluginError, SetupError
from promptvision.models import download
from promptvision.models.download import DownloadFailed, RemoteFile, Unreachable, fetch, part_of
from promptvision.models.manifest import MANIFEST, read_manifest
from promptvision.models.pull import Problem, _is_confidential, pull, remove, verify
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.models.weights import locate, missing_weights, override_name, pull_bytes, require
from promptvision.settings import Settings

COMMIT = "c0ffee" + "0" * 34
BIG = bytes(range(256)) * 20_000
HTTP = ("http",)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Hub:
    """What the server has and what it was asked for. A cut ends an answer after so many bytes, once."""

    files: dict[str, bytes] = field(
        default_factory=lambda: {
            "config.json": b"{}",
            "model.safetensors": BIG,
            "pytorch_model.bin": b"pickle",
        }
    )
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    etag: str | None = '"one"'
    has_ranges: bool = True
    redirect: str = ""
    lfs: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def listing(self) -> dict[str, Any]:
        siblings = [self._sibling(name, data) for name, data in self.files.items()]
        return {"_id": "1", "id": "owner/name", "sha": COMMIT, "siblings": siblings, "private": False}

    def _sibling(self, name: str, data: bytes) -> dict[str, Any]:
        size = self.sizes.get(name, len(data))
        sibling: dict[str, Any] = {"rfilename": name, "size": size, "blobId": "0" * 40}
        if name.endswith((".safetensors", ".bin")):
            digest = self.lfs.get(name, sha256(data))
            sibling["lfs"] = {"sha256": digest, "size": size, "pointerSize": 134}
        return sibling

    def ranges(self) -> list[str | None]:
        return [headers.get("Range") for path, headers in self.asked if "safetensors" in path]


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        hub = self.hub
        hub.asked.append((self.path, {name.title(): value for name, value in self.headers.items()}))
        if hub.statuses and "/resolve/" in self.path:
            self._send(hub.statuses.pop(0), b"")
        elif self.path.startswith("/api/models/owner/name/"):
            self._send(200, json.dumps(hub.listing()).encode(), {"Content-Type": "application/json"})
        elif self.path.startswith(f"/owner/name/resolve/{COMMIT}/"):
            self._send(302, b"", {"Location": (hub.redirect or hub.url) + "/cdn/" + self._file()})
        elif self.path.startswith("/cdn/") and self._file() in hub.files:
            self._send_file(hub.files[self._file()])
        else:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})

    def _file(self) -> str:
        return self.path.split("/cdn/")[-1].split(f"/{COMMIT}/")[-1]

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, data: bytes) -> None:
        headers = {"ETag": self.hub.etag} if self.hub.etag else {}
        span = self.headers.get("Range")
        changed = self.headers.get("If-Range") not in (None, self.hub.etag)
        status = 200
        if span and self.hub.has_ranges and not changed:
            begin = int(span.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(data):
                self._send(416, b"")
                return
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
            status, data = 206, data[begin:]
        if self.hub.cuts:
            self.close_connection = True
            cut = self.hub.cuts.pop(0)
            self._send(status, data[:cut], {**headers, "Content-Length": str(len(data))})
        else:
            self._send(status, data, headers)


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that goes away in the middle is what these tests are about."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    handler = type("BoundHandler", (Handler,), {"hub": hub})
    server = Server(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield hub
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(tmp_path: Path, hub: Hub) -> Settings:
    return make_settings(tmp_path, HF_ENDPOINT=hub.url)


def make_settings(home: Path, **variables: str) -> Settings:
    return Settings.from_mapping({"PROMPTVISION_HOME": str(home), **variables})


SPEC = ModelSpec(
    id="toy-1.0",
    source="owner/name",
    revision=COMMIT,
    files=(WeightFile("config.json"), WeightFile("*.safetensors")),
    license="Apache-2.0",
    weight_bytes={"float32": 3_000_000_000, "float16": 1_500_000_000},
    plugin="toy",
)


def silent(done: int, total: int, file: str) -> None:
    """A progress callback that does nothing."""


def test_a_missing_model_says_how_large_it_is_and_how_to_get_it(settings: Settings) -> None:
    unmet = missing_weights(SPEC, settings)
    assert unmet is not None
    assert unmet.what == "model 'toy-1.0' is not downloaded (3.00 GB)"
    with pytest.raises(SetupError) as caught:
        require(SPEC, settings)
    assert str(caught.value) == f"toy: {unmet.what}; run `promptvision models pull toy-1.0`"


def test_pull_brings_the_named_files_and_nothing_else(settings: Settings, hub: Hub) -> None:
    seen: list[tuple[int, int, str]] = []
    folder = pull(SPEC, settings, lambda *args: seen.append(args))
    assert folder == settings.weights_home / "toy-1.0" == locate(SPEC, settings)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", MANIFEST]
    assert (folder / "model.safetensors").read_bytes() == BIG
    assert seen[-1] == (len(BIG) + 2, len(BIG) + 2, "model.safetensors")
    assert [done for done, *_ in seen] == sorted(done for done, *_ in seen)
    assert missing_weights(SPEC, settings) is None
    assert verify(SPEC, settings) == []


def test_the_manifest_is_not_a_file_of_the_model(settings: Settings, hub: Hub) -> None:
    spec = replace(SPEC, files=(WeightFile("*.json"), WeightFile("*.safetensors")))
    pull(spec, settings, silent)
    assert verify(spec, settings) == []


def test_what_is_here_is_not_pulled_again(settings: Settings, hub: Hub) -> None:
    pull(SPEC, settings, silent)
    hub.asked.clear()
    pull(SPEC, settings, silent)
    assert hub.asked == []


def test_a_connection_that_breaks_is_resumed_where_it_was(settings: Settings, hub: Hub) -> None:
    hub.cuts = [2, 3_000_000, 1_500_000]  # config.json whole, then two breaks
    folder = pull(SPEC, settings, silent)
    assert (folder / "model.safetensors").read_bytes() == BIG
    spans = [span for span in hub.ranges() if span]
    assert spans[0] == "bytes=3000000-"
    assert spans[-1] == "bytes=4500000-"


def test_a_pull_that_was_killed_goes_on_where_it_was(settings: Settings, hub: Hub) -> None:
    def stop_in_the_middle(done: int, total: int, file: str) -> None:
        if done > 2_500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(SPEC, settings, stop_in_the_middle)
    assert locate(SPEC, settings) is None
    assert hub.ranges()[-1] is None
    folder = pull(SPEC, settings, silent)
    assert hub.ranges()[-1] == "bytes=3145728-"
    assert (folder / "model.safetensors").read_bytes() == BIG
    assert [path.name for path in settings.weights_home.iterdir() if path.is_dir()] == ["toy-1.0"]


def test_the_token_goes_to_the_hub_but_not_where_it_redirects_to(settings: Settings, hub: Hub) -> None:
    settings = make_settings(settings.home, HF_ENDPOINT=hub.url, HF_TOKEN="hf_secret")
    pull(SPEC, settings, silent)
    sent = {path.split("/")[1]: headers.get("Authorization") for path, headers in hub.asked}
    assert sent == {"api": "Bearer hf_secret", "owner": "Bearer hf_secret", "cdn": None}


def test_bytes_with_another_digest_are_thrown_away(settings: Settings, hub: Hub) -> None:
    hub.lfs["model.safetensors"] = sha256(b"what was published")
    with pytest.raises(DownloadFailed, match="declared"):
        pull(SPEC, settings, silent)
    assert locate(SPEC, settings) is None
    assert list(settings.weights_home.rglob("model.safetensors*")) == []


def test_the_digest_of_the_spec_outranks_that_of_the_hub(settings: Settings, hub: Hub) -> None:
    files = (WeightFile("model.safetensors", sha256=sha256(b"pinned")),)
    with pytest.raises(DownloadFailed, match=sha256(b"pinned")):
        pull(replace(SPEC, files=files), settings, silent)


def test_another_size_than_declared_is_refused_before_it_is_read(settings: Settings, hub: Hub) -> None:
    hub.sizes["model.safetensors"] = 10
    with pytest.raises(DownloadFailed, match="10 declared"):
        pull(SPEC, settings, silent)


def test_a_disk_that_is_too_small_is_told_before_the_first_byte(settings: Settings, hub: Hub) -> None:
    hub.sizes["model.safetensors"] = 10**18
    with pytest.raises(
        SetupError, match=r"1000000000\.00 GB to download, .* free on this disk; free some space"
    ):
        pull(SPEC, settings, silent)
    assert not [path for path, _ in hub.asked if "/resolve/" in path]


@pytest.mark.parametrize("value", ["1", "true", "ON", "yes"])
def test_offline_means_that_nothing_is_asked(settings: Settings, hub: Hub, value: str) -> None:
    settings = make_settings(settings.home, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE=value)
    with pytest.raises(SetupError, match="HF_HUB_OFFLINE is set"):
        pull(SPEC, settings, silent)
    assert hub.asked == []


def test_a_repository_that_is_not_there(settings: Settings) -> None:
    with pytest.raises(DownloadFailed, match="owner/gone at c0ffee"):
        pull(replace(SPEC, source="owner/gone"), settings, silent)


def test_a_repository_without_the_file(settings: Settings) -> None:
    with pytest.raises(DownloadFailed, match=r"owner/name at \w+ has no file 'model_ema.safetensors'"):
        pull(replace(SPEC, files=(WeightFile("model_ema.safetensors"),)), settings, silent)


def test_file_name_outside_the_folder_is_refused(settings: Settings, hub: Hub) -> None:
    hub.files["../evil.safetensors"] = b"x"
    with pytest.raises(DownloadFailed, match="points outside"):
        pull(SPEC, settings, silent)
    assert not list(settings.home.rglob("evil*"))


def test_two_pulls_of_one_model_at_once(settings: Settings) -> None:
    settings.weights_home.mkdir(parents=True)
    with (settings.weights_home / "toy-1.0.lock").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Busy, match="another process"):
            pull(SPEC, settings, silent)


def test_a_model_from_its_vendors_url(settings: Settings, hub: Hub) -> None:
    hub.files["sam.pt"] = BIG
    spec = vendor_spec(hub, sha256(BIG))
    hub.cuts = [1_000_000]
    folder = pull(spec, settings, silent, schemes=HTTP)
    assert (folder / "sam.pt").read_bytes() == BIG
    assert hub.asked[-1][1]["Range"] == "bytes=1000000-"
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.files[0].sha256 == sha256(BIG)


def test_a_file_from_elsewhere_joins_those_of_the_hub(settings: Settings, hub: Hub) -> None:
    hub.files["adapter.bin"] = b"adapter"
    for url in (f"{hub.url}/cdn/adapter.bin", "https://huggingface.co/cdn/adapter.bin"):
        adapter = WeightFile("adapter/adapter.bin", sha256=sha256(b"adapter"), url=url)
        folder = pull(replace(SPEC, files=(*SPEC.files, adapter)), settings, silent, schemes=HTTP)
        assert (folder / "adapter" / "adapter.bin").read_bytes() == b"adapter"
        assert (folder / "model.safetensors").read_bytes() == BIG
        remove(SPEC, settings)


def vendor_spec(hub: Hub, digest: str | None) -> ModelSpec:
    file = WeightFile("sam.pt", sha256=digest, url=f"{hub.url}/cdn/sam.pt")
    return replace(SPEC, source="https://example.com/sam.pt", files=(file,))


def test_plain_http_is_refused_where_nobody_allowed_it(tmp_path: Path, hub: Hub) -> None:
    hub.files["sam.pt"] = BIG
    with pytest.raises(DownloadFailed, match="only https is allowed"):
        pull(vendor_spec(hub, None), make_settings(tmp_path), silent)
    assert hub.asked == []


def test_redirects_to_other_schemes_are_refused(settings: Settings, hub: Hub) -> None:
    hub.redirect = "ftp://127.0.0.1"
    with pytest.raises(DownloadFailed, match="ftp://"):
        pull(SPEC, settings, silent)


@pytest.fixture
def remote(hub: Hub) -> RemoteFile:
    return RemoteFile(path="model.safetensors", url=f"{hub.url}/cdn/model.safetensors")


def fetch_quietly(remote: RemoteFile, target: Path) -> str:
    return fetch(remote, target, progress=lambda here: None, schemes=HTTP, pause_s=0)


def test_without_a_digest_a_part_is_gone_on_with_only_if_the_etag_holds(
    tmp_path: Path, hub: Hub, remote: RemoteFile
) -> None:
    hub.cuts = [1_000_000]
    hub.statuses = []
    assert fetch_quietly(remote, tmp_path / "a") == sha256(BIG)
    assert hub.ranges() == [None, "bytes=1000000-"]
    assert hub.asked[-1][1]["If-Range"] == '"one"'
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_that_changed_meanwhile_is_fetched_again(tmp_path: Path, hub: Hub, remote: RemoteFile) -> None:
    part_of(tmp_path / "a").write_bytes(b"of an older file")
    (tmp_path / "a.part.etag").write_text('"zero"')
    assert fetch_quietly(remote, tmp_path / "a") == sha256(BIG)


def test_without_digest_and_etag_everything_is_fetched_again(
    tmp_path: Path, hub: Hub, remote: RemoteFile
) -> None:
    hub.etag = None
    hub.cuts = [1_000_000]
    assert fetch_quietly(remote, tmp_path / "a") == sha256(BIG)
    assert hub.ranges() == [None, None]


def test_a_server_without_ranges(tmp_path: Path, hub: Hub, remote: RemoteFile) -> None:
    hub.has_ranges = False
    hub.cuts = [1_000_000]
    assert fetch_quietly(replace(remote, sha256=sha256(BIG)), tmp_path / "a") == sha256(BIG)


def test_a_part_that_is_longer_than_the_file(tmp_path: Path, hub: Hub, remote: RemoteFile) -> None:
    part_of(tmp_path / "a").write_bytes(BIG + b"more")
    assert fetch_quietly(replace(remote, sha256=sha256(BIG)), tmp_path / "a") == sha256(BIG)


def test_a_part_that_is_already_whole(tmp_path: Path, hub: Hub, remote: RemoteFile) -> None:
    part_of(tmp_path / "a").write_bytes(BIG)
    whole = replace(remote, sha256=sha256(BIG), size=len(BIG))
    assert fetch_quietly(whole, tmp_path / "a") == sha256(BIG)
    assert hub.asked == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_for_a_while(settings: Settings, hub: Hub, status: int, quick: None) -> None:
    hub.statuses = [status, status]
    assert pull(SPEC, settings, silent).is_dir()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptvision.models.download.time.sleep", lambda seconds: None)


def test_a_server_that_never_answers_well_is_given_up(settings: Settings, hub: Hub, quick: None) -> None:
    hub.statuses = [500] * 20
    with pytest.raises(DownloadFailed, match="HTTP 500"):
        pull(SPEC, settings, silent)
    assert len(hub.statuses) == 20 - download.TRIES


def test_a_refusal_is_not_tried_again(settings: Settings, hub: Hub) -> None:
    hub.statuses = [403, 403]
    with pytest.raises(DownloadFailed, match="HTTP 403"):
        pull(SPEC, settings, silent)
    assert hub.statuses == [403]


def test_nobody_listens(settings: Settings, quick: None, tmp_path: Path) -> None:
    remote = RemoteFile(path="a", url="http://127.0.0.1:9/a")
    with pytest.raises(DownloadFailed, match=r"http://127.0.0.1:9/a: .*refused"):
        fetch_quietly(remote, tmp_path / "a")


def test_verify_finds_damage_and_loss(settings: Settings) -> None:
    folder = pull(SPEC, settings, silent)
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(100)
        file.write(b"!")
    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to(folder / "model.safetensors")
    assert [problem.path for problem in verify(SPEC, settings)] == ["config.json", "model.safetensors"]
    assert all("has SHA-256" in problem.what for problem in verify(SPEC, settings))


def test_verify_says_when_there_is_nothing_to_compare_with(settings: Settings) -> None:
    folder = settings.weights_home / SPEC.id
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(b"{}")
    (folder / "model.safetensors").write_bytes(BIG)
    pinned = replace(
        SPEC, files=(WeightFile("model.safetensors", sha256=sha256(BIG)), WeightFile("config.json"))
    )
    assert verify(pinned, settings) == [
        Problem("config.json", "has no known digest; pull the model again to record one")
    ]


def test_weights_of_another_revision_are_pulled_again(settings: Settings, hub: Hub) -> None:
    pull(replace(SPEC, revision="old"), settings, silent)
    assert locate(SPEC, settings) is None
    hub.files["model.safetensors"] = b"newer"
    assert (pull(SPEC, settings, silent) / "model.safetensors").read_bytes() == b"newer"


def test_a_folder_that_lacks_a_file_is_not_there(settings: Settings) -> None:
    shutil.rmtree(pull(SPEC, settings, silent) / "model.safetensors", ignore_errors=True)
    (settings.weights_home / SPEC.id / "model.safetensors").unlink()
    assert locate(SPEC, settings) is None
    assert (pull(SPEC, settings, silent) / "model.safetensors").read_bytes() == BIG


@pytest.mark.parametrize("name", ["folder", "folder/model.pt"])
def test_a_path_of_the_operators_own_wins(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "model.pt").write_bytes(b"mine")
    settings = make_settings(tmp_path / "home", PROMPTVISION_MODEL_TOY_1_0=str(tmp_path / name))
    assert override_name(SPEC) == "PROMPTVISION_MODEL_TOY_1_0"
    assert locate(SPEC, settings) == tmp_path / name
    assert pull(SPEC, settings, silent) == tmp_path / name
    assert verify(SPEC, settings) == []
    assert remove(SPEC, settings) == 0
    assert (tmp_path / "folder" / "model.pt").read_bytes() == b"mine"


def test_another_repository_of_the_operators_choice(settings: Settings, hub: Hub) -> None:
    theirs = replace(SPEC, source="someone/else", revision="1" * 40)
    settings = make_settings(settings.home, HF_ENDPOINT=hub.url, PROMPTVISION_MODEL_TOY_1_0="owner/name@v1")
    folder = pull(theirs, settings, silent)
    assert folder.name == "toy-1.0@owner--name"
    assert hub.asked[0][0].startswith("/api/models/owner/name/revision/v1")
    assert locate(theirs, settings) == folder
    assert locate(theirs, make_settings(settings.home)) is None


def test_an_override_that_names_nothing(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, PROMPTVISION_MODEL_TOY_1_0="/no/such/folder")
    with pytest.raises(SetupError, match="PROMPTVISION_MODEL_TOY_1_0: '/no/such/folder' is neither"):
        locate(SPEC, settings)


def test_remove_deletes_the_model_and_its_parts(settings: Settings) -> None:
    pull(SPEC, settings, silent)
    half = settings.weights_home / "toy-1.0.pulling-c0ffee"
    half.mkdir()
    (half / "model.safetensors.part").write_bytes(b"1234")
    assert remove(SPEC, settings) > len(BIG) + 4
    assert [path for path in settings.weights_home.iterdir() if path.is_dir()] == []
    assert remove(SPEC, settings) == 0


def test_an_id_that_is_no_folder_name(settings: Settings) -> None:
    with pytest.raises(PluginError, match=r"model id '\.\./up'"):
        remove(replace(SPEC, id="../up"), settings)


def test_a_host_that_cannot_be_reached_is_named_with_the_ways_out(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    with pytest.raises(
        Unreachable, match=r"owner/name at c0ffee0+: 127\.0\.0\.1 cannot be reached"
    ) as raised:
        pull(SPEC, settings, silent)
    for words in ("HTTPS_PROXY", "HF_ENDPOINT", "config.json, *.safetensors", str(tmp_path)):
        assert words in (raised.value.hint or "")


def test_a_vendors_host_that_cannot_be_reached_has_the_same_hint(tmp_path: Path, quick: None) -> None:
    file = WeightFile("sam.pt", url="http://127.0.0.1:9/sam.pt")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 cannot be reached: .*refused") as raised:
        pull(replace(SPEC, files=(file,)), make_settings(tmp_path), silent, schemes=HTTP)
    assert f"by hand into {make_settings(tmp_path).weights_home / 'toy-1.0'}" in (raised.value.hint or "")


def test_a_name_that_cannot_be_resolved_is_given_up_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("promptvision.models.download.time.sleep", pauses.append)

    def fail(*args: object, **options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", fail)
    with pytest.raises(Unreachable, match=r"hub\.example cannot be reached: .*Name or service not known"):
        fetch_quietly(RemoteFile(path="a", url="http://hub.example/a"), tmp_path / "a")
    assert len(pauses) == 1


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (None, True),
        ("https://mirror.example", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost", True),
        ("http://mirror.example", False),
        ("http://127.0.0.1.mirror.example", False),
    ],
)
def test_the_token_goes_to_no_mirror_over_plain_http(endpoint: str | None, expected: bool) -> None:
    assert _is_confidential(endpoint) is expected


def test_a_repository_in_the_place_of_another_format_has_files_of_its_own(
    settings: Settings, hub: Hub
) -> None:
    spec = replace(vendor_spec(hub, "0" * 64), hub_files=("model.safetensors", "*.json"))
    settings = make_settings(settings.home, HF_ENDPOINT=hub.url, PROMPTVISION_MODEL_TOY_1_0="owner/name")
    folder = pull(spec, settings, silent)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", MANIFEST]
    assert locate(spec, settings) == folder


def test_the_size_of_a_download_is_that_of_the_files_else_the_declared_one() -> None:
    assert pull_bytes(SPEC) == 3_000_000_000
    half = replace(SPEC, download_bytes=1_500_000_000)
    assert pull_bytes(half) == 1_500_000_000
    assert pull_bytes(replace(half, files=(WeightFile("a", size=7), WeightFile("b")))) == 7
