"""Commands that list plugins read the cached catalog, and never show outdated entries."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from promptvision.plugins import catalog_cache
from promptvision.plugins.catalog_cache import cache_key, read_cached, write_cached
from promptvision.plugins.describe import describe_operations, describe_plugins
from promptvision.plugins.listing import load_listing
from promptvision.plugins.registry import Registry
from promptvision.settings import load_settings
from promptvision.testing.modules import forget_modules
from promptvision.testing.program import Ended, Program, write_plugin

Command = Callable[..., Ended]

PLUGIN = """
import os
with open({log!r}, "a") as log:
    log.write("{name}\\n")
from promptvision.plugin import Image, Requirements, tool

{before}

@tool({options})
def {name}(image: Image) -> Image:
    "{text}"
    return image
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "imports.log"


@pytest.fixture
def site(program: Program, log: Path) -> Iterator[Path]:
    """The folder of installed plugins, of which none stays imported."""
    folder = Path(program.environment["PYTHONPATH"])
    yield folder
    forget_modules(folder)


def plant(
    folder: Path, log: Path, name: str, text: str = "Turn.", options: str = "", before: str = ""
) -> Path:
    source = PLUGIN.format(name=name, log=str(log), text=text, options=options, before=before)
    write_plugin(folder, name, source)
    return folder / f"promptvision_{name}.py"


def imported(log: Path) -> list[str]:
    """Plugins imported since the last call; those of this process are imported again the next time."""
    forget_modules(log.parent)
    found = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    time.sleep(2 * catalog_cache.CLOCK_NS / 1e9)  # what changed just before loading is not cached
    return found


def described(command: Command, name: str) -> dict[str, Any]:
    operations = json.loads(command("tools", "--json").out)["operations"]
    found: dict[str, Any] = next(one for one in operations if one["operation"] == name)
    return found


def test_thirty_plugins_are_listed_without_being_imported(command: Command, site: Path, log: Path) -> None:
    names = [f"synthetic{number}" for number in range(30)]
    for name in names:
        plant(site, log, name)
    imported(log)
    first = command("tools")
    assert sorted(imported(log)) == sorted(names)
    assert all(name in first.out for name in names)
    listed = [command(*words) for words in (["tools"], ["plugins"], ["--help"])]
    assert listed[0] == first
    assert all(name in listed[1].out for name in names)
    assert [one.code for one in listed] == [0, 0, 0]
    assert imported(log) == []


def test_cached_catalog_says_the_same_as_the_loaded_plugins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path))
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "1")  # plugins set it when they are imported
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    loaded = load_listing(settings)
    cached = load_listing(settings)
    assert isinstance(loaded, Registry)
    assert not isinstance(cached, Registry)
    assert describe_operations(cached) == describe_operations(loaded)
    assert describe_plugins(cached) == describe_plugins(loaded)


@pytest.mark.parametrize("keeps_time", [True, False])
def test_changed_file_is_noticed(
    program: Program, command: Command, site: Path, log: Path, *, keeps_time: bool
) -> None:
    file = plant(site, log, "alpha", "Turn.")
    imported(log)
    assert described(command, "alpha")["description"] == "Turn."
    status = file.stat()
    plant(site, log, "alpha", "Spin it.")  # of another size: Python itself goes by size and second
    if keeps_time:
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    imported(log)
    assert described(command, "alpha")["description"] == "Spin it."
    assert imported(log) == ["alpha"]


def test_file_with_other_times_and_the_same_content_imports_nothing(
    command: Command, site: Path, log: Path
) -> None:
    file = plant(site, log, "alpha")
    imported(log)
    described(command, "alpha")
    os.utime(file)
    imported(log)
    described(command, "alpha")
    assert imported(log) == []


def test_new_and_removed_plugins_are_noticed(command: Command, site: Path, log: Path) -> None:
    plant(site, log, "alpha")
    imported(log)
    described(command, "alpha")
    plant(site, log, "beta")
    imported(log)
    assert described(command, "beta")["available"]
    for file in (site / "promptvision_alpha-1.0.dist-info").iterdir():
        file.unlink()
    (site / "promptvision_alpha-1.0.dist-info").rmdir()
    assert "alpha" not in command("tools").out


def test_files_of_a_package_are_watched(program: Program, command: Command, site: Path, log: Path) -> None:
    plant(site, log, "alpha", before="TEXT = (__import__('pathlib').Path(__file__).parent)")
    package = site / "promptvision_beta"
    package.mkdir()
    (package / "__init__.py").write_text(
        "import pathlib\nfrom promptvision.plugin import Image, tool\n"
        "def beta(image: Image) -> Image:\n    return image\n"
        "beta.__doc__ = (pathlib.Path(__file__).parent / 'text.txt').read_text()\nbeta = tool(beta)\n"
    )
    (package / "text.txt").write_text("Bend.")
    plant(site, log, "beta").unlink()
    imported(log)
    assert described(command, "beta")["description"] == "Bend."
    (package / "text.txt").write_text("Fold.")
    imported(log)
    assert described(command, "beta")["description"] == "Fold."


def test_variables_and_settings_files_are_part_of_the_key(
    program: Program, command: Command, site: Path, log: Path
) -> None:
    plant(site, log, "alpha", options="limits=os.environ.get('ALPHA_LIMITS', 'none')")
    imported(log)
    for limits in ("few", "many", "few"):
        program.environment["ALPHA_LIMITS"] = limits
        assert described(command, "alpha")["tools"][0]["limits"] == limits
        imported(log)
    (program.home / ".env").write_text("PROMPTVISION_PREFER=alpha:beta\n")
    assert "no tool 'alpha:beta'" in command("tools").err
    assert "no tool 'alpha:beta'" in command("tools").err  # cached warnings are shown, too


def test_state_of_the_machine_is_not_cached(
    program: Program, command: Command, site: Path, log: Path
) -> None:
    plant(site, log, "alpha", options="requires=Requirements(binaries={'alpha-tool': 'apt install alpha'})")
    imported(log)
    assert not described(command, "alpha")["available"]
    folder = program.home / "bin"
    folder.mkdir()
    (folder / "alpha-tool").write_text("#!/bin/sh\n")
    (folder / "alpha-tool").chmod(0o755)
    path = program.environment["PATH"]
    program.environment["PATH"] = f"{path}:{folder}"
    imported(log)
    assert described(command, "alpha")["available"]
    imported(log)
    (folder / "alpha-tool").unlink()
    assert not described(command, "alpha")["available"]
    assert imported(log) == []


def test_plugin_that_failed_or_opts_out_is_imported_each_time_and_no_other(
    program: Program, command: Command, site: Path, log: Path
) -> None:
    switch = program.home / "switch"
    plant(site, log, "alpha")
    plant(site, log, "broken", before=f"os.stat({str(switch)!r})")
    opts_out = f"PLUGIN_CACHE = False\nTEXT = str(os.path.exists({str(switch)!r}))"
    plant(site, log, "changing", options="limits=TEXT", before=opts_out)
    imported(log)
    first = command("tools")
    assert "promptvision-broken 1.0 is not loaded" in first.err
    imported(log)
    assert command("tools") == first
    assert sorted(imported(log)) == ["broken", "changing"]
    assert "Traceback" in command("plugins", "--details").err
    switch.touch()
    imported(log)
    assert described(command, "broken")["available"]
    assert described(command, "changing")["tools"][0]["limits"] == "True"


def test_strict_settings_read_no_cache(program: Program, command: Command, site: Path, log: Path) -> None:
    plant(site, log, "broken", before="raise OSError('no disk')")
    program.environment["PROMPTVISION_STRICT_PLUGINS"] = "1"
    imported(log)
    assert command("plugins").code == 0
    assert command("tools").code == 1


def test_what_changed_during_loading_is_not_cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path))
    began_ns, file = time.time_ns(), tmp_path / "plugin.py"
    file.write_text("new")
    write_cached("a", {"one": 1}, [file], began_ns)
    assert read_cached("a") is None
    write_cached("a", {"one": 1}, [file], file.stat().st_ctime_ns + 2 * catalog_cache.CLOCK_NS)
    assert read_cached("a") == {"one": 1}
    file.unlink()
    assert read_cached("a") is None


def test_few_catalogs_are_kept_and_concurrent_writers_leave_a_whole_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path))
    documents: list[dict[str, Any]] = [{"text": str(number) * 9999} for number in range(9)]
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write_cached, "k", one, [], time.time_ns()) for one in documents]:
            done.result()
    assert read_cached("k") in documents
    for number in range(20):
        write_cached(f"k{number}", documents[0], [], time.time_ns())
    assert len(list((tmp_path / "cache" / "plugins").iterdir())) == catalog_cache.MAX_FILES
    assert read_cached("k19") == documents[0]


def test_key_ignores_what_shells_change(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache_key()
    monkeypatch.setenv("COLUMNS", "71")
    monkeypatch.setenv("SHLVL", "7")
    assert cache_key() == before
    monkeypatch.setenv("PROMPTVISION_PREFER", "a:b")
    assert cache_key() != before
