"""``promptvision chat`` through a pipe and at a pseudo-terminal."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops, ImageOps

from promptvision.cli.line_editing import complete
from promptvision.testing.program import Ended, Program

Command = Callable[..., Ended]


def test_lines_from_a_pipe_are_one_conversation(
    program: Program, command: Command, photo: Path, scene: Image.Image
) -> None:
    lines = "mirror it\n/undo\n/images\nmake it black and white\n/use img_2\n/history\n/save out.png\n"
    ended = command("chat", photo, given=lines.encode())
    assert ended.code == 0
    assert "> mirror it" in ended.out
    assert "img_2 edit 60x40 mirror from img_1 (current)" in ended.out
    assert "the next message is about img_1" in ended.err
    with Image.open(program.home / "out.png") as out:
        assert out.mode == "L"
        assert ImageChops.difference(out, scene.convert("L")).getbbox() is None
    (one,) = json.loads(command("history", "--json").out)["conversations"]
    assert one["turns"] == 2


def test_undo_goes_back_one_step_at_a_time(
    program: Program, command: Command, photo: Path, scene: Image.Image
) -> None:
    lines = "mirror it\nmake it black and white\n/undo\nmirror it\n/save once.png\n"
    ended = command("chat", photo, given=(lines + "/undo\n/undo\n/undo\n").encode())
    assert ended.code == 1
    assert "was made from no other image" in ended.err
    with Image.open(program.home / "once.png") as out:
        twice = ImageOps.mirror(ImageOps.mirror(scene))
        assert ImageChops.difference(out.convert("RGB"), twice).getbbox() is None


def test_errors_are_reported_and_the_conversation_continues(command: Command, photo: Path) -> None:
    lines = "/nonsense\n/image missing.png\n/use img_7\n/save x.xyz\n/save\n/show\nmirror it\n/quit\nnever"
    ended = command("chat", photo, given=lines.encode())
    assert ended.code == 1
    assert ended.err.count("promptvision: ") == 6
    assert "mirror (mirror): done" in ended.err
    assert "Traceback" not in ended.err


def test_conversation_is_continued(command: Command, photo: Path) -> None:
    command("run", photo, "mirror it", "-c", "talk")
    ended = command("chat", "-c", "talk", given=b"make it black and white\n")
    assert ended.code == 0
    assert "mirror it: 1 turns so far" in ended.err
    started = command("chat", "-c", "new", photo, given=b"make it black and white\n")
    assert started.code == 0
    assert "new: a new conversation" in started.err
    assert command("history", "show", "new").code == 0


def test_ctrl_c_stops_the_turn_and_keeps_the_conversation(
    program: Program, photo: Path, tmp_path: Path
) -> None:
    with program.at_terminal("chat", photo) as terminal:
        terminal.wait_for("> ")
        terminal.type("wait here\n")
        terminal.wait_for("wait_here (wait_here) [######")
        terminal.type("\x03")
        terminal.wait_for("stopped; what was finished is kept")
        terminal.wait_for("> ")
        terminal.wait_for("quit with /quit or Ctrl-D", typing="\x03")
        terminal.type("mirror it\n")
        terminal.wait_for("mirror (mirror): done")
        terminal.wait_for("> ")
        terminal.type("\x04")
        assert terminal.end() == 0
    (one,) = json.loads(program.run("history", "--json").out)["conversations"]
    document = json.loads(program.run("history", "export", one["id"]).out)
    assert [turn["status"] for turn in document["turns"]] == ["cancelled", "done"]
    assert (program.home / "chat_history").stat().st_mode & 0o077 == 0


def test_second_ctrl_c_leaves_at_once(program: Program, photo: Path, tmp_path: Path) -> None:
    program.environment["IGNORE_CANCEL"] = "1"
    with program.at_terminal("chat", photo) as terminal:
        terminal.wait_for("> ")
        terminal.type("wait here\n")
        terminal.wait_for("[######")
        started = time.monotonic()
        terminal.type("\x03")
        terminal.wait_for("press Ctrl-C again to quit at once")
        terminal.wait_for("promptvision: interrupted", typing="\x03")
        assert terminal.end() == 130
        assert time.monotonic() - started < 5
    (one,) = json.loads(program.run("history", "--json").out)["conversations"]
    document = json.loads(program.run("history", "export", one["id"]).out)
    assert [turn["status"] for turn in document["turns"]] == ["interrupted"]


def test_image_is_drawn_where_the_terminal_can(program: Program, photo: Path) -> None:
    with program.at_terminal("chat", photo, variables={"COLORTERM": "truecolor"}) as terminal:
        terminal.wait_for("> ")
        terminal.type("mirror it\n")
        drawn = terminal.wait_for("image: file://")
        assert "\u2580" in drawn
        assert "48;2;255;255;255" in drawn


def test_commands_and_paths_are_completed(tmp_path: Path) -> None:
    (tmp_path / "photo.png").touch()
    (tmp_path / "photos").mkdir()
    commands = ["/image", "/save", "/show"]
    assert complete("/s", "/s", commands) == ["/save", "/show"]
    text = f"{tmp_path}/pho"
    assert complete(f"/image {text}", text, commands) == [f"{tmp_path}/photo.png", f"{tmp_path}/photos/"]
    assert complete("make it pho", "pho", commands) == []
    assert complete("/image /nowhere/x", "/nowhere/x", commands) == []
