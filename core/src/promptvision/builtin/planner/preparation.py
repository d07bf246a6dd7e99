"""Prepare for requests ahead of the first one, which else has to index phrases and compile patterns."""

from __future__ import annotations

from collections.abc import Sequence

from promptvision.builtin.planner import spelling
from promptvision.builtin.planner.conversation import not_understood
from promptvision.builtin.planner.reading import read_request
from promptvision.builtin.planner.understanding import understand
from promptvision.llm.planner import PlannerFunction

__all__ = ["prepare"]

_REQUESTS = (
    "make the red ball on the left blue and describe it",
    "remove the man's hat, but keep the dog",
    "crop it to a square",
    "turn it 90 degrees to the left",
    "change the cat to a dog",
    'add the text "Hello" at the bottom',
    "put a hat on the dog",
    "i want it to be brighter",
    "what is in this picture?",
    "mach das Bild heller",
    "haz la foto m\u00e1s clara",
    "rends la photo plus claire",
    "\u628a\u56fe\u7247\u53d8\u4eae",
)
"""Requests that begin as most do, in each language."""
_UNKNOWN = "frobnicate the quux thoroughly"


def prepare(functions: Sequence[PlannerFunction], unavailable: Sequence[PlannerFunction]) -> None:
    """Read typical requests, so that what they need is there for those of users; takes some 0.1 s.

    Args:
        functions: operations that can run here.
        unavailable: operations that could run if something were installed or configured.
    """
    spelling.load()
    for offered in (functions, (*functions, *unavailable)) if unavailable else (functions,):
        for words in (*_REQUESTS, _UNKNOWN):
            understand(read_request(words, offered), words, offered)
    not_understood(_UNKNOWN, functions)
