"""Files that are replaced as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptvision.atomic import replace_text


def test_file_is_replaced_and_only_this_user_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("old")
    replace_text(file, "grün")
    assert file.read_text("utf-8") == "grün"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_failure_leaves_no_partial_file(tmp_path: Path) -> None:
    folder = tmp_path / "a.json"
    folder.mkdir()  # a file cannot replace a folder
    with pytest.raises(OSError, match="directory"):
        replace_text(folder, "new")
    assert list(tmp_path.iterdir()) == [folder]
