"""Calls of consecutive clauses: what "it" is in the next one, and calls that add nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from promptvision.builtin.planner.patterns import IMAGE, name_image
from promptvision.builtin.planner.phrases import Match

__all__ = ["HIM", "merged", "named_in", "with_named"]

HIM = re.compile(r"\b(?:it|them|him|her)\b", re.IGNORECASE)
"""A pronoun for a thing that was named before."""
_LAST_THING = re.compile(
    r"\b(?:what (?:do|does|is|are) |read )?(?:the|this|that|my) (?P<thing>(?!text\b|words\b"
    r"|writing\b)\w+(?: (?!say|read|in|on|at)\w+)?)"
    r"(?: (?:in|on|at|behind|next to|near) [\w ]+?)?(?: says?| reads?)?$",
    re.IGNORECASE,
)
_REST = re.compile(
    r"(?:the )?(?:rest|remainder|others?|everything else|other (?:part|half|side))", re.IGNORECASE
)
_THEIRS = re.compile(r"(?:his|her|their|its)\b", re.IGNORECASE)


def named_in(clause: str) -> str:
    """The thing at the end of a clause, for "it" in the next one: "read the sign"."""
    found = _LAST_THING.search(clause)
    return found["thing"] if found and IMAGE not in name_image(found[0]) else ""


def with_named(match: Match, named: str, clause: str) -> Match:
    """The match on what the clause before named, where its target is "it"."""
    name = match.function.target
    is_bare = name is not None and not match.slots and name not in dict(match.arguments)
    if not named or not (match.is_follow_up or (is_bare and HIM.search(clause))):
        return match
    return replace(
        match, arguments=((str(match.function.target), named), *match.arguments), is_follow_up=False
    )


def merged(matches: Sequence[Match]) -> tuple[Match, ...]:
    """The matches without one that adds nothing to the one before it: "cut it out, without background"."""
    return tuple(
        match
        for place, match in enumerate(matches)
        if not (
            place
            and match.function is matches[place - 1].function
            and _adds_nothing(match, matches[place - 1])
        )
        and not (place and _removes_rest(match, matches[place - 1]))
        and not _is_narrowed(match, matches[place + 1 : place + 2])
    )


def _adds_nothing(match: Match, before: Match) -> bool:
    """Whether a call does no more than the one of the same function before it: a thing is removed once."""
    is_removal = dict(match.arguments).get("prompt") == ""
    return not match.arguments or (is_removal and match.arguments == before.arguments)


def _removes_rest(match: Match, before: Match) -> bool:
    """Whether a call erases what the one before it leaves out: "keep the upper half, drop the rest"."""
    said = dict(match.arguments)
    is_rest = _REST.fullmatch(str(said.get(match.function.target or "", ""))) is not None
    return (
        is_rest and said.get("prompt") == "" and before.function.name in ("crop_image", "remove_background")
    )


def _is_narrowed(match: Match, later: Sequence[Match]) -> bool:
    """Whether the next call is the same for a part: "anonymise the children, blur their faces"."""
    target = match.function.target
    return any(
        target is not None
        and one.function is match.function
        and dict(one.arguments).get("prompt") == dict(match.arguments).get("prompt")
        and _THEIRS.match(str(dict(one.arguments).get(target, ""))) is not None
        for one in later
    )
