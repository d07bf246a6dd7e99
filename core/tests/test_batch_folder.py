"""The output folder of a batch: partial results of a killed process are finished or removed."""

from __future__ import annotations

import json
from pathlib import Path, PurePath

import pytest

from promptvision.batches.folder import LOG_NAME, BatchFolder
from promptvision.batches.plan import Plan, PlannedCall
from promptvision.errors import InputError


def opened(path: Path, *, is_resumed: bool = True) -> BatchFolder:
    return BatchFolder.open(path, "mirror it", is_resumed=is_resumed)


def test_what_is_committed_is_done_for_the_next_process(tmp_path: Path) -> None:
    plan = Plan((PlannedCall("mirror", {"times": 2}),))
    with opened(tmp_path, is_resumed=False) as folder:
        folder.log("plan", calls=plan.stored())
        folder.commit("/p/a.jpg", PurePath("x/a.jpg"), b"A", message="There.")
        folder.commit("/p/b.jpg", None, b"", message="It says B.")
        folder.fail("/p/c.jpg", "broken")
    with opened(tmp_path) as folder:
        assert sorted(folder.done) == ["/p/a.jpg", "/p/b.jpg"]
        assert folder.plan == plan
    assert (tmp_path / "x/a.jpg").read_bytes() == b"A"


def test_killed_between_log_and_rename(tmp_path: Path) -> None:
    with opened(tmp_path, is_resumed=False) as folder:
        folder.commit("/p/a.jpg", PurePath("a.jpg"), b"A")
    (tmp_path / "a.jpg").rename(tmp_path / ".a.jpg.part")
    with opened(tmp_path) as folder:
        assert list(folder.done) == ["/p/a.jpg"]
    assert (tmp_path / "a.jpg").read_bytes() == b"A"


def test_killed_while_writing(tmp_path: Path) -> None:
    with opened(tmp_path, is_resumed=False) as folder:
        folder.commit("/p/a.jpg", PurePath("a.jpg"), b"A")
    (tmp_path / ".b.jpg.part").write_bytes(b"half")
    with (tmp_path / LOG_NAME).open("ab") as log:
        log.write(b'{"event": "done", "image": "/p/b.j')
    with opened(tmp_path) as folder:
        assert list(folder.done) == ["/p/a.jpg"]
        folder.commit("/p/b.jpg", PurePath("b.jpg"), b"B")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "b.jpg", LOG_NAME]
    lines = [json.loads(line) for line in (tmp_path / LOG_NAME).read_text("utf-8").splitlines()]
    assert [line["event"] for line in lines] == ["started", "done", "done"]


def test_deleted_result_is_not_done(tmp_path: Path) -> None:
    with opened(tmp_path, is_resumed=False) as folder:
        folder.commit("/p/a.jpg", PurePath("a.jpg"), b"A")
    (tmp_path / "a.jpg").unlink()
    with opened(tmp_path) as folder:
        assert folder.done == {}


def test_old_batch_is_not_continued_by_accident(tmp_path: Path) -> None:
    opened(tmp_path, is_resumed=False).__exit__()
    with pytest.raises(InputError, match="--resume"):
        opened(tmp_path, is_resumed=False)
    with pytest.raises(InputError, match="'mirror it'"):
        BatchFolder.open(tmp_path, "another", is_resumed=True)


def test_two_processes_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with opened(tmp_path, is_resumed=False), pytest.raises(InputError, match="another batch"):
        opened(tmp_path)


@pytest.mark.parametrize("log", [b"hello\n", b"[]\n", b'{"event": 1}\n', b"\xff\n"])
def test_file_that_is_not_a_log_is_not_changed(tmp_path: Path, log: bytes) -> None:
    (tmp_path / LOG_NAME).write_bytes(log)
    with pytest.raises(InputError, match="line 1 is not a record"):
        opened(tmp_path)
    assert (tmp_path / LOG_NAME).read_bytes() == log
