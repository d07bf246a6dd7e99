"""The tutorial, followed from an empty folder: its commands and files, taken from the page."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from promptvision.testing.environments import Environments

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
INSTALLED = ("promptvision[testing]", "promptvision-bw", "hatchling", "editables")
"""What the first step installs, as far as the tutorial uses it, and the build backend."""

PIP = """#!/bin/sh
# pip of the environment, without the network
command=$1; shift
exec uv pip "$command" --quiet --offline --no-build-isolation --no-deps --python {python} "$@"
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def script(port: int) -> str:
    """All commands of the page after those of the first step, with the files where the page shows them."""
    parts = ["set -e -o pipefail"]
    for info, body in re.findall(r"^```(\S*[^\n]*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1:]:
        if title := re.fullmatch(r'python title="([^"]+)"', info):
            parts.append(f"cat > {title[1]} <<'END_OF_FILE'\n{body}END_OF_FILE")
        else:
            assert info == "sh", info
            parts.append(body.replace("5000", str(port)))
    return "\n".join(parts)


@pytest.fixture(scope="module")
def folder(environments: Environments, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder with an image, and an environment as the first step makes it."""
    folder = tmp_path_factory.mktemp("tutorial")
    wheels = environments.build(folder / "wheels", ROOT / "core", ROOT / "plugins" / "bw")
    python = environments.make(folder / ".venv", wheels, *INSTALLED)
    pip = python.parent / "pip"
    pip.write_text(PIP.format(python=python))
    pip.chmod(0o755)
    Image.linear_gradient("L").convert("RGB").save(folder / "photo.png")
    return folder


def test_first_step_makes_an_environment() -> None:
    first = re.search(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert first
    assert 'pip install "promptvision[standard,testing]"' in first[1]


def test_following_the_page_gives_a_tool_that_answers_over_http(folder: Path) -> None:
    programs = f"{folder / '.venv' / 'bin'}:{Path(shutil.which('uv') or '').parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-c", script(free_port())],
        cwd=folder,
        env={"PATH": programs, "HOME": str(folder), "PROMPTVISION_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ready to be published" in done.stderr
    reply = json.loads(done.stdout.splitlines()[-1])
    assert [(step["tool"], step["arguments"]["ink"]) for step in reply["steps"]] == [("pop_art", "warm")]
    assert reply["status"] == "done"
    assert reply["pop_art_image_url"].startswith("http://127.0.0.1:")
    with Image.open(folder / "poster.png") as poster:
        assert poster.mode == "L", "the last run makes the poster black and white"
    with Image.open(folder / "two-levels.png") as levels:
        assert len(levels.convert("L").getcolors() or ()) == 2
