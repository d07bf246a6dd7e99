"""Commands of plugins: listed by ``--help`` from a cache that follows what is installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from promptvision.builtin.commands import COMMANDS
from promptvision.plugins.commands import Command
from promptvision.plugins.listing import list_plugin_commands
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings
from promptvision.testing.program import Program, write_plugin

Plant = Callable[..., list[EntryPoint]]

LAZY = """
from promptvision.plugin import Command, hookimpl

@hookimpl
def promptvision_commands():
    return [Command("{name}", "Greet the user.", "promptvision_greet_command:greet")]
"""


@pytest.fixture
def greet(program: Program, tmp_path: Path) -> Path:
    site = write_plugin(tmp_path / "site", "greet", LAZY.format(name="greet"))
    (site / "promptvision_greet_command.py").write_text(
        "import click\nprint('imported')\n@click.command()\ndef greet():\n    print('hello')\n"
    )
    return site


def test_commands_of_the_core_come_through_the_hook_and_first(plant: Plant) -> None:
    plant("promptvision-aaa", LAZY.format(name="greet"))
    points = plant("promptvision-zzz", LAZY.format(name="bye"))
    points.append(EntryPoint("promptvision", "promptvision.builtin.plugin", "promptvision"))
    registry = Registry.load(Settings(), points)
    names = [command.name for command in registry.commands()]
    assert names == [*(command.name for command in COMMANDS), "greet", "bye"]
    assert [(owner, command.name) for owner, command in registry.plugin_commands()] == [
        ("aaa", "greet"),
        ("zzz", "bye"),
    ]


def test_every_command_of_the_core_can_be_loaded_under_its_name() -> None:
    assert all(command.load().name == command.name for command in COMMANDS)


def test_help_lists_a_plugins_command_without_importing_it(program: Program, greet: Path) -> None:
    for _ in range(2):
        ended = program.run("--help")
        assert "greet" in ended.out
        assert "Greet the user." in ended.out
        assert "imported" not in ended.out
    assert program.run("greet").out == "imported\nhello\n"


def test_cache_follows_changed_and_removed_plugins(program: Program, greet: Path) -> None:
    assert "greet" in program.run("--help").out
    (cache,) = (program.home / "cache" / "plugins").iterdir()
    assert json.loads(cache.read_text())["document"]["commands"] == [["greet", "Greet the user."]]
    (greet / "promptvision_greet.py").write_text(LAZY.format(name="salute"))
    assert "salute" in program.run("--help").out
    program.environment["PROMPTVISION_DISABLED_PLUGINS"] += ",greet"
    assert "salute" not in program.run("--help").out


def test_broken_cache_is_replaced(program: Program, greet: Path) -> None:
    program.run("--help")
    (cache,) = (program.home / "cache" / "plugins").iterdir()
    for text in ("", "[]", '{"key": 1}', "\x00"):
        cache.write_text(text)
        assert "greet" in program.run("--help").out
    assert json.loads(cache.read_text())["document"]["commands"]


def test_plugin_cannot_replace_a_command_of_the_core(program: Program, greet: Path) -> None:
    (greet / "promptvision_greet.py").write_text(LAZY.format(name="run"))
    assert program.run("--help").out.count("\n  run ") == 1
    assert "Greet" not in program.run("--help").out
    assert "imported" not in program.run("run", "--help").out


def test_help_works_with_settings_that_cannot_be_read(program: Program) -> None:
    program.environment["PROMPTVISION_MAX_STEPS"] = "many"
    ended = program.run("--help")
    assert ended.code == 0
    assert "doctor" in ended.out
    assert "PROMPTVISION_MAX_STEPS" in ended.err


def test_nothing_is_cached_where_the_home_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path / "file" / "home"))
    assert isinstance(list_plugin_commands(), list)


def test_lazy_command_is_imported_by_its_target() -> None:
    command = Command("run", "Run.", "promptvision.cli.run:run")
    assert command.load().name == "run"
