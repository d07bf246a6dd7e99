"""Third-party distributions, installed with the core: one valid, one broken, one generated."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from promptvision.testing.program import Ended, Program

DOCS = Path(__file__).parents[1] / "docs"
BROKEN_PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "promptvision-broken"
version = "2.0"

[project.entry-points.promptvision]
broken = "promptvision_broken.plugin"
"""
GET_TOOLS = """
from starlette.testclient import TestClient
from promptvision.server import create_app
with TestClient(create_app(), base_url="http://127.0.0.1:5000") as client:
    print(client.get("/tools").text)
"""


def install(folder: Path, site: Path) -> None:
    """Install a distribution as pip would, offline."""
    command = ["uv", "pip", "install", "--no-deps", "--no-index", "--no-build-isolation", "--no-config"]
    done = subprocess.run(
        [*command, "--python", sys.executable, "--target", site, folder],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def write(folder: Path, package: str, project: str, plugin: str) -> Path:
    source = folder / "src" / package
    source.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(project)
    (source / "__init__.py").write_text('"""A plugin."""\n')
    (source / "plugin.py").write_text(plugin)
    return folder


def documented_plugin() -> tuple[str, str]:
    """The two blocks of "A tool in ten lines" on the page for authors."""
    page = (DOCS / "plugins.md").read_text("utf-8").partition("## A tool in ten lines")[2]
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    project = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert code
    assert project
    return code[1], project[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the documented plugin and one that raises at import, both built and installed."""
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    folder = tmp_path_factory.mktemp("third-party")
    code, project = documented_plugin()
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    install(write(folder / "mirror", "promptvision_mirror", project, code), folder / "site")
    broken = write(
        folder / "broken", "promptvision_broken", BROKEN_PROJECT, "raise OSError('no such camera')\n"
    )
    install(broken, folder / "site")
    return folder / "site"


@pytest.fixture
def program(site: Path, tmp_path: Path) -> Program:
    return Program(tmp_path / "home", path=[site])


def document(ended: Ended) -> dict[str, Any]:
    assert ended.code == 0, ended.err
    read: dict[str, Any] = json.loads(ended.out)
    return read


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (20, 0, 40, 20))
    image.save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_tool_is_listed_with_its_plugin(program: Program) -> None:
    operations = {one["operation"]: one for one in document(program.run("tools", "--json"))["operations"]}
    mirror = operations["mirror"]
    assert mirror["description"] == "Mirror an image left to right."
    assert mirror["parameters"]["properties"] == {"image": {"type": "string", "description": "image"}}
    (tool,) = mirror["tools"]
    assert (tool["tool"], tool["plugin"], tool["version"], tool["available"]) == (
        "mirror",
        "mirror",
        "0.1.0",
        True,
    )
    assert "mirror" in program.run("tools").out


def test_sentence_reaches_the_tool_without_a_language_model(
    program: Program, photo: Path, tmp_path: Path
) -> None:
    program.environment["PROMPTVISION_DISABLED_PLUGINS"] = "basics"  # it mirrors images as well
    out = tmp_path / "out.png"
    words = "Could you please mirror this photo, then make it black and white?"
    reply = document(program.run("run", photo, words, "--json", "-o", out))
    assert [step["operation"] for step in reply["steps"]] == ["mirror", "convert_to_bw"]
    assert reply["planner"] == "offline"
    with Image.open(reply["mirror_image_url"].removeprefix("file://")) as mirrored:
        assert mirrored.getpixel((0, 0)) == (0, 0, 255)
        assert mirrored.getpixel((39, 0)) == (255, 0, 0)
    with Image.open(out) as grey:
        assert (grey.mode, grey.size) == ("L", (40, 20))


def test_tool_runs_without_a_planner(program: Program, photo: Path) -> None:
    reply = document(program.run("tools", "run", "mirror", "-i", photo, "--json"))
    assert [step["status"] for step in reply["steps"]] == ["done"]


def test_tool_is_served(program: Program) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", GET_TOOLS],
        env=program.environment,
        cwd=program.home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "mirror" in {one["operation"] for one in json.loads(done.stdout)["operations"]}


def test_broken_plugin_is_listed_with_its_cause_and_does_not_affect_others(program: Program) -> None:
    plugins = {one["name"]: one for one in document(program.run("plugins", "--json"))["plugins"]}
    broken = plugins.pop("broken")
    assert (broken["distribution"], broken["version"], broken["state"]) == (
        "promptvision-broken",
        "2.0",
        "failed",
    )
    assert broken["cause"] == "import: OSError: no such camera"
    assert {one["state"] for one in plugins.values()} == {"loaded"}
    assert plugins["mirror"]["tools"] == ["mirror"]
    ended = program.run("plugins", "--details")
    assert ended.code == 0
    assert "no such camera" in " ".join(ended.out.split()), "wrapped inside its column"
    assert "Traceback" in ended.err


def test_strict_names_the_broken_distribution(site: Path, tmp_path: Path) -> None:
    strict = Program(tmp_path / "home", {"PROMPTVISION_STRICT_PLUGINS": "1"}, path=[site])
    ended = strict.run("tools")
    assert ended.code == 1
    assert ended.err == "promptvision: promptvision-broken 2.0: import: OSError: no such camera\n"
    assert strict.run("plugins").code == 0, "the command that shows what is wrong always works"


def test_disabled_plugin_is_not_imported(site: Path, tmp_path: Path) -> None:
    variables = {"PROMPTVISION_STRICT_PLUGINS": "1", "PROMPTVISION_DISABLED_PLUGINS": "broken"}
    calm = Program(tmp_path / "home", variables, path=[site])
    plugins = {one["name"]: one for one in document(calm.run("plugins", "--json"))["plugins"]}
    assert plugins["broken"]["state"] == "disabled"
    assert calm.run("tools").code == 0


def test_generated_plugin_passes_its_own_test_and_is_listed(tmp_path: Path, photo: Path) -> None:
    made = Program(tmp_path / "home").run("plugin", "new", "pop_art", "--into", tmp_path)
    assert made.code == 0, made.err
    folder, site = tmp_path / "promptvision-pop-art", tmp_path / "site"
    assert str(folder) in made.out
    install(folder, site)
    program = Program(tmp_path / "home", {"PROMPTVISION_STRICT_PLUGINS": "1"}, path=[site])
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder],
        env=program.environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout
    assert " passed" in tested.stdout
    operations = document(program.run("tools", "--json"))["operations"]
    (pop_art,) = [one for one in operations if one["operation"] == "pop_art"]
    assert pop_art["parameters"]["properties"].keys() == {"image", "bits"}
    reply = document(program.run("run", photo, "apply pop_art to it", "--json"))
    assert [step["operation"] for step in reply["steps"]] == ["pop_art"]


@pytest.mark.parametrize("name", ["Pop", "pop-art", "2pop", "class", "../pop", ""])
def test_name_that_cannot_be_a_tool_generates_nothing(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    assert Program(tmp_path / "home").run("plugin", "new", name, "--into", folder).code == 2
    assert list(folder.iterdir()) == []
