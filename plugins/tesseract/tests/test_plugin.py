from __future__ import annotations

import subprocess
import sys

from promptvision.plugin import operations
from promptvision_tesseract.plugin import TESSERACT, promptvision_tools


def test_plugin_offers_one_tool_for_extract_text() -> None:
    assert list(promptvision_tools()) == [TESSERACT]
    assert TESSERACT.operation is operations.EXTRACT_TEXT
    assert TESSERACT.requires.binaries == {"tesseract": "apt-get install tesseract-ocr"}


def test_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys, promptvision_tesseract.plugin; print({'PIL.Image', 'numpy', 'cv2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
