"""``promptvision keys set``."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from promptvision.cli.keys import keys
from promptvision.cli.main import cli


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.mark.parametrize(("host", "variable"), [("groq", "GROQ_API_KEY"), ("openai", "OPENAI_API_KEY")])
def test_a_key_from_stdin_is_stored(home: Path, host: str, variable: str) -> None:
    pytest.importorskip(f"promptvision_{host}")
    done = CliRunner().invoke(cli, ["keys", "set", host], input=" secret-key \n")
    assert done.exit_code == 0, done.output
    assert (home / ".env").read_text() == f"{variable}='secret-key'\n"
    assert stat.S_IMODE((home / ".env").stat().st_mode) == 0o600
    assert "secret-key" not in done.output


def test_an_unknown_host_lists_the_known_ones(home: Path) -> None:
    done = CliRunner().invoke(keys, ["set", "nowhere"], input="x\n")
    assert done.exit_code == 2
    assert "'nowhere'; the hosts are:" in done.stderr
    assert not (home / ".env").exists()


def test_an_empty_key_is_not_stored(home: Path) -> None:
    pytest.importorskip("promptvision_groq")
    done = CliRunner().invoke(keys, ["set", "groq"], input="\n")
    assert done.exit_code != 0
    assert not (home / ".env").exists()
