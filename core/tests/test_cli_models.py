"""``promptvision models``, on weights from a vendor's URL on loopback."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from promptvision.cli.models import models
from promptvision.errors import SetupError
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.plugins.discovery import new_manager
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings

DATA = b"weights" * 100_000

Run = Callable[..., Result]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "toy.pt").write_bytes(DATA)
    server = HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "vendor")))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Settings:
    # a hub mirror named by an http URL is what allows http here
    return Settings.from_mapping({"PROMPTVISION_HOME": str(tmp_path / "home"), "HF_ENDPOINT": url})


@pytest.fixture
def run(settings: Settings, url: str) -> Run:
    file = WeightFile("toy.pt", sha256=hashlib.sha256(DATA).hexdigest(), size=len(DATA), url=f"{url}/toy.pt")
    spec = ModelSpec(
        id="toy", source=file.url or "", revision="1", files=(file,), license="Apache-2.0", plugin="toys"
    )
    registry = Registry(settings, [], new_manager())
    registry.models["toy"] = spec
    return lambda *args: CliRunner().invoke(models, args, obj=registry)


def test_list_before_and_after_a_pull(run: Run, settings: Settings) -> None:
    assert run("list").stdout.splitlines() == [
        "MODEL  STATE    SIZE     LICENCE     PLUGIN",
        "toy    missing  0.00 GB  Apache-2.0  toys",
    ]
    pulled = run("pull", "toy")
    assert pulled.exit_code == 0, pulled.output
    assert pulled.stdout == f"{settings.weights_home / 'toy'}\n"
    assert "licence Apache-2.0" in pulled.stderr
    (row,) = json.loads(run("list", "--json").stdout)
    assert (row["id"], row["state"], row["plugin"]) == ("toy", "ready", "toys")
    assert row["path"] == str(settings.weights_home / "toy")
    assert row["bytes"] > len(DATA)


def test_an_interrupted_pull_shows_as_partial(run: Run, settings: Settings) -> None:
    (settings.weights_home / "toy.pulling-1").mkdir(parents=True)
    assert json.loads(run("list", "--json").stdout)[0]["state"] == "partial"


def test_verify_reports_damage_by_its_exit_code(run: Run, settings: Settings) -> None:
    run("pull", "toy")
    assert (run("verify").stdout, run("verify", "toy").exit_code) == ("toy: ok\n", 0)
    (settings.weights_home / "toy" / "toy.pt").write_bytes(DATA[:-1] + b"!")
    damaged = run("verify")
    assert damaged.exit_code == 1
    assert damaged.stdout.startswith("toy: toy.pt has SHA-256 ")


def test_verify_of_what_is_not_here(run: Run) -> None:
    assert (run("verify").stdout, run("verify").exit_code) == ("", 0)
    assert isinstance(run("verify", "toy").exception, SetupError)


def test_rm_frees_the_disk(run: Run, settings: Settings) -> None:
    run("pull", "toy")
    assert run("rm", "toy").stdout == "toy: 0.00 GB freed\n"
    assert not (settings.weights_home / "toy").exists()
    assert run("rm", "toy").stdout == "toy: not downloaded\n"


@pytest.mark.parametrize("args", [("pull", "gone"), ("rm", "gone"), ("verify", "gone")])
def test_an_unknown_id_is_a_usage_error_that_lists_the_known(run: Run, args: tuple[str, ...]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert "'gone' is not a known model; known: toy" in result.stderr


@pytest.mark.parametrize("command", ["pull", "rm"])
def test_an_id_must_be_given(run: Run, command: str) -> None:
    assert run(command).exit_code == 2
