from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from promptvision.testing.program import Ended, Program

Command = Callable[..., Ended]


def test_tools_are_listed_with_what_is_missing(command: Command) -> None:
    listed = json.loads(command("tools", "--json").out)["operations"]
    ready = {one["operation"]: one["tools"][0]["available"] for one in listed}
    assert ready["mirror"] is True
    assert ready["fetch_moon"] is False
    table = command("tools").out
    assert "moon-rocket" in table
    assert "apt-get install moon" in table


def test_core_alone_says_how_to_install_tools(program: Program, command: Command, photo: Path) -> None:
    program.environment["PROMPTVISION_DISABLED_PLUGINS"] += ",clitools"
    install = 'pip install "promptvision[standard]"'
    listed = command("tools")
    assert (listed.code, listed.out) == (0, "")
    assert install in listed.err
    assert json.loads(command("tools", "--json").out) == {"operations": []}
    asked = command("run", photo, "mirror it")
    assert asked.code == 1
    assert install in asked.out
    doctor = command("doctor", "--offline")
    examined = " ".join(doctor.out.split())
    assert "no installed tool can run here" in examined
    assert install in examined
    assert doctor.err.splitlines()[-1].startswith("no tool can run here; ")


def test_one_tool_runs_without_a_planner(command: Command, photo: Path) -> None:
    ended = command("tools", "run", "mirror", "-i", photo, "-a", "times=2", "--json")
    assert ended.code == 0
    document = json.loads(ended.out)
    assert document["steps"][0]["arguments"]["times"] == 2
    assert "mirror (mirror): done" in ended.err
    assert Path(document["mirror_image_url"].removeprefix("file://")).exists()


def test_image_that_cannot_be_used_is_reported(program: Program, command: Command) -> None:
    (program.home / "x.png").write_bytes(b"not an image")
    ended = command("tools", "run", "mirror", "-i", "x.png")
    assert (ended.code, ended.err.count("\n")) == (1, 1)
