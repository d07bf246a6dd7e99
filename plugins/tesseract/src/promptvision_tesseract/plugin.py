"""Hook implementations of promptvision-tesseract."""

from __future__ import annotations

from pydantic import Field

from promptvision.plugin import Check, Requirements, Tool, hookimpl, operations
from promptvision_tesseract.check import check_program

PLUGIN_API = 1


class TesseractArgs(operations.ExtractTextArgs):
    """Arguments of the tool ``tesseract``."""

    preprocess: bool = Field(
        True, description="Correct rotation, noise, shadow and small letters first; false: plain Tesseract."
    )


TESSERACT = Tool(
    name="tesseract",
    operation=operations.EXTRACT_TEXT,
    args=TesseractArgs,
    requires=Requirements(binaries={"tesseract": "apt-get install tesseract-ocr"}),
    limits=(
        "Reads printed text on a page, a screen or a plain sign; misses handwriting and curved text; use "
        "promptvision-rapidocr for signs and lettering in photographs."
    ),
    run="promptvision_tesseract.read:read",
)


@hookimpl
def promptvision_tools() -> list[Tool]:
    """The tool ``tesseract``."""
    return [TESSERACT]


@hookimpl
def promptvision_checks() -> list[Check]:
    """The check of the program and its languages."""
    return [check_program]
