"""Clauses of a request: sentences and steps, without their polite beginning and end."""

from __future__ import annotations

import re
from functools import lru_cache

from promptvision.builtin.planner.patterns import ends_in, plain, word_set

__all__ = ["AND", "MAX_CLAUSES", "bare", "split_clauses"]

MAX_CLAUSES = 8
_OPENING = re.compile(
    r"^(?:(?:ok(?:ay)?|now|then|next|finally|first|also|and|please|kindly|just|(?:hey|hi|hello)(?: there)?"
    r"|afterwards|after that|(?:can|could|would|will) you|i (?:want|need) you to|i want to"
    r"|i(?: would|'d) like (?:you )?to|let's|let us|go ahead and)\b[\s,:]*)+",
    re.IGNORECASE,
)
_VOCATIVE = r"(?:mate|man|buddy|pal|bro|dude|guys|folks|everyone|(?:my )?(?:friend|dear))"
_CLOSING = re.compile(
    rf"(?:[\s,]+(?:please|now|for me|(?:many )?(?:thanks|thank you|thx|cheers)(?: {_VOCATIVE})?"
    r"|(?:very|so) much|a lot|a million|kindly|(?:much|very) appreciated|in advance"
    r"|if (?:you can|possible|you please)|will you|would you|too|as well|again|instead|afterwards)"
    rf"|\s*,\s*{_VOCATIVE})+$",
    re.IGNORECASE,
)
_LAST_WORDS = word_set(
    "please now me thanks you thx cheers much lot million kindly appreciated advance can possible too well "
    "again instead afterwards mate man buddy pal bro dude guys folks everyone friend dear"
)
"""The words that a polite end ends in; looking for them first takes far less time than for all ends."""
_STRONG = re.compile(
    r"\s*(?:[;\n]+|[.!?]+(?:\s+|$)|,?\s*\b(?:and\s+)?(?:then|after that|afterwards)\b[,:]?)\s*",
    re.IGNORECASE,
)
AND = re.compile(r"\s*(?:,\s*and\b|,|\band\b)\s*", re.IGNORECASE)


def split_clauses(words: str) -> list[str]:
    """The sentences and steps of a request."""
    return [clause for clause in _STRONG.split(plain(words)) if bare(clause)]


@lru_cache(maxsize=4096)
def bare(clause: str) -> str:
    """A clause without its polite beginning and end."""
    text = " " + _OPENING.sub("", clause.strip(" ,:"))
    return (_CLOSING.sub("", text) if ends_in(text, _LAST_WORDS) else text).strip(" ,:")
