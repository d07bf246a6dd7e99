"""Language codes: check the requested ones, and name the packages of missing ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from promptvision.plugin import ArgumentsError, SetupError

__all__ = ["check_languages", "debian_package"]

_CODE = re.compile(r"[a-z]{3}(?:_[a-z]{3,8})*")
_NOT_LANGUAGES = ("osd", "equ")


def debian_package(code: str) -> str:
    """The Debian package with the data of a language: ``chi_sim`` is in ``tesseract-ocr-chi-sim``."""
    return f"tesseract-ocr-{code.replace('_', '-')}"


def check_languages(codes: Sequence[str], installed: Collection[str]) -> list[str]:
    """The codes without duplicates.

    Raises:
        ArgumentsError: a code is not a language code of Tesseract; the message lists the installed ones.
        SetupError: a language is not installed; the hint is the command that installs it.
    """
    here = sorted(set(installed).difference(_NOT_LANGUAGES))
    known = ", ".join(here) or "none"
    missing = [code for code in dict.fromkeys(codes) if code not in here]
    for code in missing:
        if not _CODE.fullmatch(code) or code in _NOT_LANGUAGES:
            raise ArgumentsError(f"languages: {code[:40]!r} is not a Tesseract code; installed: {known}")
    if missing:
        raise SetupError(
            f"promptvision-tesseract: no data for language {', '.join(missing)}; installed: {known}",
            hint=f"apt-get install {' '.join(debian_package(code) for code in missing)}",
        )
    return list(dict.fromkeys(codes))
