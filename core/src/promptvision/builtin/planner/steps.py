"""Steps that are named out of their order."""

from __future__ import annotations

import re

__all__ = ["in_order"]

_BEFORE = re.compile(
    r"^(?:but )?(?:before|prior to|right before) (?:you |we )?(?P<late>.+?), (?P<first>.+)$", re.IGNORECASE
)
_AFTER = re.compile(
    r"^(?:after|once|when|as soon as|having|now that) (?:(?:you|we) (?:have |are |'ve |'re )?(?:done "
    r"|finished )?|that,? |done with |done )?"
    r"(?P<first>(?!you\b|possible|it is|that is|ready|an? |the |there |i |we |finished|again|have |has "
    r")\w+(?:ing|ed|ne|de|ut)? .+?), (?P<late>.+)$",
    re.IGNORECASE,
)
_BUT_FIRST = re.compile(
    r"^(?P<late>.+?)(?:,| )+(?:but|and|though) (?:before that|beforehand|first|first of all|before "
    r"doing (?:so|that|it))[, ]+(?P<first>.+)$",
    re.IGNORECASE,
)
_LAST_BEFORE = re.compile(
    r"^(?P<first>.+?),? (?:before|prior to) (?=you (?!can|could|are|have)\w|\w+ing )(?:you "
    r")?(?P<late>\w+ .+)$",
    re.IGNORECASE,
)
_LAST_AFTER = re.compile(
    r"^(?P<late>.+?),? (?:after|once) (?:(?:you|we) (?:have |are done |'ve )?|having "
    r")?(?P<first>\w+(?:ing|ed) .+)$",
    re.IGNORECASE,
)
_NOT_BUT = re.compile(
    r"^not (?:the|my|that|this) [^,]+, (?:but |rather |no,? |just |only )*(?P<rest>(?:the|my|that|this"
    r"|make|turn|paint|change|blur) .+)$",
    re.IGNORECASE,
)
_NO_NEED = re.compile(
    r"^(?:there is )?no need (?:for|of|to) [^,]+, (?P<rest>(?!but\b|just\b|only\b).+)$", re.IGNORECASE
)
_UNTOUCHED_FIRST = re.compile(
    r"^without (?:touching|changing|affecting|altering|editing|removing) (?P<kept>[^,]+), (?P<rest>.+)$",
    re.IGNORECASE,
)
_LEAVE_FIRST = re.compile(
    r"^(?:leave|keep) (?P<kept>(?:the|my|his|her) [^,]+?)(?: alone| as it is)?, (?:and |but "
    r")?(?P<rest>(?:only|just"
    r"|remove|change|make|blur|erase|delete|turn|paint|replace) .+)$",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"^(?:please )?first(?:ly)?,? (.+?),? (?:and )?second(?:ly)?,? (.+?)(?:,? (?:and )?(?:third"
    r"|last)(?:ly)?,? (.+))?$",
    re.IGNORECASE,
)
_WHENEVER = re.compile(r"^when(?:ever)? you (?:get|have|find) (?:a|the|some|one)\b", re.IGNORECASE)
_LEAD = re.compile(r"^(?:and|but|then|please|first|,|\s)+", re.IGNORECASE)
MAX_ORDERED = 300


def in_order(words: str) -> str:
    """Sentences with their steps in the order in which they are to be done, separated by semicolons.

    "Before you crop it, rotate it" gives "rotate it; crop it".
    """
    if len(words) > MAX_ORDERED:
        return words
    parts = re.split(r"((?<=[.!?;\n])\s*)", words)
    return "".join(part if place % 2 else _ordered(part) for place, part in enumerate(parts))


def _ordered(sentence: str) -> str:
    bare = sentence.strip(" .!;\n")
    if _WHENEVER.match(bare):
        return sentence
    if found := _NO_NEED.match(bare):
        return f"{found['rest']}; "
    if found := _UNTOUCHED_FIRST.match(bare):
        return f"{found['rest']} without changing {found['kept']}; "
    if found := _LEAVE_FIRST.match(bare):
        return f"{found['rest']}, but leave {found['kept']} alone; "
    if found := _NOT_BUT.match(bare):
        return f"{found['rest']}; "
    if found := _COUNTED.match(bare):
        return "; ".join(part.strip(" ,") for part in found.groups() if part) + "; "
    for rule in (_BEFORE, _AFTER, _BUT_FIRST, _LAST_BEFORE, _LAST_AFTER):
        if found := rule.match(bare):
            first, late = (_LEAD.sub("", found[name]).strip(" ,") for name in ("first", "late"))
            if first and late and " " in f"{first} {late}".strip():
                return f"{first}; {late}; "
    return sentence
