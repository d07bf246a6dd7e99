"""The check of ``promptvision doctor``: the program and its languages."""

from __future__ import annotations

from promptvision.plugin import Finding, Settings, SetupError, ToolFailed

__all__ = ["check_program"]

NAME = "tesseract"


def check_program(settings: Settings) -> Finding:
    """Report the version of Tesseract and its installed languages."""
    from promptvision_tesseract.engine import INSTALL, installed_languages, installed_version

    try:
        languages = installed_languages()
        version = installed_version()
    except SetupError as exc:
        return Finding(NAME, "warn", f"no text can be read: {exc.message}", INSTALL)
    except ToolFailed as exc:
        return Finding(NAME, "fail", exc.message, INSTALL)
    readable = [code for code in languages if code != "osd"]
    seen = f"tesseract {version}, languages: {', '.join(readable) or 'none'}"
    if not readable:
        return Finding(NAME, "fail", seen, f"{INSTALL}-eng")
    if "osd" not in languages:
        return Finding(NAME, "warn", f"{seen}; sideways pages are not rotated", f"{INSTALL}-osd")
    return Finding(NAME, "ok", seen)
