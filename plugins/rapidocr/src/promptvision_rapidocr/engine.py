"""The ONNX models of RapidOCR, loaded once per process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from promptvision.plugin import SetupError, ToolFailed

__all__ = ["Bgr", "Engine", "Quad", "Read", "load_engine"]

Bgr: TypeAlias = NDArray[np.uint8]
"""H x W x 3, blue first."""
Quad: TypeAlias = NDArray[np.float32]
"""4 x 2: the corners of a line of text in pixels, clockwise."""

MODELS = {
    "Det.model_path": "PP-OCRv6_det_small.onnx",
    "Rec.model_path": "PP-OCRv6_rec_small.onnx",
    "Cls.model_path": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
}
REINSTALL = "pip install --force-reinstall 'rapidocr>=3.10,<4'"
BATCH = 8
"""Number of lines recognised between two checks for cancellation."""
SURE_TURN = 0.7


@dataclass(frozen=True)
class Read:
    """The recognised text of one line.

    Args:
        text: with spaces between words.
        confidence: 0 to 1, mean of the characters.
        centres: position of each character of ``text`` along the line, 0 to 1; spaces have none.
        confidences: of each character, 0 to 1.
    """

    text: str
    confidence: float
    centres: tuple[float | None, ...]
    confidences: tuple[float, ...]


class Engine:
    """Detection, direction and recognition. Safe across threads.

    Args:
        ocr: a ``rapidocr.RapidOCR`` that neither resizes nor pads its input.
    """

    def __init__(self, ocr: Any, error: type[Exception]) -> None:
        self._ocr = ocr
        self._error = error

    def find_lines(self, image: Bgr) -> list[Quad]:
        """Corners of each line of text, the top left one first if the text is upright."""
        try:
            _, found = self._ocr.detect_and_crop(image, {})
        except self._error:  # how RapidOCR reports that there is no text
            return []
        return [np.asarray(quad, np.float32) for quad in found.boxes]

    def are_upside_down(self, lines: Sequence[Bgr]) -> list[bool]:
        """Whether the direction classifier is certain that each cropped line is upside down."""
        if not lines:
            return []
        _, found = self._ocr.cls_and_rotate(list(lines))
        return [label == "180" and score > SURE_TURN for label, score in found.cls_res]

    def recognise(self, lines: Sequence[Bgr], check: Callable[[], None]) -> list[Read]:
        """Recognise cropped, upright lines of text.

        Args:
            lines: any sizes.
            check: called before each batch of lines; raises to cancel.
        """
        found: list[Read] = []
        for start in range(0, len(lines), BATCH):
            check()
            batch = list(lines[start : start + BATCH])
            read = self._ocr.recognize_txt(batch)
            found += [_as_read(*line) for line in zip(read.txts, read.scores, read.word_results, strict=True)]
        return found


def _as_read(text: str, confidence: float, found: Any) -> Read:
    columns = iter([column for word in found.word_cols for column in word])
    length = max(float(found.line_txt_len), 1.0)
    centres = tuple(None if char.isspace() else min((next(columns, 0) + 0.5) / length, 1.0) for char in text)
    return Read(text, float(confidence), centres, tuple(float(value) for value in found.confs))


@cache
def _load() -> Engine:
    logger = logging.getLogger("RapidOCR")
    try:
        import rapidocr
        from rapidocr.main import RapidOCRError
    except ImportError as exc:
        raise SetupError(
            f"promptvision-rapidocr: RapidOCR cannot be imported: {exc}", hint=REINSTALL
        ) from exc
    logger.handlers = [logging.NullHandler()]  # its own handler writes coloured lines to stderr
    folder = Path(rapidocr.__file__).parent / "models"
    paths = {key: folder / name for key, name in MODELS.items()}
    for path in paths.values():
        if not path.is_file():  # else RapidOCR would download it
            raise SetupError(f"promptvision-rapidocr: model {path.name} is missing", hint=REINSTALL)
    options = {
        "Global.log_level": "critical",
        "Global.return_word_box": True,
        "Global.use_preprocess_img": False,
        "Global.use_vertical_padding": False,
    }
    try:
        ocr = rapidocr.RapidOCR(params=options | {key: str(path) for key, path in paths.items()})
    except Exception as exc:  # ONNX Runtime raises various types for a damaged file
        raise ToolFailed(
            f"promptvision-rapidocr: the models cannot be loaded: {exc}", hint=REINSTALL
        ) from exc
    return Engine(ocr, RapidOCRError)


_LOADING = threading.Lock()


def load_engine() -> Engine:
    """The engine of this process; each model is loaded on first use.

    Raises:
        SetupError: RapidOCR or one of its models is not installed.
        ToolFailed: a model cannot be loaded.
    """
    with _LOADING:
        return _load()
