"""The verbs and nouns of the operations, in English, German, Spanish, French and Chinese.

The frames of other languages are written without the words that :mod:`promptvision.builtin.planner.languages`
removes: articles, politeness, and names of the image, which become "it".
"""

from __future__ import annotations

from promptvision.tools.lexicons.ask import ASK
from promptvision.tools.lexicons.caption import CAPTION
from promptvision.tools.lexicons.convert_to_bw import CONVERT_TO_BW
from promptvision.tools.lexicons.detect import DETECT
from promptvision.tools.lexicons.edit import EDIT
from promptvision.tools.lexicons.extract_text import EXTRACT_TEXT
from promptvision.tools.lexicons.generate import GENERATE
from promptvision.tools.lexicons.inpaint import INPAINT
from promptvision.tools.lexicons.segment import SEGMENT

__all__ = [
    "ASK",
    "CAPTION",
    "CONVERT_TO_BW",
    "DETECT",
    "EDIT",
    "EXTRACT_TEXT",
    "GENERATE",
    "INPAINT",
    "SEGMENT",
]
