"""The program as a whole: exit codes, one line for an error, nothing heavy for help."""

from __future__ import annotations

import faulthandler
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from promptvision.builtin.commands import COMMANDS
from promptvision.cli.main import main
from promptvision.testing.program import Ended, Program, write_plugin

Command = Callable[..., Ended]

USAGE = [
    ("nonsense",),
    ("--nonsense",),
    ("run",),
    ("run", "photo.png"),
    ("run", "photo.png", "mirror it", "--json", "--jsonl"),
    ("run", "photo.png", "mirror it", "-o", "no/folder/out.png"),
    ("run", "photo.png", "mirror it", "-o", "out.xyz"),
    ("run", "photo.png", "mirror it", "-o", "-", "--json"),
    ("tools", "run", "nonsense"),
    ("tools", "run", "mirror"),
    ("tools", "run", "mirror", "-a", "times"),
    ("tools", "run", "mirror", "-a", "image=5"),
    ("tools", "run", "mirror", "-i", "photo.png", "-a", "tims=2"),
    ("tools", "run", "mirror", "-i", "photo.png", "-a", "times=often"),
    ("history", "rename", "x", " "),
    ("models", "rm", "nonsense"),
    ("plugin", "new", "Bad-Name"),
    ("serve", "--port", "99999"),
    ("completion", "tcsh"),
]


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_wrong_usage_is_one_line_and_exit_code_2(
    program: Program, command: Command, photo: Path, words: tuple[str, ...]
) -> None:
    (program.home / "photo.png").write_bytes(photo.read_bytes())
    ended = command(*words)
    assert ended.code == 2
    assert not ended.data
    assert ended.err.startswith("promptvision: ")
    assert ended.err.count("\n") == 1
    assert "--help`" in ended.err


def test_without_a_command_the_commands_are_listed(command: Command) -> None:
    ended = command()
    assert ended.code == 2
    assert all(command.name in ended.err for command in COMMANDS)


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_has_help(command: Command, name: str) -> None:
    ended = command(name, "--help")
    assert ended.code == 0
    assert f"promptvision {name}" in ended.out
    assert not ended.err


def test_help_imports_no_agent_and_nothing_heavy(tmp_path: Path) -> None:
    """Plugins are asked for their commands once; from then on the list is read from a file."""
    code = (
        "import sys\nfrom promptvision.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name in ('PIL', 'pydantic', 'torch', 'openai', 'rich',"
        " 'sqlalchemy', 'promptvision.agent.agent', 'promptvision.settings')])"
    )
    environment = {**os.environ, "PROMPTVISION_HOME": str(tmp_path)}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
        )
        assert "run " in done.stdout
    assert done.stdout.strip().endswith("[]")


def test_settings_that_cannot_be_used_are_exit_code_3(program: Program, command: Command) -> None:
    program.environment["PROMPTVISION_MAX_STEPS"] = "many"
    ended = command("history")
    assert ended.code == 3
    assert ended.err.count("\n") == 1
    assert "PROMPTVISION_MAX_STEPS" in ended.err


def test_home_that_cannot_be_made_names_the_next_step(
    program: Program, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    program.environment["PROMPTVISION_HOME"] = str(tmp_path / "file" / "home")
    ended = command("history")
    assert ended.code == 1
    assert ended.err.count("\n") == 1
    assert "promptvision doctor" in ended.err


def test_unexpected_failure_is_one_line_and_a_traceback_with_debug(
    program: Program, photo: Path, tmp_path: Path
) -> None:
    site = write_plugin(
        tmp_path / "site",
        "odd",
        "import click\nfrom promptvision import hookimpl\n@click.command()\ndef explode():\n"
        "    raise ZeroDivisionError('on\\npurpose')\n"
        "@hookimpl\ndef promptvision_commands():\n    return [explode]\n",
    )
    assert str(site) in program.environment["PYTHONPATH"]
    ended = program.run("explode")
    assert ended.code == 1
    assert ended.err.count("\n") == 1
    assert "ZeroDivisionError: on purpose" in ended.err
    ended = program.run("--debug", "explode")
    assert ended.code == 1
    assert "Traceback" in ended.err


def test_reader_that_leaves_early_is_not_an_error(program: Program) -> None:
    running = program.start("tools", "--json")
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.close()
    with running.stderr as said:
        assert b"Traceback" not in said.read()
    running.wait(30)


def test_ascii_stdout_gets_an_answer_all_the_same(program: Program, photo: Path) -> None:
    program.environment["PYTHONIOENCODING"] = "ascii"
    ended = program.run("run", photo, "do what no one knows")
    assert ended.code == 1
    assert "do not understand" in ended.out


def test_serve_on_a_taken_port_says_so_and_how_to_choose_another(command: Callable[..., Ended]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = command("serve", "--port", str(taken.getsockname()[1]))
    assert ended.code == 3
    assert "ddress already in use" in ended.err
    assert "--port" in ended.err
    assert "Errno" not in ended.err


def test_crash_in_native_code_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[object] = []
    monkeypatch.setattr(faulthandler, "is_enabled", lambda: False)
    monkeypatch.setattr(faulthandler, "enable", files.append)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert files == [sys.__stderr__]
