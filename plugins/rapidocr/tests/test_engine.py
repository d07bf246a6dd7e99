from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rapidocr
from PIL import Image

from promptvision.plugin import SetupError
from promptvision_rapidocr import engine as engine_module
from promptvision_rapidocr.engine import load_engine
from promptvision_rapidocr.lines import cut_line
from promptvision_rapidocr.read import to_bgr


def never() -> None:
    """Do not cancel."""


def test_lines_are_found_and_read_with_the_position_of_each_character(
    draw_page: Callable[..., Image.Image],
) -> None:
    image = to_bgr(draw_page(("Fresh bread daily",)))
    (quad,) = load_engine().find_lines(image)
    (read,) = load_engine().recognise([cut_line(image, quad)], never)
    assert read.text == "Fresh bread daily"
    assert read.confidence > 0.95
    assert len(read.centres) == len(read.confidences) == len(read.text)
    places = [centre for centre in read.centres if centre is not None]
    assert places == sorted(places)
    assert [char for char, centre in zip(read.text, read.centres, strict=True) if centre is None] == [
        " ",
        " ",
    ]


def test_blank_image_has_no_lines() -> None:
    assert load_engine().find_lines(np.full((200, 300, 3), 255, np.uint8)) == []


def test_upside_down_line_is_detected(draw_page: Callable[..., Image.Image]) -> None:
    line = to_bgr(draw_page(("The gardener waters the roses",), size=(500, 50), at=(10, 5)))
    assert load_engine().are_upside_down([line, line[::-1, ::-1].copy()]) == [False, True]
    assert load_engine().are_upside_down([]) == []


def test_models_are_loaded_once_by_many_threads() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len({id(engine) for engine in pool.map(lambda _: load_engine(), range(8))}) == 1


def test_missing_model_is_a_setup_error_and_nothing_is_downloaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rapidocr, "__file__", str(tmp_path / "__init__.py"))
    engine_module._load.cache_clear()
    with pytest.raises(SetupError, match=r"PP-OCRv6_det_small\.onnx is missing"):
        load_engine()
    engine_module._load.cache_clear()


QUIET = """
import logging, sys
import numpy as np
before = list(logging.getLogger().handlers), logging.getLogger().level
from promptvision_rapidocr.engine import load_engine
engine = load_engine()
image = np.full((120, 400, 3), 255, np.uint8)
engine.find_lines(image)
engine.recognise([image[:40]], lambda: None)
engine.are_upside_down([image[:40]])
assert before == (list(logging.getLogger().handlers), logging.getLogger().level)
"""


def test_library_neither_writes_nor_logs() -> None:
    done = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_library_does_not_change_the_root_logger(
    caplog: pytest.LogCaptureFixture, draw_page: Callable[..., Image.Image]
) -> None:
    with caplog.at_level(logging.DEBUG):
        load_engine().find_lines(to_bgr(draw_page()))
    assert not [record for record in caplog.records if record.name.lower().startswith("rapid")]
