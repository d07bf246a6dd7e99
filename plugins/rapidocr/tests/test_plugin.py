from __future__ import annotations

import subprocess
import sys

from promptvision.plugin import operations
from promptvision_rapidocr.plugin import RAPIDOCR, promptvision_tools


def test_plugin_offers_one_tool_for_extract_text() -> None:
    assert list(promptvision_tools()) == [RAPIDOCR]
    assert RAPIDOCR.operation is operations.EXTRACT_TEXT


def test_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys, promptvision_rapidocr.plugin;"
        "print({'PIL.Image', 'numpy', 'cv2', 'onnxruntime', 'rapidocr'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
