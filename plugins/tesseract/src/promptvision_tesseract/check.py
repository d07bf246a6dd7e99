"""What ``promptvision doctor`` looks at: the program and its languages."""

from __future__ import annotations

import subprocess

from promptvision.plugin import Finding, PromptvisionError, Settings

__all__ = ["check_program"]

NAME = "tesseract"
TIMEOUT_S = 10.0


def check_program(settings: Settings) -> Finding:
    """Its version and the languages that it has data for."""
    from promptvision_tesseract.engine import INSTALL, installed_languages

    try:
        languages = installed_languages()
        said = subprocess.run(["tesseract", "--version"], capture_output=True, timeout=TIMEOUT_S, check=False)
    except PromptvisionError:
        return Finding(NAME, "warn", "the program is not on the PATH; no text is read", INSTALL)
    except (OSError, subprocess.SubprocessError) as exc:
        return Finding(NAME, "fail", f"the program does not work: {exc}", INSTALL)
    version = (said.stdout or said.stderr).decode("utf-8", "replace").splitlines()[:1]
    readable = [code for code in languages if code != "osd"]
    seen = f"{''.join(version)}, languages: {', '.join(readable) or 'none'}"
    if not readable:
        return Finding(NAME, "fail", seen, f"{INSTALL}-eng")
    if "osd" not in languages:
        return Finding(NAME, "warn", f"{seen}; sideways pages are not turned upright", f"{INSTALL}-osd")
    return Finding(NAME, "ok", seen)
