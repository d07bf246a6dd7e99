"""Readings of clauses without a verb: "no people", "car red", "sky to purple", "too dark"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptvision.builtin.planner.books import PhraseBook
from promptvision.builtin.planner.english import polite
from promptvision.builtin.planner.patterns import fold, name_image, word_set
from promptvision.builtin.planner.politeness import cores
from promptvision.builtin.planner.remarks import cure_of
from promptvision.tools.targets import is_colour_word

__all__ = ["terse_readings"]

_NO_THING = re.compile(
    r"(?:with )?no (?!idea|problem|need|way|one|matter|thanks?"
    r"|worries)(?:more )?((?:the )?\w+(?: (?!in\b)\w+)?"
    r"(?: (?:in|on|at|behind|from|near|around) (?:the|my|his|her|their) [\w ]+)?)(?: in (?:it|here|there"
    r"|this))?",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"((?:the |my )?\w+) (bluer|greener|redder|whiter|blacker|yellower|pinker|greyer|grayer|browner"
    r"|darker|lighter|brighter)",
    re.IGNORECASE,
)
_OUT = re.compile(
    r"((?:the |that |this |my )?\w+(?: \w+)?) (?:out|gone|away|off|removed|deleted)(?: please)?",
    re.IGNORECASE,
)
_TO_COLOUR = re.compile(
    r"(.+? (?=(?:to|in|into) )|(?:(?:the|my) )?(?!\w+ (?:the|an?|my|this|that|it)\b)[\w'-]+(?: [\w'-]+)? )"
    r"(?:(?:to|in|into) )?((?:(?:dark|light|bright|pale) )?[\w-]+)",
    re.IGNORECASE,
)
_TOO = re.compile(
    r"(?:(?:it|this|that|<image>) (?:is|looks?|seems?|still is) |it's )?(?:still |now "
    r"|a bit |a little |much |way |far )*"
    r"(?:(?:too|so|very|quite) (?P<too>[\w-]+)|not (?P<not>[\w-]+) enough)",
    re.IGNORECASE,
)
_MATERIALS = word_set(
    "copper gold silver wood marble glass leather velvet stone brick chrome brass bronze concrete bamboo "
    "oak steel "
    "denim silk wool lace metal plastic walnut granite tiles tweed satin linen cotton fur straw ceramic "
    "porcelain"
)
_IN = re.compile(
    r"((?:the|my|our|his|her)? ?[\w'-]+(?: [\w'-]+)?) (?:in|made of|out of"
    r"|as) ((?:[\w-]+ )?[\w-]+)",
    re.IGNORECASE,
)
_COLOURED = re.compile(
    r"(?P<colour>(?:(?:dark|light|bright|pale) )?\w+) (?P<thing>[a-z]+s|hair|sky|door|wall|grass"
    r"|background),? please$",
    re.IGNORECASE,
)
"""A thing with the colour that it should have: "purple nails please"."""
_MADE = re.compile(
    r"((?:the |my |his |her |all )?[\w'-]+(?: [\w'-]+)?) (unreadable|illegible|unrecogni[sz]able|blurry"
    r"|blurred"
    r"|pixelated|anonymous|anonymi[sz]ed|hidden|invisible|blacked out|unsharp|out of focus)",
    re.IGNORECASE,
)
_NO_NAMES = word_set(
    "now then maybe and or but just only rather better instead one please try again this that the"
)
_CURES = {
    **dict.fromkeys(("dark", "dim", "underexposed", "gloomy"), "brighter"),
    **dict.fromkeys(("bright", "light", "overexposed"), "darker"),
    **dict.fromkeys(("small", "tiny", "little"), "bigger"),
    **dict.fromkeys(("big", "large", "huge"), "smaller"),
    **dict.fromkeys(("blurry", "soft", "fuzzy", "unsharp"), "sharper"),
    **dict.fromkeys(("sharp",), "softer"),
    **dict.fromkeys(("colorful", "colourful", "saturated", "vivid", "gaudy"), "less colorful"),
    **dict.fromkeys(("dull", "pale", "washed-out", "faded"), "more colorful"),
}
_ENOUGH = {
    "bright": "brighter",
    "light": "brighter",
    "dark": "darker",
    "big": "bigger",
    "large": "bigger",
    "small": "smaller",
    "sharp": "sharper",
    "colorful": "more colorful",
    "colourful": "more colorful",
    "vivid": "more colorful",
}


_NOT = re.compile(r"\b(?:not|never|no|don't)\b")


def terse_readings(clause: str, book: PhraseBook) -> Iterator[str]:
    """Wordings of a clause without a verb: "no people", "car red", "sky to purple", "too dark"."""
    if found := _NO_THING.fullmatch(polite(clause)):
        if not book.begins(fold(found[1]).partition(" ")[0]):
            yield f"remove {found[1]}"
        return
    if cure := cure_of(clause):
        yield cure
    if found := _COMPARED.fullmatch(clause.strip(" ,.!?")):
        yield f"make {found[1]} {found[2]}"
    if (found := _COLOURED.match(clause)) and is_colour_word(fold(found["colour"]).rpartition(" ")[2]):
        yield f"make the {found['thing']} {found['colour']}"
    bare = clause.strip(" ,.!?")
    is_named = (found := _IN.fullmatch(polite(clause))) and not book.begins(fold(found[1]).partition(" ")[0])
    if found and is_named and fold(found[1]).strip() not in _NO_NAMES:
        last = fold(found[2]).rpartition(" ")[2]
        if is_colour_word(last) or last in _MATERIALS:
            yield f"change {found[1]} to {found[2]}"
    if found := _MADE.fullmatch(bare):
        yield f"make {found[1]} {found[2]}"
    if (found := _OUT.fullmatch(clause.strip(" ,.!?"))) and not book.begins(fold(found[1]).partition(" ")[0]):
        yield f"remove {found[1]}"
    for text in dict.fromkeys((polite(clause), *cores(clause, book))):
        bare = name_image(text)
        if len(bare.split()) > 6 or (_NOT.search(bare) and not _TOO.fullmatch(bare)):
            continue
        if (
            (found := _TO_COLOUR.fullmatch(bare))
            and is_colour_word(found[2].lower().rpartition(" ")[2])
            and not book.begins(fold(found[1]).partition(" ")[0])
            and fold(found[1]).strip() not in _NO_NAMES
        ):
            yield f"change {found[1].strip()} to {found[2]}"
        elif found := _TOO.fullmatch(bare):
            remedy = _CURES.get(fold(found["too"])) if found["too"] else _ENOUGH.get(fold(found["not"]))
            if remedy:
                yield f"make it {remedy}"
        elif len(bare.split()) <= 3:
            yield f"convert it to {bare}"
            yield f"make it {bare}"
