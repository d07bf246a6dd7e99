"""Each member's wheel contains its own package and its run-time files only."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from configparser import ConfigParser
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
MEMBERS = [
    "core",
    *sorted(str(file.parent.relative_to(ROOT)) for file in ROOT.glob("[pb]*s/*/pyproject.toml")),
]
DATA = {
    "core": {
        "promptvision/py.typed",
        *(
            str(file.relative_to(ROOT / "core" / "src"))
            for file in (ROOT / "core" / "src" / "promptvision" / "template").rglob("*.in")
        ),
        *(f"promptvision/builtin/planner/intents/{name}.txt" for name in ("classifier", "tagger")),
    },
    "backends/supabase": {"promptvision_supabase/py.typed", "promptvision_supabase/setup.sql"},
}
"""Files of a wheel that are not Python; all other members have only ``py.typed``."""

TEST_SERVERS = {
    "promptvision_cloudinary/fake.py",
    "promptvision_ray/testing.py",
    "promptvision_s3/testing.py",
    "promptvision_supabase/testing.py",
}
"""Servers that tests start; wheels exclude them."""


@pytest.fixture(scope="module", params=MEMBERS)
def member(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def wheel(member: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    command = ["uv", "build", "--wheel", "--no-build-isolation", "--offline", "--no-config", "--quiet"]
    done = subprocess.run(
        [*command, "--python", sys.executable, "--out-dir", folder, ROOT / member],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def package_of(member: str) -> str:
    """The import package of a member."""
    return "promptvision" if member == "core" else f"promptvision_{Path(member).name}"


def files_of(wheel: Path) -> set[str]:
    """All of a wheel's files but its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def metadata_of(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [path for path in archive.namelist() if path.endswith(f".dist-info/{name}")]
        return archive.read(path).decode("utf-8")


def test_wheel_holds_its_own_package_and_nothing_else(member: str, wheel: Path) -> None:
    package = package_of(member)
    files = files_of(wheel)
    assert {name.partition("/")[0] for name in files} == {package}
    source = ROOT / member / "src"
    modules = {str(file.relative_to(source)) for file in source.rglob("*.py")}
    modules -= TEST_SERVERS
    assert files == modules | DATA.get(member, {f"{package}/py.typed"})


def test_wheel_names_its_plugin_and_the_module_is_in_it(member: str, wheel: Path) -> None:
    groups = ConfigParser()
    groups.read_string(metadata_of(wheel, "entry_points.txt"))
    ((name, module),) = groups.items("promptvision")
    assert name == ("promptvision" if member == "core" else Path(member).name)
    assert f"{module.replace('.', '/')}.py" in files_of(wheel)


def test_metadata_is_complete(member: str, wheel: Path) -> None:
    metadata: Message = Parser().parsestr(metadata_of(wheel, "METADATA"))
    project = tomllib.loads((ROOT / member / "pyproject.toml").read_text("utf-8"))["project"]
    assert metadata["Name"] == project["name"] == package_of(member).replace("_", "-")
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Summary"]
    needs = [Requirement(need) for need in metadata.get_all("Requires-Dist") or []]
    assert not [need for need in needs if need.url or any(part.operator == "==" for part in need.specifier)]
    if member != "core":
        (core,) = [need for need in needs if need.name == "promptvision" and need.marker is None]
        assert {part.operator for part in core.specifier} == {">=", "<"}


def test_migrations_are_in_the_wheel_of_the_core(member: str, wheel: Path) -> None:
    if member != "core":
        return
    names = {name for name in files_of(wheel) if "/sql/migrations/" in name}
    assert "promptvision/builtin/sql/migrations/env.py" in names
    assert any("/versions/0001_" in name for name in names)
