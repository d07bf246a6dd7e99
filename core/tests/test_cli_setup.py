"""``promptvision setup``, with models from a hub on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from promptvision.cli import pulling, setup_llm
from promptvision.cli import setup as cli_setup
from promptvision.cli.setup import setup as setup_command
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.models.weights import locate
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings, load_settings
from promptvision.testing.agents import make_registry
from promptvision.testing.hub import LocalHub, local_hub
from promptvision.tools import operations
from promptvision.tools.context import ToolContext
from promptvision.tools.operations import ImageArgs
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Tool

Run = Callable[..., Result]


def grey(args: ImageArgs, context: ToolContext) -> operations.BwResult:
    image = context.open(args.image_url)
    return operations.BwResult(
        original_image_url=args.image_url, bw_image_url=context.save(image.convert("L"))
    )


def spec(name: str, license_: str) -> ModelSpec:
    return ModelSpec(
        id=name,
        source=f"tiny/{name}",
        revision="main",
        files=(WeightFile("model.safetensors", size=2_000_000),),
        license=license_,
        license_url="https://example.com/licence",
        tier="light",
    )


FREE, RAIL = spec("free", "MIT"), spec("rail", "RAIL")
TOOLS = [
    Tool(
        name=name,
        operation=operations.CONVERT_TO_BW,
        run=grey,
        requires=Requirements(models=(name,)),
    )
    for name in ("free", "rail")
]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    for name in ("free", "rail"):
        (tmp_path / "hub" / name).mkdir(parents=True)
        (tmp_path / "hub" / name / "model.safetensors").write_bytes(name.encode() * 500_000)
    with local_hub({f"tiny/{name}": tmp_path / "hub" / name for name in ("free", "rail")}) as hub:
        yield hub


@pytest.fixture
def settings(tmp_path: Path, hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    return load_settings()


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    models = [
        ModelSpec(**{**vars(one), "files": (WeightFile("model.safetensors"),), "download_bytes": 2_000_000})
        for one in (FREE, RAIL)
    ]
    registry = make_registry(TOOLS, models, settings)
    monkeypatch.setattr(Registry, "load", lambda *args, **options: registry)
    monkeypatch.setattr(setup_llm, "find_hosts", list)
    return lambda *args, **options: CliRunner().invoke(setup_command, args, **options)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pulling, cli_setup):
        monkeypatch.setattr(module, "is_terminal", lambda: True)


def here(settings: Settings) -> list[str]:
    return [one.id for one in (FREE, RAIL) if locate(one, settings) is not None]


def test_dry_run_shows_and_does_nothing(run: Run, hub: LocalHub, settings: Settings) -> None:
    done = run("--dry-run", "--profile", "light")
    assert done.exit_code == 0, done.output
    assert "free   0.00 GB  MIT      seconds   convert_to_bw" in done.stdout
    assert "rail   0.00 GB  RAIL *" in done.stdout
    assert "* RAIL restricts the use of the weights: https://example.com/licence" in done.stderr
    assert hub.served == 0
    assert here(settings) == []


def test_dry_run_as_json(run: Run) -> None:
    plan = json.loads(run("--dry-run", "--json", "--profile", "light").stdout)
    assert (plan["profile"], plan["bytes"]) == ("light", 4_000_000)
    assert plan["machine"]["memory_bytes"] > 0
    assert [(one["id"], one["restrictive"], one["present"]) for one in plan["models"]] == [
        ("free", False, False),
        ("rail", True, False),
    ]


def test_yes_downloads_verifies_and_runs_each_tool(run: Run, settings: Settings) -> None:
    done = run("--yes")
    assert done.exit_code == 0, done.output
    assert here(settings) == ["free", "rail"]
    for line in ("free: downloaded and verified", "  free: works", "  rail: works", "Ready. Try:"):
        assert line in done.stderr
    assert len(done.stdout.splitlines()) >= 6
    again = json.loads(run("--yes", "--json").stdout)
    assert [one["present"] for one in again["models"]] == [True, True]
    assert [one["is_ok"] for one in again["tests"]] == [True, True]


def test_a_restrictive_licence_may_be_refused(run: Run, terminal: None, settings: Settings) -> None:
    done = run(input="f\n")
    assert done.exit_code == 0, done.output
    assert "Download 0.00 GB and accept the licences marked *?" in done.stderr
    assert here(settings) == ["free"]
    assert "rail: works" not in done.stderr


def test_nothing_is_downloaded_without_consent(run: Run, terminal: None, hub: LocalHub) -> None:
    assert run(input="n\n").exit_code == 0
    assert hub.served == 0


def test_without_a_terminal_it_says_what_to_add(run: Run, hub: LocalHub) -> None:
    done = run()
    assert done.exit_code == 2
    assert "without a terminal add --yes or --dry-run" in done.stderr
    assert hub.served == 0


def test_a_failed_download_is_reported_and_the_others_continue(
    run: Run, hub: LocalHub, settings: Settings
) -> None:
    (hub.repositories["tiny/rail"] / "model.safetensors").unlink()
    done = run("--yes", standalone_mode=False)
    assert done.return_value == 1
    assert "has no file 'model.safetensors'" in done.stderr
    assert here(settings) == ["free"]
    assert "free: works" in done.stderr
    assert "Ready. Try:" not in done.stderr
