"""``promptvision plugin new``, ``plugins`` and ``completion``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from promptvision.testing.program import Ended, Program, write_plugin

Command = Callable[..., Ended]


def test_new_plugin_works_as_it_stands(program: Program, command: Command) -> None:
    ended = command("plugin", "new", "swirl")
    assert ended.code == 0
    assert "promptvision-swirl" in ended.out
    folder = program.home / "promptvision-swirl"
    environment = {**program.environment, "PYTHONPATH": str(folder / "src")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_plugin_is_not_written_over_another(command: Command) -> None:
    assert command("plugin", "new", "swirl").code == 0
    ended = command("plugin", "new", "swirl")
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "already exists" in ended.err


def test_broken_plugin_is_listed_and_stops_nothing(program: Program, command: Command) -> None:
    site = program.home.parent / "site"
    write_plugin(site, "broken", "raise RuntimeError('no luck')")
    found = {one["name"]: one for one in json.loads(command("plugins", "--json").out)["plugins"]}
    assert found["broken"]["state"] == "failed"
    assert found["broken"]["cause"].endswith("RuntimeError: no luck")
    assert found["clitools"]["state"] == "loaded"
    assert "Traceback" in command("plugins", "--details").err
    assert command("tools").code == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_names_the_program(command: Command, shell: str) -> None:
    ended = command("completion", shell)
    assert ended.code == 0
    assert "_PROMPTVISION_COMPLETE" in ended.out


def test_commands_are_completed(program: Program) -> None:
    program.environment.update(
        _PROMPTVISION_COMPLETE="bash_complete", COMP_WORDS="promptvision hi", COMP_CWORD="1"
    )
    assert program.run().out.split() == ["plain,history"]
