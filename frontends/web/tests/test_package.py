"""Wheel and sdist hold the built page, and an installation needs no Node."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import pytest

from promptvision.testing import ServerProcess
from promptvision_web.page import STATIC

MEMBER = Path(__file__).parents[1]
UV = shutil.which("uv")

pytestmark = pytest.mark.skipif(UV is None, reason="uv is not installed")


def _uv(*arguments: str | Path) -> None:
    done = subprocess.run(
        [str(UV), *arguments, "--offline", "--no-config", "--quiet", "--python", sys.executable],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    _uv("build", "--no-build-isolation", "--out-dir", folder, MEMBER)
    return folder


def _page_files() -> set[str]:
    return {str(file.relative_to(STATIC)) for file in STATIC.rglob("*") if file.is_file()}


def test_sdist_holds_page_and_source_without_packages_of_others(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {f"src/promptvision_web/static/{name}" for name in _page_files()} <= names
    assert {"ui/package.json", "ui/src/main.tsx"} <= names
    assert not [name for name in names if "node_modules" in name or "lock" in name]


def test_wheel_from_the_sdist_holds_the_page(built: Path) -> None:
    (archive,) = built.glob("*.whl")
    with zipfile.ZipFile(archive) as wheel:
        names = set(wheel.namelist())
        index = wheel.read("promptvision_web/static/index.html").decode("utf-8")
    assert {f"promptvision_web/static/{name}" for name in _page_files()} <= names
    assert not [name for name in names if name.startswith("ui/") or name.endswith((".ts", ".tsx"))]
    for address in re.findall(r'(?:src|href)="\./([^"]+)"', index):
        assert f"promptvision_web/static/{address}" in names


def test_page_of_an_installed_wheel_needs_no_node(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    site, commands = tmp_path / "site", tmp_path / "empty"
    commands.mkdir()
    _uv("pip", "install", "--no-deps", "--target", site, wheel)
    installed = site / "promptvision_web" / "static" / "index.html"
    installed.write_text(installed.read_text("utf-8").replace("<title>", "<title>installed "), "utf-8")
    with (
        ServerProcess(tmp_path / "home", {"PATH": str(commands)}, path=[site]) as server,
        urllib.request.urlopen(f"{server.url}/", timeout=60) as page,
    ):
        assert "<title>installed promptvision" in page.read().decode("utf-8")
