"""Languages of the recognition model, by Tesseract's codes."""

from __future__ import annotations

from collections.abc import Iterable

from promptvision.plugin import ToolFailed

__all__ = ["READABLE", "check_languages"]

_LATIN = """
afr cat ces cym dan deu eng est eus fin fra gle glg hrv hun ind isl ita lat lav lit mlt msa nld nor oci pol
por ron slk slv spa sqi swa swe tgl tur
"""
READABLE = frozenset([*_LATIN.split(), "chi_sim", "chi_tra", "jpn"])
"""Latin script, Chinese and Japanese."""


def check_languages(codes: Iterable[str]) -> None:
    """Check that the model supports the script of every language.

    Raises:
        ToolFailed: a language is not supported; another tool is tried.
    """
    if unknown := [code for code in codes if code not in READABLE]:
        raise ToolFailed(
            f"promptvision-rapidocr: the model cannot read language {', '.join(unknown)}",
            hint="promptvision-tesseract reads it with its language data",
        )
