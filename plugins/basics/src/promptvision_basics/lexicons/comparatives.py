"""Comparative forms in several languages."""

from __future__ import annotations

import re

__all__ = ["compared"]

_COMPARED = {
    "de": (
        re.compile(r"\w+er"),
        ("mach it {}", "mache it {}", "it {}", "it soll {} werden", "it soll {} sein"),
    ),
    "es": (
        re.compile(r"(?:más|menos) \w+"),
        (
            "haz it {}",
            "haz que it sea {}",
            "pon it {}",
            "hazlo {}",
            "hazla {}",
            "ponlo {}",
            "ponla {}",
            "it {}",
        ),
    ),
    "fr": (
        re.compile(r"(?:plus|moins) (?!de )\w+"),
        ("rends it {}", "rends-la {}", "rends-le {}", "mets it {}", "fais it {}", "it {}"),
    ),
    "zh": (re.compile(r"(?:更|变|调).{1,2}"), ("把it{}", "让it{}", "将it{}", "it{}", "使it{}", "{}it")),
}
"""A comparative of a language, and the frames that ask for it."""


def compared(language: str, frames: tuple[str, ...]) -> tuple[str, ...]:
    """The frames, and each comparative among them ("heller") in every frame that asks for one."""
    comparative, around = _COMPARED[language]
    found = [frame for frame in frames if comparative.fullmatch(frame)]
    return tuple(dict.fromkeys((*frames, *(ask.format(frame) for frame in found for ask in around))))
