"""Calls of the ``tesseract`` program: one child process each, with one thread and a deadline.

pytesseract can neither give its child an environment of its own nor stop it when the work is cancelled, and
the command line is small enough to do without.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

from promptvision.plugin import SetupError, ToolFailed
from promptvision_tesseract.preprocess import Grey

__all__ = ["TIMEOUT_S", "Reading", "Token", "find_turn", "installed_languages", "parse_tsv", "read_page"]

TIMEOUT_S = 120.0
"""Longest life of one child process, in seconds."""
OSD_CONFIDENCE = 1.5
POLL_S = 0.1
INSTALL = "apt-get install tesseract-ocr"


@dataclass(frozen=True)
class Token:
    """One recognised word.

    Args:
        text: as Tesseract wrote it, not cleaned.
        box: left, top, right, bottom in pixels of the image that was read.
        confidence: 0 to 100.
        line: words with equal numbers (block, paragraph, line) stand in one line.
    """

    text: str
    box: tuple[float, float, float, float]
    confidence: float
    line: tuple[int, int, int]


@dataclass(frozen=True)
class Reading:
    """The words of one pass, in reading order."""

    tokens: tuple[Token, ...] = ()

    @property
    def confidence(self) -> float:
        """Mean confidence of the words; 0 when there are none."""
        return sum(token.confidence for token in self.tokens) / max(len(self.tokens), 1)

    @property
    def characters(self) -> int:
        """Number of characters, spaces not counted."""
        return sum(len(token.text) for token in self.tokens)


def _never() -> None:
    """Stand for a check that nobody asked for."""


def _run(
    options: Sequence[str],
    *,
    grey: Grey | None = None,
    timeout_s: float = TIMEOUT_S,
    check: Callable[[], None] = _never,
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}  # threads of its own make Tesseract slower
    with _image_file(grey) as picture:
        try:
            child = subprocess.Popen(
                ["tesseract", *options],
                stdin=picture,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
            )
        except OSError as exc:
            message = f"promptvision-tesseract: program 'tesseract' cannot be run ({exc})"
            raise SetupError(message, hint=INSTALL) from exc
        with child:
            try:
                return _finish(child, timeout_s, check)
            finally:
                child.kill()


def _finish(
    child: subprocess.Popen[bytes], timeout_s: float, check: Callable[[], None]
) -> subprocess.CompletedProcess[bytes]:
    deadline = time.monotonic() + timeout_s
    while True:
        check()
        try:
            out, err = child.communicate(timeout=POLL_S)
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise ToolFailed(
                    f"promptvision-tesseract: the picture was not read within {timeout_s:g} s",
                    hint="give a smaller picture or a part of it",
                ) from None
        else:
            return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def _image_file(grey: Grey | None) -> IO[bytes]:
    """A nameless file with the image as portable greymap; a pipe cannot be fed and polled at once."""
    try:
        file = TemporaryFile()  # noqa: SIM115  # the caller closes it
        if grey is not None:
            height, width = grey.shape
            file.write(b"P5 %d %d 255\n" % (width, height) + grey.tobytes())
            file.seek(0)
    except OSError as exc:
        message = f"promptvision-tesseract: no temporary file can be written ({exc})"
        raise ToolFailed(message, hint="free some disk space, or set TMPDIR") from exc
    return file


def installed_languages() -> list[str]:
    """Codes of the languages that Tesseract has data for, such as ``eng``; ``osd`` among them.

    Raises:
        SetupError: there is no Tesseract.
    """
    lines = _run(["--list-langs"]).stdout.decode("utf-8", "replace").splitlines()
    return sorted(line.strip() for line in lines[1:] if line.strip())


def find_turn(grey: Grey, *, timeout_s: float = TIMEOUT_S, check: Callable[[], None] = _never) -> int:
    """Degrees to turn the image clockwise, 0, 90, 180 or 270, until its text stands upright.

    0 unless Tesseract's orientation detection is sure of it (confidence over 1.5). It needs a few words to
    say anything at all.
    """
    done = _run(["stdin", "stdout", "--psm", "0"], grey=grey, timeout_s=timeout_s, check=check)
    said = done.stdout.decode("utf-8", "replace")
    turn = re.search(r"^Rotate: (\d+)$", said, re.MULTILINE)
    confidence = re.search(r"^Orientation confidence: ([\d.]+)$", said, re.MULTILINE)
    if done.returncode or not turn or not confidence or float(confidence[1]) <= OSD_CONFIDENCE:
        return 0
    return int(turn[1])


def read_page(
    grey: Grey,
    languages: Sequence[str],
    *,
    timeout_s: float = TIMEOUT_S,
    check: Callable[[], None] = _never,
) -> Reading:
    """Read a grey image as a page of text.

    Args:
        grey: H x W uint8.
        languages: codes, each installed.
        timeout_s: the child process is killed after this many seconds.
        check: called every tenth of a second; the child is killed when it raises.

    Raises:
        SetupError: there is no Tesseract.
        ToolFailed: Tesseract failed or took too long.
    """
    options = ["stdin", "stdout", "-l", "+".join(languages), "--psm", "3", "-c", "tessedit_create_tsv=1"]
    done = _run(options, grey=grey, timeout_s=timeout_s, check=check)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ToolFailed(f"promptvision-tesseract: tesseract failed: {said[-1] if said else done.returncode}")
    return parse_tsv(done.stdout.decode("utf-8", "replace"))


def parse_tsv(text: str) -> Reading:
    """The words of Tesseract's TSV output; rows of pages, blocks and lines, and broken ones, are left out."""
    rows = (row.split("\t") for row in text.split("\n"))
    tokens = (_token(row) for row in rows if len(row) == 12 and row[0] == "5")
    return Reading(tuple(token for token in tokens if token is not None))


def _token(row: list[str]) -> Token | None:
    try:
        block, paragraph, line, _, left, top, width, height = (int(cell) for cell in row[2:10])
        confidence = float(row[10])
    except ValueError:
        return None
    if not row[11].strip() or width <= 0 or height <= 0 or not confidence >= 0:
        return None
    box = (left, top, left + width, top + height)
    return Token(row[11].strip(), box, min(confidence, 100.0), (block, paragraph, line))
