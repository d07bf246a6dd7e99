"""Hook implementations of promptvision-rapidocr."""

from __future__ import annotations

import os

from promptvision.plugin import Requirements, Tool, hookimpl, operations

__all__ = ["PLUGIN_API", "RAPIDOCR", "promptvision_tools"]

PLUGIN_API = 1

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reads it when it is imported

RAPIDOCR = Tool(
    name="rapidocr",
    operation=operations.EXTRACT_TEXT,
    run="promptvision_rapidocr.read:read",
    priority=60,
    requires=Requirements(
        modules={
            "cv2": "pip install opencv-python-headless",
            "onnxruntime": "pip install onnxruntime",
            "rapidocr": "pip install rapidocr",
        }
    ),
    limits=(
        "Reads signs, screens and pages in any language with Latin or Chinese script; use "
        "promptvision-tesseract with its language data for other scripts. Misses handwriting and text on a "
        "strong curve."
    ),
)


@hookimpl
def promptvision_tools() -> list[Tool]:
    """The tool ``rapidocr``."""
    return [RAPIDOCR]
