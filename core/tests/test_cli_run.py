"""``promptvision run``: images in, images and words out, and being interrupted."""

from __future__ import annotations

import base64
import io
import json
import signal
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageOps

from promptvision.testing.program import Ended, Program

Command = Callable[..., Ended]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000)))


BAD: dict[str, Callable[[bytes], bytes]] = {
    "text.png": lambda png: b"hello",
    "cut.png": lambda png: png[: len(png) // 2],
    "empty.png": lambda png: b"",
    "drawing.png": lambda png: b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "bomb.png": lambda png: bomb(),
}


@pytest.mark.parametrize("name", BAD)
def test_image_that_cannot_be_used_is_one_line(
    program: Program, command: Command, scene_png: bytes, name: str
) -> None:
    (program.home / name).write_bytes(BAD[name](scene_png))
    ended = command("run", name, "mirror it")
    assert (ended.code, ended.data, ended.err.count("\n")) == (1, b"", 1)
    assert ended.err.startswith("promptvision: image: ")


@pytest.mark.parametrize(
    ("image", "words", "part"),
    [
        ("missing.png", "mirror it", "no such file"),
        (".", "mirror it", "not a regular file"),
        ("http://127.0.0.1/x.png", "mirror it", "not public"),
        ("http://169.254.169.254/latest", "mirror it", "not public"),
        ("photo.png", "", "empty"),
        ("photo.png", " \t ", "empty"),
        ("photo.png", "a" * 30_000, "20000"),
    ],
)
def test_request_that_cannot_be_used_is_one_line(
    program: Program, command: Command, scene_png: bytes, image: str, words: str, part: str
) -> None:
    (program.home / "photo.png").write_bytes(scene_png)
    ended = command("run", image, words)
    assert (ended.code, ended.data, ended.err.count("\n")) == (1, b"", 1)
    assert part in ended.err
    assert json.loads(command("history", "--json").out) == {"conversations": []}


def test_surrogates_in_the_words_are_cleaned(program: Program, photo: Path) -> None:
    ended = program.run("run", photo, "mirror it \udced\udca0\udc80")
    assert ended.code == 0


def test_image_is_written_and_words_are_printed(
    program: Program, command: Command, photo: Path, scene: Image.Image
) -> None:
    ended = command("run", photo, "mirror it", "-o", "out.png")
    assert ended.code == 0
    assert ended.out.count("\n") == 1
    assert "mirror (mirror): done" in ended.err
    assert "\x1b" not in ended.err
    with Image.open(program.home / "out.png") as out:
        assert ImageChops.difference(out.convert("RGB"), ImageOps.mirror(scene)).getbbox() is None


def test_changes_made_while_an_image_is_read_are_reported(
    program: Program, command: Command, scene: Image.Image
) -> None:
    out = io.BytesIO()
    scene.resize((600, 400)).save(out, "JPEG")
    (program.home / "cut.jpg").write_bytes(out.getvalue()[:-200])
    ended = command("run", "cut.jpg", "mirror it")
    assert ended.code == 0
    assert ended.err.count("The JPEG breaks off before its end") == 1


@pytest.mark.parametrize("name", ["~x.png", "data:x.png", "http:x.png", "C:x.png"])
def test_existing_file_takes_precedence_over_a_url_of_the_same_name(
    command: Command, program: Program, scene: Image.Image, name: str
) -> None:
    scene.save(program.home / name)
    assert command("run", name, "make it black and white").code == 0
    assert command("chat", name, given=b"make it black and white\n").code == 0


def test_data_urls_are_read_with_white_space_too(command: Command, scene_png: bytes) -> None:
    encoded = base64.b64encode(scene_png).decode()
    for url in (f"data:image/png;base64,{encoded}", f"data:image/png; base64,{encoded}"):
        assert command("run", url, "make it black and white").code == 0
        assert command("chat", url, given=b"make it black and white\n").code == 0


def test_pipes_carry_images(program: Program, scene: Image.Image, scene_png: bytes) -> None:
    ended = program.run("run", "-", "mirror it", "-o", "-", given=scene_png)
    assert ended.code == 0
    with Image.open(io.BytesIO(ended.data)) as out:
        assert out.format == "PNG"
        assert ImageChops.difference(out.convert("RGB"), ImageOps.mirror(scene)).getbbox() is None


def test_transparency_is_white_in_a_jpeg(program: Program, command: Command, photo: Path) -> None:
    assert command("run", photo, "make it see-through", "-o", "out.jpg").code == 0
    with Image.open(program.home / "out.jpg") as out:
        assert out.format == "JPEG"
        assert min(out.convert("RGB").getpixel((3, 20))) > 250  # type: ignore[arg-type]


def test_json_is_the_reply(command: Command, photo: Path) -> None:
    ended = command("run", photo, "mirror it, then make it black and white", "--json")
    document = json.loads(ended.out)
    assert [step["operation"] for step in document["steps"]] == ["mirror", "convert_to_bw"]
    assert document["status"] == "done"
    assert document["bw_image_url"].startswith("file://")
    with Image.open(document["bw_image_url"].removeprefix("file://")) as made:
        assert made.mode == "L"


def test_jsonl_is_one_event_a_line(program: Program, command: Command, photo: Path) -> None:
    ended = command("run", photo, "mirror it", "--jsonl", "-o", "out.png")
    kinds = [json.loads(line)["type"] for line in ended.out.splitlines()]
    assert kinds[0] == "RUN_STARTED"
    assert kinds[-1] == "RUN_FINISHED"
    assert "TOOL_CALL_RESULT" in kinds
    assert (program.home / "out.png").exists()


def test_answer_without_an_image_writes_no_file(program: Program, command: Command, photo: Path) -> None:
    ended = command("run", photo, "do what no one knows", "-o", "out.png")
    assert ended.code == 1
    assert "out.png was not written" in ended.err
    assert not (program.home / "out.png").exists()


def test_success_without_an_image_is_reported_with_exit_code_0(
    program: Program, command: Command, photo: Path
) -> None:
    ended = command("run", photo, "say something odd", "-o", "out.png")
    assert ended.code == 0
    assert "out.png was not written: the answer has no image" in ended.err
    assert not (program.home / "out.png").exists()


def test_tool_that_needs_something_installed_is_exit_code_3(command: Command, photo: Path) -> None:
    ended = command("tools", "run", "fetch_moon", "-i", photo)
    assert ended.code == 3
    assert "apt-get install moon" in ended.err


def test_request_that_needs_something_installed_is_answered_with_it_and_exit_code_3(
    command: Command, photo: Path
) -> None:
    ended = command("run", photo, "fetch the moon", "-o", "out.png")
    assert ended.code == 3
    assert ended.out == (
        "fetch_moon cannot run here: tool 'fetch_moon': program 'moon-rocket' is not on the PATH; "
        "apt-get install moon\n"
    )
    assert "fetch_moon (fetch_moon): failed" in ended.err


def test_what_was_made_before_a_step_that_cannot_run_is_named(command: Command, photo: Path) -> None:
    ended = command("run", photo, "mirror it, then fetch the moon, then make it black and white")
    assert ended.code == 3
    assert "apt-get install moon\nNot done after that: convert_to_bw.\n" in ended.out
    assert "mirror (mirror): done" in ended.err
    assert "last image: file://" in ended.err


def test_json_of_a_request_that_needs_something_installed(command: Command, photo: Path) -> None:
    ended = command("run", photo, "fetch the moon", "--json")
    document = json.loads(ended.out)
    assert (ended.code, document["status"]) == (3, "failed")
    (step,) = document["steps"]
    assert (step["operation"], step["status"]) == ("fetch_moon", "failed")
    assert step["message"] == document["text_response"]


def test_jsonl_of_a_request_that_needs_something_installed(command: Command, photo: Path) -> None:
    ended = command("run", photo, "fetch the moon", "--jsonl")
    events = [json.loads(line) for line in ended.out.splitlines()]
    assert (ended.code, events[-1]["type"]) == (3, "RUN_ERROR")
    assert "apt-get install moon" in events[-1]["message"]


def test_tool_that_breaks_is_exit_code_1(command: Command, photo: Path) -> None:
    ended = command("run", photo, "mirror it, then break it")
    assert ended.code == 1
    assert "ZeroDivisionError" in ended.out


def test_help_names_what_could_be_installed(command: Command, photo: Path) -> None:
    ended = command("run", photo, "what can you do?")
    assert ended.code == 1
    assert (
        "- Needs a program that is not installed. Missing: tool 'fetch_moon': program 'moon-rocket'"
        in ended.out
    )


def test_text_of_a_tool_cannot_control_a_terminal(command: Command, photo: Path) -> None:
    ended = command("run", photo, "say something odd")
    assert ended.code == 0
    assert b"\x1b" not in ended.data
    assert "\u202e" not in ended.out


def test_conversation_is_continued_by_its_id(command: Command, photo: Path) -> None:
    assert command("run", photo, "mirror it", "-c", "talk").code == 0
    assert command("run", photo, "make it black and white", "-c", "talk").code == 0
    document = json.loads(command("history", "export", "talk").out)
    assert [turn["prompt"] for turn in document["turns"]] == ["mirror it", "make it black and white"]


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 120
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} did not appear"
        time.sleep(0.02)


@pytest.mark.parametrize("ignores_cancel", [False, True])
def test_interrupt_leaves_a_closed_turn_and_130(
    program: Program, photo: Path, tmp_path: Path, ignores_cancel: bool
) -> None:
    program.environment.update({"IGNORE_CANCEL": "1"} if ignores_cancel else {})
    running = program.start("run", photo, "mirror it, then wait here", "-c", "talk")
    wait_for(tmp_path / "mark")
    running.send_signal(signal.SIGINT)
    out, said = running.communicate(timeout=120)
    assert running.returncode == 130
    assert out == b""
    assert said.decode().endswith("promptvision: interrupted\n")
    assert b"Traceback" not in said
    (turn,) = json.loads(program.run("history", "export", "talk").out)["turns"]
    assert turn["status"] == ("interrupted" if ignores_cancel else "cancelled")
    if not ignores_cancel:
        assert [(step["tool"], step["status"]) for step in turn["reply"]["steps"]] == [
            ("mirror", "done"),
            ("wait_here", "cancelled"),
        ]
    assert program.run("run", photo, "make it black and white", "-c", "talk").code == 0
