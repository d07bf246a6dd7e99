"""Pulling, verifying and removing weights, against a loopback server with the hub's API."""

from __future__ import annotations

import fcntl
from dataclasses import replace
from pathlib import Path

import pytest

from promptvision.errors import Busy, PluginError, SetupError
from promptvision.models.download import DownloadFailed, Unreachable
from promptvision.models.manifest import MANIFEST, read_manifest
from promptvision.models.pull import Problem, _is_confidential, pull, remove, verify
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.models.weights import locate, missing_weights
from promptvision.settings import Settings
from promptvision.testing.faulty_hub import BIG, SPEC, FaultyHub, hub_settings, sha256, silent

HTTP = ("http",)


@pytest.fixture
def settings(tmp_path: Path, hub: FaultyHub) -> Settings:
    return hub_settings(tmp_path, HF_ENDPOINT=hub.url)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptvision.models.download.time.sleep", lambda seconds: None)


def test_pull_brings_the_named_files_and_nothing_else(settings: Settings, hub: FaultyHub) -> None:
    seen: list[tuple[int, int, str]] = []
    folder = pull(SPEC, settings, lambda *args: seen.append(args))
    assert folder == settings.weights_home / "toy-1.0" == locate(SPEC, settings)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", MANIFEST]
    assert (folder / "model.safetensors").read_bytes() == BIG
    assert seen[-1] == (len(BIG) + 2, len(BIG) + 2, "model.safetensors")
    assert [done for done, *_ in seen] == sorted(done for done, *_ in seen)
    assert missing_weights(SPEC, settings) is None
    assert verify(SPEC, settings) == []


def test_what_is_here_is_not_pulled_again(settings: Settings, hub: FaultyHub) -> None:
    pull(SPEC, settings, silent)
    hub.asked.clear()
    pull(SPEC, settings, silent)
    assert hub.asked == []


def test_a_connection_that_breaks_is_resumed_where_it_was(settings: Settings, hub: FaultyHub) -> None:
    hub.cuts = [2, 3_000_000, 1_500_000]  # config.json whole, then two breaks
    folder = pull(SPEC, settings, silent)
    assert (folder / "model.safetensors").read_bytes() == BIG
    spans = [span for span in hub.ranges() if span]
    assert spans[0] == "bytes=3000000-"
    assert spans[-1] == "bytes=4500000-"


def test_killed_pull_is_resumed(settings: Settings, hub: FaultyHub) -> None:
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


def test_the_token_goes_to_the_hub_but_not_where_it_redirects_to(settings: Settings, hub: FaultyHub) -> None:
    settings = hub_settings(settings.home, HF_ENDPOINT=hub.url, HF_TOKEN="hf_secret")
    pull(SPEC, settings, silent)
    sent = {path.split("/")[1]: headers.get("Authorization") for path, headers in hub.asked}
    assert sent == {"api": "Bearer hf_secret", "owner": "Bearer hf_secret", "cdn": None}


def test_bytes_with_another_digest_are_discarded(settings: Settings, hub: FaultyHub) -> None:
    hub.lfs["model.safetensors"] = sha256(b"what was published")
    with pytest.raises(DownloadFailed, match="declared"):
        pull(SPEC, settings, silent)
    assert locate(SPEC, settings) is None
    assert list(settings.weights_home.rglob("model.safetensors*")) == []


def test_the_digest_of_the_spec_outranks_that_of_the_hub(settings: Settings, hub: FaultyHub) -> None:
    files = (WeightFile("model.safetensors", sha256=sha256(b"pinned")),)
    with pytest.raises(DownloadFailed, match=sha256(b"pinned")):
        pull(replace(SPEC, files=files), settings, silent)


def test_another_size_than_declared_is_refused_before_it_is_read(settings: Settings, hub: FaultyHub) -> None:
    hub.sizes["model.safetensors"] = 10
    with pytest.raises(DownloadFailed, match="10 declared"):
        pull(SPEC, settings, silent)


def test_a_disk_that_is_too_small_is_reported_before_the_first_byte(
    settings: Settings, hub: FaultyHub
) -> None:
    hub.sizes["model.safetensors"] = 10**18
    with pytest.raises(
        SetupError, match=r"1000000000\.00 GB to download, .* free on this disk; free some space"
    ):
        pull(SPEC, settings, silent)
    assert not [path for path, _ in hub.asked if "/resolve/" in path]


@pytest.mark.parametrize("value", ["1", "true", "ON", "yes"])
def test_offline_means_that_nothing_is_asked(settings: Settings, hub: FaultyHub, value: str) -> None:
    settings = hub_settings(settings.home, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE=value)
    with pytest.raises(SetupError, match="HF_HUB_OFFLINE is set"):
        pull(SPEC, settings, silent)
    assert hub.asked == []


def test_a_repository_that_is_not_there(settings: Settings) -> None:
    with pytest.raises(DownloadFailed, match="owner/gone at c0ffee"):
        pull(replace(SPEC, source="owner/gone"), settings, silent)


def test_a_repository_without_the_file(settings: Settings) -> None:
    with pytest.raises(DownloadFailed, match=r"owner/name at \w+ has no file 'model_ema.safetensors'"):
        pull(replace(SPEC, files=(WeightFile("model_ema.safetensors"),)), settings, silent)


def test_file_name_outside_the_folder_is_refused(settings: Settings, hub: FaultyHub) -> None:
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


def test_a_model_from_its_vendors_url(settings: Settings, hub: FaultyHub) -> None:
    hub.files["sam.pt"] = BIG
    spec = vendor_spec(hub, sha256(BIG))
    hub.cuts = [1_000_000]
    folder = pull(spec, settings, silent, schemes=HTTP)
    assert (folder / "sam.pt").read_bytes() == BIG
    assert hub.asked[-1][1]["Range"] == "bytes=1000000-"
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.files[0].sha256 == sha256(BIG)


def test_a_file_from_elsewhere_joins_those_of_the_hub(settings: Settings, hub: FaultyHub) -> None:
    hub.files["adapter.bin"] = b"adapter"
    for url in (f"{hub.url}/cdn/adapter.bin", "https://huggingface.co/cdn/adapter.bin"):
        adapter = WeightFile("adapter/adapter.bin", sha256=sha256(b"adapter"), url=url)
        folder = pull(replace(SPEC, files=(*SPEC.files, adapter)), settings, silent, schemes=HTTP)
        assert (folder / "adapter" / "adapter.bin").read_bytes() == b"adapter"
        assert (folder / "model.safetensors").read_bytes() == BIG
        remove(SPEC, settings)


def vendor_spec(hub: FaultyHub, digest: str | None) -> ModelSpec:
    file = WeightFile("sam.pt", sha256=digest, url=f"{hub.url}/cdn/sam.pt")
    return replace(SPEC, source="https://example.com/sam.pt", files=(file,))


def test_plain_http_is_refused_unless_allowed(tmp_path: Path, hub: FaultyHub) -> None:
    hub.files["sam.pt"] = BIG
    with pytest.raises(DownloadFailed, match="only https is allowed"):
        pull(vendor_spec(hub, None), hub_settings(tmp_path), silent)
    assert hub.asked == []


def test_redirects_to_other_schemes_are_refused(settings: Settings, hub: FaultyHub) -> None:
    hub.redirect = "ftp://127.0.0.1"
    with pytest.raises(DownloadFailed, match="ftp://"):
        pull(SPEC, settings, silent)


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


def test_weights_of_another_revision_are_pulled_again(settings: Settings, hub: FaultyHub) -> None:
    pull(replace(SPEC, revision="old"), settings, silent)
    assert locate(SPEC, settings) is None
    hub.files["model.safetensors"] = b"newer"
    assert (pull(SPEC, settings, silent) / "model.safetensors").read_bytes() == b"newer"


def test_remove_deletes_the_model_and_its_parts(settings: Settings) -> None:
    pull(SPEC, settings, silent)
    half = settings.weights_home / "toy-1.0.pulling-c0ffee"
    half.mkdir()
    (half / "model.safetensors.part").write_bytes(b"1234")
    assert remove(SPEC, settings) > len(BIG) + 4
    assert [path for path in settings.weights_home.iterdir() if path.is_dir()] == []
    assert remove(SPEC, settings) == 0


def test_an_id_that_is_not_a_folder_name(settings: Settings) -> None:
    with pytest.raises(PluginError, match=r"model id '\.\./up'"):
        remove(replace(SPEC, id="../up"), settings)


def test_a_host_that_cannot_be_reached_is_named_with_the_ways_out(tmp_path: Path) -> None:
    settings = hub_settings(tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    with pytest.raises(
        Unreachable, match=r"owner/name at c0ffee0+: 127\.0\.0\.1 cannot be reached"
    ) as raised:
        pull(SPEC, settings, silent)
    for words in ("HTTPS_PROXY", "HF_ENDPOINT", "config.json, *.safetensors", str(tmp_path)):
        assert words in (raised.value.hint or "")


def test_a_vendors_host_that_cannot_be_reached_has_the_same_hint(tmp_path: Path, quick: None) -> None:
    file = WeightFile("sam.pt", url="http://127.0.0.1:9/sam.pt")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 cannot be reached: .*refused") as raised:
        pull(replace(SPEC, files=(file,)), hub_settings(tmp_path), silent, schemes=HTTP)
    assert f"by hand into {hub_settings(tmp_path).weights_home / 'toy-1.0'}" in (raised.value.hint or "")


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
    settings: Settings, hub: FaultyHub
) -> None:
    spec = replace(vendor_spec(hub, "0" * 64), hub_files=("model.safetensors", "*.json"))
    settings = hub_settings(settings.home, HF_ENDPOINT=hub.url, PROMPTVISION_MODEL_TOY_1_0="owner/name")
    folder = pull(spec, settings, silent)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", MANIFEST]
    assert locate(spec, settings) == folder
