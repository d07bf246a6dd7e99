"""Variables written to ``.env``, which only its owner may read."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from promptvision.cli.env_file import store_variable
from promptvision.errors import InputError
from promptvision.settings import load_settings


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_private_and_settings_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    path = store_variable("GROQ_API_KEY", "gsk_'quoted' $HOME#x", tmp_path)
    assert (path, mode(path)) == (tmp_path / ".env", 0o600)
    assert load_settings(tmp_path).value("GROQ_API_KEY") == "gsk_'quoted' $HOME#x"


def test_other_lines_stay_and_an_open_file_becomes_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("A", raising=False)
    (tmp_path / ".env").write_text("# mine\nA=1\nKEY=old\nB=2")
    (tmp_path / ".env").chmod(0o644)
    path = store_variable("KEY", "new", tmp_path)
    store_variable("C", "3", tmp_path)
    assert mode(path) == 0o600
    text = path.read_text()
    assert text.startswith("# mine\nA=1\n")
    assert "old" not in text
    settings = load_settings(tmp_path)
    assert [settings.value(name) for name in ("KEY", "B", "C")] == ["new", "2", "3"]


@pytest.mark.parametrize("value", ["", "two\nlines"])
def test_what_is_not_one_line_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(InputError, match="KEY: the value is empty or has several lines"):
        store_variable("KEY", value, tmp_path)
    assert not (tmp_path / ".env").exists()


def test_a_folder_in_the_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(InputError, match="set KEY in the environment"):
        store_variable("KEY", "x", tmp_path)
