"""Standard operations that tools of several plugins fulfil.

Field names are the contract of HTTP, CLI and Python.
"""

from __future__ import annotations

from promptvision.tools.editing import (
    CONVERT_TO_BW,
    EDIT,
    GENERATE,
    INPAINT,
    BwResult,
    EditArgs,
    EditResult,
    GenerateArgs,
    GenerateResult,
    InpaintArgs,
    InpaintResult,
)
from promptvision.tools.finding import (
    DETECT,
    SEGMENT,
    DetectArgs,
    DetectResult,
    PointSegmentArgs,
    SegmentArgs,
    SegmentResult,
)
from promptvision.tools.image_models import ImageArgs, ImageResult
from promptvision.tools.reading import (
    ASK,
    CAPTION,
    EXTRACT_TEXT,
    AskArgs,
    AskResult,
    CaptionArgs,
    CaptionResult,
    ExtractTextArgs,
    ExtractTextResult,
    Word,
)

__all__ = [
    "ALL",
    "ASK",
    "CAPTION",
    "CONVERT_TO_BW",
    "DETECT",
    "EDIT",
    "EXTRACT_TEXT",
    "GENERATE",
    "INPAINT",
    "SEGMENT",
    "AskArgs",
    "AskResult",
    "BwResult",
    "CaptionArgs",
    "CaptionResult",
    "DetectArgs",
    "DetectResult",
    "EditArgs",
    "EditResult",
    "ExtractTextArgs",
    "ExtractTextResult",
    "GenerateArgs",
    "GenerateResult",
    "ImageArgs",
    "ImageResult",
    "InpaintArgs",
    "InpaintResult",
    "PointSegmentArgs",
    "SegmentArgs",
    "SegmentResult",
    "Word",
]

ALL = (DETECT, SEGMENT, INPAINT, CAPTION, EXTRACT_TEXT, CONVERT_TO_BW, ASK, EDIT, GENERATE)
