"""Fixtures of the core's tests: a clean environment, the program, and a model hub."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from promptvision.cli.main import main
from promptvision.testing.faulty_hub import FaultyHub, faulty_hub
from promptvision.testing.program import Ended, Program, write_plugin

_VARIABLES = ("GROQ_API_KEY", "OPENAI_API_KEY", "LLM_NAME")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clear the settings of the machine."""
    for name in list(os.environ):
        if name.startswith(("PROMPTVISION_", "HF_")) or name in _VARIABLES:
            monkeypatch.delenv(name)


@pytest.fixture
def hub() -> Iterator[FaultyHub]:
    """A model hub on loopback that can fail."""
    with faulty_hub() as hub:
        yield hub


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The command line in child processes, with the tools of ``cli_tools.py`` and no other plugin."""
    source = Path(__file__).with_name("cli_tools.py").read_text("utf-8")
    site = write_plugin(tmp_path / "site", "clitools", source)
    others = {point.name for point in entry_points(group="promptvision")} - {"promptvision", "clitools"}
    variables = {"PROMPTVISION_DISABLED_PLUGINS": ",".join(sorted(others)), "MARK": str(tmp_path / "mark")}
    return Program(tmp_path / "home", variables, path=[site])


@pytest.fixture
def command(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Callable[..., Ended]]:
    """Runs a command of the same program in this process, which is faster."""
    monkeypatch.chdir(program.home)
    monkeypatch.syspath_prepend(program.environment["PYTHONPATH"])
    for name in ("COLUMNS", "FORCE_COLOR", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str | Path, given: bytes = b"") -> Ended:
        for name, value in program.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        written = capfdbinary.readouterr()
        return Ended(int(str(left.value.code)), written.out, written.err.decode("utf-8"))

    yield run
    sys.modules.pop("promptvision_clitools", None)
