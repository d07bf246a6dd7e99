"""The verbs and nouns of the everyday operations, in English, German, Spanish, French and Chinese."""

from __future__ import annotations

from promptvision_basics.lexicons.adjust import ADJUST
from promptvision_basics.lexicons.blur import BLUR
from promptvision_basics.lexicons.combine import COMBINE
from promptvision_basics.lexicons.convert import CONVERT
from promptvision_basics.lexicons.crop import CROP
from promptvision_basics.lexicons.draw_text import DRAW_TEXT
from promptvision_basics.lexicons.flip import FLIP
from promptvision_basics.lexicons.info import INFO
from promptvision_basics.lexicons.resize import RESIZE
from promptvision_basics.lexicons.rotate import ROTATE

__all__ = ["ADJUST", "BLUR", "COMBINE", "CONVERT", "CROP", "DRAW_TEXT", "FLIP", "INFO", "RESIZE", "ROTATE"]
