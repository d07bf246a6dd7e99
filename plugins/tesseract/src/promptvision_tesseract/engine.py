"""Run Tesseract through pytesseract: one single-threaded child process per pass, with a common deadline."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PIL import Image

from promptvision.plugin import SetupError, ToolFailed
from promptvision_tesseract.preprocess import Grey

__all__ = [
    "INSTALL",
    "TIMEOUT_S",
    "Engine",
    "Reading",
    "Token",
    "installed_languages",
    "installed_version",
    "read_words",
]

TIMEOUT_S = 120.0
"""Time limit of all passes of one call together, in seconds."""
OSD_CONFIDENCE = 1.5
INSTALL = "apt-get install tesseract-ocr"


@dataclass(frozen=True)
class Token:
    """One recognised word.

    Args:
        text: the uncleaned output of Tesseract.
        box: left, top, right, bottom in pixels of the image that was read.
        confidence: 0 to 100.
        line: words with equal numbers (block, paragraph, line) belong to one line.
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
        """Number of characters without spaces."""
        return sum(len(token.text) for token in self.tokens)


def _never() -> None:
    """Default cancellation check."""


class Engine:
    """The passes of one call. They share a deadline; cancellation is checked before and after each pass.

    Args:
        languages: codes, each installed.
        timeout_s: seconds for all passes together; after that the child process is killed.
        deadline: ``time.monotonic()`` by which the call must end, if sooner; None: no limit.
        check: called before and after each pass; may raise to cancel.
    """

    def __init__(
        self,
        languages: Sequence[str],
        *,
        timeout_s: float = TIMEOUT_S,
        deadline: float | None = None,
        check: Callable[[], None] = _never,
    ) -> None:
        started = time.monotonic()
        self._languages = "+".join(languages)
        self._deadline = min(started + timeout_s, started + timeout_s if deadline is None else deadline)
        self._timeout_s = max(self._deadline - started, 0.0)
        self._check = check

    def read(self, grey: Grey, mode: int = 3) -> Reading:
        """Read a grey image.

        Args:
            grey: H x W uint8.
            mode: page segmentation mode of Tesseract: 3 a page, 6 a block, 7 a line, 11 scattered words.

        Raises:
            SetupError: Tesseract is not installed.
            ToolFailed: Tesseract failed or took too long.
        """
        with self._pass() as (tesseract, timeout_s):
            data = tesseract.image_to_data(
                _as_image(grey),
                lang=self._languages,
                config=f"--psm {mode}",
                output_type=tesseract.Output.DICT,
                timeout=timeout_s,
            )
        return read_words(data)

    def find_turn(self, grey: Grey) -> int:
        """The clockwise rotation, 0, 90, 180 or 270 degrees, that makes the text upright.

        0 unless the confidence of Tesseract's orientation detection is over 1.5. It needs several words.
        """
        with self._pass() as (tesseract, timeout_s):
            try:
                found = tesseract.image_to_osd(
                    _as_image(grey), output_type=tesseract.Output.DICT, timeout=timeout_s
                )
            except tesseract.TesseractError:  # too few characters
                return 0
        return int(found.get("rotate", 0)) if found.get("orientation_conf", 0.0) > OSD_CONFIDENCE else 0

    @contextmanager
    def _pass(self) -> Iterator[tuple[Any, float]]:
        self._check()
        remaining_s = self._deadline - time.monotonic()
        if remaining_s <= 0:
            raise _timed_out(self._timeout_s)
        with _foreign_errors(self._timeout_s) as tesseract:
            yield tesseract, remaining_s
        self._check()


def installed_languages() -> list[str]:
    """Codes of the installed languages, such as ``eng``, including ``osd``.

    Raises:
        SetupError: Tesseract is not installed.
    """
    with _foreign_errors(TIMEOUT_S) as tesseract:
        return sorted(tesseract.get_languages())


def installed_version() -> str:
    """The version of the program, such as ``5.3.0``.

    Raises:
        SetupError: Tesseract is not installed.
    """
    with _foreign_errors(TIMEOUT_S) as tesseract:
        return str(tesseract.get_tesseract_version())


def read_words(data: dict[str, list[Any]]) -> Reading:
    """The words of pytesseract's table, without rows of pages, blocks and lines and incomplete ones."""
    columns = ("text", "left", "top", "width", "height", "conf", "block_num", "par_num", "line_num")
    rows = zip(*(data.get(column, []) for column in columns), strict=False)
    tokens = (_token(*row) for row in rows)
    return Reading(tuple(token for token in tokens if token is not None))


def _token(text: Any, *numbers: Any) -> Token | None:
    if not all(isinstance(number, int | float) for number in numbers):
        return None
    left, top, width, height, confidence, block, paragraph, line = numbers
    word = str(text).strip()
    if not word or width <= 0 or height <= 0 or not confidence >= 0:
        return None
    box = (left, top, left + width, top + height)
    return Token(word, box, min(confidence, 100.0), (block, paragraph, line))


def _as_image(grey: Grey) -> Image.Image:
    image = Image.fromarray(grey)
    image.format = "PPM"  # the format of pytesseract's file; PNG takes several times as long
    return image


@contextmanager
def _foreign_errors(timeout_s: float) -> Iterator[Any]:
    """Convert errors of pytesseract to those of promptvision."""
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")  # more threads make Tesseract slower
    import pytesseract  # type: ignore[import-untyped]

    try:
        yield pytesseract
    except pytesseract.TesseractNotFoundError as exc:
        raise _not_runnable("it is not on the PATH") from exc
    except pytesseract.TesseractError as exc:
        raise ToolFailed(f"promptvision-tesseract: tesseract failed: {exc.message or exc.status}") from exc
    except RuntimeError as exc:  # pytesseract has no separate class for a timeout
        raise _timed_out(timeout_s) from exc
    except subprocess.CalledProcessError as exc:
        raise ToolFailed(f"promptvision-tesseract: tesseract failed: {exc.returncode}") from exc
    except SystemExit as exc:  # raised by pytesseract for an unknown version
        raise _not_runnable(str(exc)) from exc
    except PermissionError as exc:
        raise _not_runnable(str(exc)) from exc
    except (OSError, UnboundLocalError) as exc:  # the latter hides a failed temporary file of pytesseract
        cause = exc.__context__ if isinstance(exc, UnboundLocalError) else exc
        message = f"promptvision-tesseract: no temporary file can be written ({cause})"
        raise ToolFailed(message, hint="free some disk space, or set TMPDIR") from exc
    except UnicodeDecodeError as exc:
        raise ToolFailed(f"promptvision-tesseract: tesseract wrote text that is not UTF-8: {exc}") from exc


def _not_runnable(why: str) -> SetupError:
    return SetupError(f"promptvision-tesseract: program 'tesseract' cannot be run: {why}", hint=INSTALL)


def _timed_out(timeout_s: float) -> ToolFailed:
    return ToolFailed(
        f"promptvision-tesseract: the image was not read within {timeout_s:.3g} s",
        hint="use a smaller image or a part of it",
    )
