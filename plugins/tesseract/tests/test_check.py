from __future__ import annotations

from pathlib import Path

import pytest

from promptvision.plugin import Settings
from promptvision_tesseract.check import check_program


def fake_program(folder: Path, body: str) -> None:
    file = folder / "tesseract"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)


def test_installed_program_is_named_with_its_languages() -> None:
    found = check_program(Settings())
    assert found.state in ("ok", "warn")
    assert "tesseract" in found.seen
    assert "eng" in found.seen


@pytest.mark.parametrize(
    ("languages", "state", "seen", "fix"),
    [
        ("osd\\neng\\ndeu", "ok", "tesseract 9.9, languages: deu, eng", ""),
        ("eng", "warn", "sideways pages", "apt-get install tesseract-ocr-osd"),
        ("osd", "fail", "languages: none", "apt-get install tesseract-ocr-eng"),
    ],
)
def test_state_depends_on_the_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, languages: str, state: str, seen: str, fix: str
) -> None:
    fake_program(
        tmp_path,
        f'case "$1" in --version) echo tesseract 9.9;; *) printf "Languages:\\n{languages}\\n";; esac',
    )
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = check_program(Settings())
    assert (found.state, found.fix) == (state, fix)
    assert seen in found.seen


def test_missing_program_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = check_program(Settings())
    assert (found.state, found.fix) == ("warn", "apt-get install tesseract-ocr")


def test_program_that_fails_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_program(tmp_path, 'case "$1" in --version) exit 7;; *) echo eng;; esac')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = check_program(Settings())
    assert (found.state, found.seen) == ("fail", "promptvision-tesseract: tesseract failed: 7")
