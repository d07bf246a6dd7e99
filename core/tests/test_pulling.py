"""Models offered where they are missing: by commands that run tools, with a hub on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from PIL import Image

from promptvision.testing.hub import LocalHub, local_hub
from promptvision.testing.program import Program, write_plugin

SOURCE = """
from promptvision.plugin import ModelSpec, Requirements, Tool, WeightFile, hookimpl, operations

PLUGIN_API = 1
MODELS = [
    ModelSpec(
        id=f"grey-{size}", source=f"tiny/{size}", revision="main", files=(WeightFile("weights"),),
        license="MIT",
        download_bytes=690_000_000, load="promptvision_grey:load", tier=tier,
    )
    for size, tier in (("large", "full"), ("small", "light"))
]


def load(path, device, dtype):
    return (path / "weights").read_text()


def to_grey(args, context):
    assert context.lease("grey-large | grey-small") == "grey"
    made = context.save(context.open(args.image_url).convert("L"))
    return operations.CONVERT_TO_BW.result(original_image_url=args.image_url, bw_image_url=made)


@hookimpl
def promptvision_tools():
    needed = Requirements(models=("grey-large | grey-small",))
    return [Tool(name="grey", operation=operations.CONVERT_TO_BW, run=to_grey, requires=needed)]


@hookimpl
def promptvision_models():
    return MODELS
"""

COMMAND = "promptvision models pull grey-small"
ASKED = "This needs grey-small (0.69 GB). Download now? [Y/n]"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "weights").write_text("grey")
    with local_hub({"tiny/small": tmp_path / "hub", "tiny/large": tmp_path / "hub"}) as hub:
        yield hub


@pytest.fixture
def program(tmp_path: Path, hub: LocalHub) -> Program:
    """The program with one tool, which has two models to choose from, on a machine without a GPU."""
    if Path("/proc/driver/nvidia/version").exists():
        pytest.skip("another model is offered on a machine with a GPU")
    site = write_plugin(tmp_path / "site", "grey", SOURCE)
    others = {point.name for point in entry_points(group="promptvision")} - {"promptvision", "grey"}
    variables = {
        "PROMPTVISION_DISABLED_PLUGINS": ",".join(sorted(others)),
        "PROMPTVISION_PLANNER": "offline",
        "HF_ENDPOINT": hub.url,
    }
    made = Program(tmp_path / "home", variables, path=[site])
    Image.new("RGB", (40, 30), "red").save(made.home / "photo.png")
    return made


def test_without_a_terminal_the_last_line_is_the_command(program: Program, hub: LocalHub) -> None:
    asked = ("run", "photo.png", "make it black and white")
    for words in (asked, ("tools", "run", "convert_to_bw", "-i", "photo.png")):
        ended = program.run(*words)
        assert ended.code == 3
        assert ended.err.splitlines()[-1] == COMMAND
    piped = program.run("chat", "photo.png", given=b"make it black and white\n")
    assert piped.code == 1
    assert piped.err.splitlines()[-1] == COMMAND
    assert hub.served == 0


def make_photos(program: Program) -> list[Path]:
    paths = [program.home / f"{name}.png" for name in "abcd"]
    for number, path in enumerate(paths):
        Image.new("RGB", (40, 30 + number), "red").save(path)
    return paths


def test_batch_ends_at_once_with_the_command(program: Program, hub: LocalHub) -> None:
    photos = make_photos(program)
    ended = program.run("batch", "make it black and white", *photos, "-o", "out", "--jobs", "2")
    assert (ended.code, ended.out) == (3, "0 of 4 done, 1 failed; out\n")
    assert ended.err.splitlines()[-1] == COMMAND
    assert ended.err.count("failed - ") == 1
    assert hub.served == 0


def test_batch_asks_on_a_terminal_and_continues(program: Program) -> None:
    photos = make_photos(program)
    with program.at_terminal("batch", "make it black and white", *photos, "-o", "out") as terminal:
        terminal.wait_for(ASKED)
        terminal.type("\n")
        terminal.wait_for("4 of 4 done")
        assert terminal.end() == 0
    assert {path.name for path in (program.home / "out").glob("*.png")} == {path.name for path in photos}


def test_pull_downloads_and_continues(program: Program) -> None:
    ended = program.run("run", "photo.png", "make it black and white", "--pull", "-o", "grey.png")
    assert ended.code == 0, ended.err
    assert "convert_to_bw (grey, grey-small): done" in ended.err
    assert (program.home / "grey.png").exists()
    again = program.run("tools", "run", "convert_to_bw", "-i", "photo.png")
    assert again.code == 0, again.err


def test_pull_that_fails_ends_it(program: Program, hub: LocalHub) -> None:
    (hub.repositories["tiny/small"] / "weights").unlink()
    ended = program.run("tools", "run", "convert_to_bw", "-i", "photo.png", "--pull")
    assert ended.code == 3
    assert "grey-small: tiny/small at main has no file 'weights'" in ended.err
    assert ended.err.splitlines()[-1] == COMMAND


def test_run_asks_on_a_terminal_and_continues(program: Program) -> None:
    words = ("run", "photo.png", "make it black and white", "-o", "grey.png")
    with program.at_terminal(*words) as terminal:
        terminal.wait_for(ASKED)
        terminal.type("\n")
        terminal.wait_for("wrote grey.png")
        assert terminal.end() == 0


def test_answering_no_downloads_nothing(program: Program, hub: LocalHub) -> None:
    with program.at_terminal("tools", "run", "convert_to_bw", "-i", "photo.png") as terminal:
        terminal.wait_for(ASKED)
        terminal.type("n\n")
        terminal.wait_for(f"{COMMAND}\r\n")
        assert terminal.end() == 3
    assert hub.served == 0


def test_chat_asks_and_runs_the_same_prompt_again(program: Program) -> None:
    with program.at_terminal("chat", "photo.png") as terminal:
        terminal.wait_for("> ")
        terminal.type("make it black and white\n")
        terminal.wait_for(ASKED)
        terminal.type("y\n")
        terminal.wait_for("convert_to_bw (grey, grey-small): done")
        terminal.wait_for("> ")
        terminal.type("/quit\n")
        assert terminal.end() == 0
