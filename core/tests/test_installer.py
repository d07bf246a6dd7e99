"""``promptvision plugins install|uninstall|search``, with real uv and pip, and an index on loopback."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from promptvision.errors import SetupError
from promptvision.plugins import installer as installer_module
from promptvision.plugins.first_party import FIRST_PARTY
from promptvision.plugins.installer import find_installer

MAIN = "from promptvision.cli.main import main; main()"
PLUGIN = """
from promptvision.plugin import Image, tool

@tool
def acme_turn(image: Image) -> Image:
    "Turn."
    return image
"""


def write_wheel(
    folder: Path, name: str, files: dict[str, str], *, requires: str = "", points: str = ""
) -> None:
    """Write a wheel of version 1.0 into the folder of its project in an index."""
    module = name.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    content = {
        **files,
        f"{info}/METADATA": metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if points:
        content[f"{info}/entry_points.txt"] = points
    content[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*content, f"{info}/RECORD"])
    (folder / name).mkdir(parents=True)
    with zipfile.ZipFile(folder / name / f"{module}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in content.items():
            wheel.writestr(path, text)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # named so in the base class
        """Do not log."""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an index with a plugin, the package that it needs, and one that is not a plugin."""
    folder = tmp_path_factory.mktemp("index")
    write_wheel(
        folder,
        "promptvision-acme",
        {"promptvision_acme.py": PLUGIN},
        requires="acme-lib>=1",
        points="[promptvision]\nacme = promptvision_acme\n",
    )
    write_wheel(folder, "acme-lib", {"acme_lib.py": ""})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


class Environment:
    """An empty virtual environment that imports promptvision from the one that runs the tests."""

    def __init__(self, folder: Path, index: str) -> None:
        uv = shutil.which("uv")
        assert uv is not None
        made = [uv, "venv", "--quiet", "--no-config", "--python", sys.executable, str(folder / "env")]
        subprocess.run(made, check=True)
        self.python = folder / "env" / "bin" / "python"
        (self.packages,) = (folder / "env" / "lib").glob("python*/site-packages")
        lines = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
        (self.packages / "shared.pth").write_text("\n".join(lines) + "\n")
        self.variables = {
            "PATH": f"{Path(uv).parent}:/usr/bin:/bin",
            "HOME": str(folder),
            "PROMPTVISION_HOME": str(folder),
            "UV_DEFAULT_INDEX": index,
            "UV_NO_CONFIG": "1",
            "UV_CACHE_DIR": str(folder / "cache"),
            "PIP_INDEX_URL": index,
            "PIP_CONFIG_FILE": os.devnull,
        }

    def add_pip(self) -> None:
        """Unpack the pip that comes with Python; quicker than installing it."""
        import ensurepip

        (wheel,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(self.packages)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.python), "-c", MAIN, "plugins", *words],
            capture_output=True,
            text=True,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").stdout)


@pytest.fixture
def environment(tmp_path: Path, index: str) -> Environment:
    return Environment(tmp_path, index)


CHANGES = [
    {"name": "acme-lib", "version": "1.0", "is_removed": False},
    {"name": "promptvision-acme", "version": "1.0", "is_removed": False},
]


@pytest.mark.parametrize("program", ["uv", "pip"])
def test_plugin_is_installed_listed_and_uninstalled(environment: Environment, program: str) -> None:
    if program == "pip":
        environment.add_pip()
    plan = environment.json("install", "promptvision-acme")
    assert (plan["installer"], plan["done"]) == (program, False)
    assert sorted(plan["changes"], key=lambda one: str(one["name"])) == CHANGES
    assert not (environment.packages / "promptvision_acme.py").exists()
    assert environment.run("install", "promptvision-acme", "--yes").returncode == 0
    if program == "uv":
        listed = {one["name"]: one for one in json.loads(environment.run("--json").stdout)["plugins"]}
        assert listed["acme"]["tools"] == ["acme_turn"]
    removed = environment.json("uninstall", "acme", "--yes")
    assert (removed["done"], removed["changes"][0]["is_removed"]) == (True, True)
    assert not (environment.packages / "promptvision_acme.py").exists()


def test_search_asks_the_index_for_an_exact_name_and_nothing_is_installed_unasked(
    environment: Environment,
) -> None:
    found = environment.json("search", "acme")["plugins"]
    assert [(one["name"], one["installed"]) for one in found] == [("promptvision-acme", "")]
    assert found[0]["summary"] == "1.0 is in the package index"
    unasked = environment.run("install", "promptvision-acme")
    assert unasked.returncode == 3
    assert "install acme-lib 1.0" in unasked.stderr
    assert "add --yes" in unasked.stderr
    assert not (environment.packages / "promptvision_acme.py").exists()
    unknown = environment.run("install", "promptvision-nosuch", "--yes")
    assert unknown.returncode == 3
    assert "promptvision-nosuch" in unknown.stderr


# In this process


def test_plugins_of_this_project_are_searched_by_words(command: Any) -> None:
    found = json.loads(command("plugins", "search", "ocr text", "--offline", "--json").out)["plugins"]
    assert {one["name"] for one in found} == {"promptvision-rapidocr", "promptvision-tesseract"}
    assert "promptvision-sam" in command("plugins", "search", "sam").out  # its own name: no index is asked
    nothing = command("plugins", "search", "nosuchword", "--offline")
    assert (nothing.code, nothing.out) == (1, "")
    assert len(json.loads(command("plugins", "search", "--json").out)["plugins"]) == len(FIRST_PARTY)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("uninstall", "nosuch"), "no plugin 'nosuch' is installed"),
        (("uninstall", "promptvision"), "promptvision itself is not a plugin"),
        (("install", "--", "--index-url=x"), "is not the name of a plugin"),
    ],
)
def test_names_that_are_not_plugins_are_refused(command: Any, words: tuple[str, ...], said: str) -> None:
    ended = command("plugins", *words)
    assert ended.code != 0
    assert said in ended.err


def test_environments_of_other_programs_are_not_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    (tmp_path / "uv-receipt.toml").write_text(
        '[tool]\nrequirements = [{ name = "promptvision" }, { name = "promptvision-sam" }]\n'
    )
    with pytest.raises(SetupError, match="uv tool install promptvision --with promptvision-sam --with NAME"):
        find_installer()
    (tmp_path / "uv-receipt.toml").write_text("[")
    with pytest.raises(SetupError, match="uv tool install promptvision --with NAME"):
        find_installer()
    (tmp_path / "uv-receipt.toml").unlink()
    (tmp_path / "pipx_metadata.json").touch()
    with pytest.raises(SetupError, match="pipx inject promptvision NAME"):
        find_installer()
    (tmp_path / "pipx_metadata.json").unlink()
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    (tmp_path / "EXTERNALLY-MANAGED").touch()
    with pytest.raises(SetupError, match=r"belongs to the operating system.*python3 -m venv"):
        find_installer()
    (tmp_path / "EXTERNALLY-MANAGED").unlink()
    monkeypatch.setattr(installer_module, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SetupError, match="has no pip, and uv is not on the PATH"):
        find_installer()
