"""``promptvision batch``: many images, failures among them, killed and resumed."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageOps

from promptvision.batches.folder import LOG_NAME
from promptvision.testing.program import Ended, Program

Command = Callable[..., Ended]


@pytest.fixture
def photos(program: Program) -> list[Path]:
    """Different images."""
    folder = program.home / "photos"
    folder.mkdir()
    return make_photos(folder, 5)


def make_photos(folder: Path, count: int) -> list[Path]:
    paths = []
    for number in range(count):
        image = Image.linear_gradient("L").resize((48, 32)).rotate(90, expand=True)
        path = folder / f"{number:03}.png"
        Image.merge("RGB", (image, image, Image.new("L", image.size, number % 256))).save(path)
        paths.append(path)
    return paths


def records(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / LOG_NAME).read_text("utf-8").splitlines()]


def assert_mirrored(photos: list[Path], output: Path) -> None:
    for photo in photos:
        with Image.open(photo) as before, Image.open(output / photo.name) as after:
            assert ImageChops.difference(ImageOps.mirror(before), after).getbbox() is None, photo.name


def test_every_image_gets_its_result_under_its_name(
    program: Program, command: Command, photos: list[Path]
) -> None:
    ended = command("batch", "mirror it", *photos, "-o", "out", "--jobs", "2")
    assert ended.code == 0, ended.err
    assert ended.out == "5 of 5 done; out\n"
    assert ended.err.count("plan: mirror\n") == 1
    output = program.home / "out"
    assert_mirrored(photos, output)
    assert sorted(path.name for path in output.iterdir()) == [*(p.name for p in photos), LOG_NAME]
    logged = records(output)
    assert [record["event"] for record in logged].count("plan") == 1
    assert logged[1]["calls"] == [{"name": "mirror", "arguments": {}}]
    assert not (program.home / "images").exists(), "nothing is stored beside the results"
    assert json.loads(command("history", "--json").out) == {"conversations": []}


def test_a_failed_file_does_not_stop_the_rest(program: Program, command: Command, photos: list[Path]) -> None:
    broken, missing = program.home / "photos/broken.png", program.home / "photos/none.png"
    broken.write_bytes(b"hello")
    ended = command("batch", "mirror it", broken, missing, *photos, "-o", "out")
    assert (ended.code, ended.out) == (1, "5 of 7 done, 2 failed; out\n")
    assert_mirrored(photos, program.home / "out")
    failed = [r for r in records(program.home / "out") if r["event"] == "failed"]
    assert {r["image"] for r in failed} == {str(broken), str(missing)}
    photos[0].rename(broken)
    again = command("batch", "mirror it", broken, *photos[1:], "-o", "out", "--resume")
    assert (again.code, again.out) == (0, "5 of 5 done; out\n"), "what has failed is tried again"
    assert "4 of 5 are done already" in again.err


def test_text_answers_are_in_the_log(program: Program, command: Command, photos: list[Path]) -> None:
    ended = command("batch", "say something odd", *photos, "-o", "out")
    assert ended.code == 0, ended.err
    output = program.home / "out"
    done = [record for record in records(output) if record["event"] == "done"]
    assert [record["result"] for record in done] == [None] * 5
    assert all("red" in str(record["message"]) for record in done)
    assert [path.name for path in output.iterdir()] == [LOG_NAME]


def test_contact_sheet_shows_each_image_before_and_after(
    program: Program, command: Command, photos: list[Path]
) -> None:
    broken = program.home / "photos/<b>.png"
    broken.write_bytes(b"hello")
    ended = command("batch", "mirror it", *photos, broken, "-o", "out", "--report", "sheet/report.html")
    assert ended.code == 1
    page = (program.home / "sheet/report.html").read_text("utf-8")
    assert page.count("<section>") == 6
    assert (page.count("<img "), page.count("alt='000.png, before'")) == (11, 1)
    assert "&lt;b&gt;.png" in page
    assert "<b>.png" not in page
    assert "http:" not in page
    assert "https:" not in page
    assert len(list((program.home / "sheet/report_files").iterdir())) == 10
    assert "href='../out/000.png'" in page


def test_transparent_results_of_jpegs_are_kept_transparent(program: Program, command: Command) -> None:
    Image.new("RGB", (40, 20), "green").save(program.home / "a.jpg")
    assert command("batch", "make it see-through", "a.jpg", "-o", "out").code == 0
    with Image.open(program.home / "out/a.png") as result:
        assert result.mode == "RGBA"


def test_converted_images_get_the_extension_of_their_format(program: Program, command: Command) -> None:
    for name in ("a.jpg", "b.png", "c.webp", "c.png"):
        Image.new("RGB", (40, 20), "green").save(program.home / name)
    photos = ("a.jpg", "b.png", "c.webp", "c.png")
    assert command("batch", "store it as webp", *photos, "-o", "webp").code == 0
    assert command("batch", "store it as png", *photos, "-o", "png").code == 0
    for kind, names in (("webp", "a.webp b.webp c.webp c.png.webp"), ("png", "a.png b.png c.webp.png c.png")):
        made = {path.name: path for path in (program.home / kind).iterdir() if path.name != LOG_NAME}
        assert sorted(made) == sorted(names.split())
        for path in made.values():
            with Image.open(path) as image:
                assert image.format == kind.upper(), path


def test_no_file_is_replaced(program: Program, command: Command, photos: list[Path]) -> None:
    before = photos[0].read_bytes()
    ended = command("batch", "mirror it", *photos, "-o", "photos")
    assert ended.code == 1
    assert "is there already" in ended.err
    assert photos[0].read_bytes() == before


def test_unwritable_output_is_one_line(program: Program, command: Command, photos: list[Path]) -> None:
    (program.home / "out").write_text("a file")
    ended = command("batch", "mirror it", *photos, "-o", "out/x")
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "-o" in ended.err


def test_what_must_be_installed_is_exit_code_3(command: Command, photos: list[Path]) -> None:
    ended = command("batch", "fetch the moon", *photos[:2], "-o", "out")
    assert ended.code == 3
    assert "moon-rocket" in ended.err


def test_ctrl_c_stops_the_batch_and_keeps_finished_results(program: Program, photos: list[Path]) -> None:
    process = program.start("batch", "wait here", *photos, "-o", "out")
    mark = Path(program.environment["MARK"])
    wait_until(mark.exists)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert not (program.home / "out/.promptvision").exists()


def test_bar_on_a_terminal_shows_the_count(program: Program, photos: list[Path]) -> None:
    with program.at_terminal("batch", "mirror it", *photos, "-o", "out") as terminal:
        terminal.wait_for("5 of 5 done")
        assert "/5" in terminal.seen


def wait_until(holds: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_300_images_killed_three_times(program: Program) -> None:
    """Each result is right, is made once, and is not changed by the processes that continue."""
    folder, output = program.home / "photos", program.home / "out"
    folder.mkdir()
    photos = make_photos(folder, 300)
    words: tuple[str | Path, ...] = ("batch", "mirror it", *photos, "-o", output, "--jobs", "2")
    log = output / LOG_NAME
    made: dict[str, tuple[int, int]] = {}
    for kill_at in (40, 110, 200):
        process = program.start(*words, *(["--resume"] if made else []))
        lines = kill_at + 2
        wait_until(lambda: log.exists() and log.read_bytes().count(b"\n") >= lines)  # noqa: B023  # waits here
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
        states = {path.name: path.stat() for path in output.glob("*.png")}
        assert len(states) < 300
        for name, state in made.items():
            assert (states[name].st_ino, states[name].st_mtime_ns) == state, "made twice"
        made = {name: (state.st_ino, state.st_mtime_ns) for name, state in states.items()}
        assert len(made) >= kill_at - 2
    ended = program.run(*words, "--resume", timeout_s=300)
    assert (ended.code, ended.out) == (0, f"300 of 300 done; {output}\n"), ended.err
    for name, state in made.items():
        now = (output / name).stat()
        assert (now.st_ino, now.st_mtime_ns) == state, "made twice"
    assert_mirrored(photos, output)
    done = [record["image"] for record in records(output) if record["event"] == "done"]
    assert sorted(done) == sorted(map(str, photos)), "each image is logged as done once"
    assert [record["event"] for record in records(output)].count("plan") == 1
    assert sorted(path.name for path in output.iterdir()) == [*(photo.name for photo in photos), LOG_NAME]
