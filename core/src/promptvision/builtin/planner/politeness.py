"""Find the request in the polite words around it, without a template for each way of asking."""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptvision.builtin.planner.books import PhraseBook
from promptvision.builtin.planner.patterns import IMAGE, fold, word_set

__all__ = ["cores", "stems", "without_asides"]

MAX_LEAD = 16
"""How many polite words may come before a request."""
MAX_CORES = 4
_WORDS = re.compile(r"[^\s,:;!.]+")
_LEAD = word_set(
    "i me my we us our you your it its it's it'd that's that this there here can could would will may "
    "might should shall must be been being am is are was were do does did have has had having get gets "
    "got give mind kind kindly good nice lovely great wonderful helpful fantastic awesome cool super "
    "fine ok okay alright right happy glad pleased grateful thankful obliged appreciate appreciated "
    "love like want need wish hope hoping prefer rather wonder wondering ask asking request requesting "
    "trouble bother bothering disturb favor favour moment minute second sec time chance possible "
    "possibly possibility perhaps maybe please just so as to if when whenever whether a an the of for "
    "with in on at too much very really only simply quickly quick able enough let let's know tell try "
    "see show go ahead think feel free manage help needs hi hello hey dear sir madam friend buddy mate "
    "guys everyone thanks thank and also now then next first finally well sorry excuse pardon actually "
    "basically today once again i'd i'm i'll i've you'd you'll we'd we'll how about what's up way some "
    "any one thing something more least all would've could've version copy photo picture image out "
    "anyone someone somebody reckon believe suppose guess figure consider willing ready prepared gentle "
    "careful wondered hoped wanted needed asked liked advance apologies apologize apologise bothered "
    "asking-for spare effort pleasure honor honour welcome opportunity second's wouldn't couldn't won't "
    "isn't real yes yeah yep no-one sure certainly course hmm um uh oh ah"
)
"""Words that ask for nothing by themselves; never a negation."""
_TAIL_WORDS = _LEAD - word_set(
    "see show tell know try help picture photo image version copy here there out up what's how about in on"
)
_TAIL_START = (
    r"if (?:you|it|that|possible|at all)|when (?:you|it)|whenever (?:you|it)|as soon as|for me|for us|please"
    r"|kindly|thank|thanks|thx|cheers|would you|will you|could you|can you|i would be|i'd be|i would|i'd"
    r"|that would be|it would|much appreciated|be so kind|ok|okay|right|or so|so that i|in case"
)
_TAIL = re.compile(rf"(?:^|[\s,]+)(?=(?:{_TAIL_START})\b)", re.IGNORECASE)
_ASIDES = (
    re.compile(
        r"^(?:please )?when(?:ever)? you (?:get|have|find|next have) (?:a |the |some |one )?(?:free |spare )?"
        r"(?:chance|moment|minute|second|time|sec)(?: to spare)?[\s,]*",
        re.IGNORECASE,
    ),
    re.compile(r",? (?:can|could) you show me(?: (?:that|it|how .*))?\s*\??$", re.IGNORECASE),
    re.compile(r"^(?:please )?be (?:an?|my) [\w ]{2,20}? and\b[\s,]*", re.IGNORECASE),
    re.compile(
        r"\b(?:if |in case |as long as |unless )?(?:it is|it's|that is|that's|this is) (?:not|no|isn't)"
        r" (?:(?:too|so) )?(?:much (?:of )?)?(?:an? )?(?:trouble|bother|problem|hassle"
        r"|inconvenience|difficult"
        r"|hard|to ask)\b(?: to ask)?[\s,]*",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:if )?(?:you )?(?:do not|don't|would not|wouldn't|won't) mind[\s,]*", re.IGNORECASE),
    re.compile(r"[\s,]*\b(?:and |but )?(?:nothing|not anything) (?:else|more)\b(?! in\b)", re.IGNORECASE),
    re.compile(r"^(?:my |i )?apolog(?:ies|i[sz]e)[\s,.]*(?:but )?", re.IGNORECASE),
    re.compile(r"[\s,]*\b(?:and )?that(?: is|'s) (?:all|it)\b(?= ?$)", re.IGNORECASE),
    re.compile(
        r"[,\s]+(?:and |but )?(?:please )?(?:leave|keep) (?:everything|anything|all|the rest)(?: else)?"
        r"(?: of it)?(?: alone| as it is| as is| unchanged| untouched| the same)?$",
        re.IGNORECASE,
    ),
)
_KEPT_FIRST = re.compile(
    r"^(?:please )?(?:keep|leave) (?P<kept>.+?) (?:as (?:it|they) (?:is|are)|as is"
    r"|alone|untouched|unchanged|the same|intact)"
    r"(?:,? (?:and|but)|,)(?: (?:just|only|please))? (?P<rest>.+)$",
    re.IGNORECASE,
)
_COMPLAINT = re.compile(
    r"^(?:i (?:do not|don't|never)(?: really)? (?:like|love|want|need)|i (?:hate|dislike|can't stand"
    r"|can not stand)"
    r"|i am (?:not (?:a (?:big |huge |great )?fan of|keen on|happy (?:with|about)|sure about|fond of)"
    r"|sick of|tired of))"
    r"(?: (?:how|that))?"
    r"(?: how (?:very |so )?[\w-]+)? (?P<thing>the [^,;]+?)(?: (?:is|are|looks?|seems?))?[,;]\s*(?:so "
    r"|and |please |just )*(?P<rest>.*\b(?:it|them)\b.*)$",
    re.IGNORECASE,
)
"""A remark on a thing before the request about it: "I don't like the sky, make it blue"."""
_DONE_LAST = re.compile(r" \w+ed$", re.IGNORECASE)
"""The end of an action that is not wanted: "the flag removed"."""
_PRONOUN = re.compile(r"\b(?:it|them)\b", re.IGNORECASE)
_SLIGHTLY = re.compile(
    r"\b(?:just )?(?:a (?:little |tiny |wee )?(?:bit|touch|tad|smidge)|a little|slightly|somewhat|ever so "
    r"slightly)(?= (?:\w+er|more|less)\b)\s",
    re.IGNORECASE,
)
"""Before a comparative: "a bit darker" is "darker"."""


def without_asides(clause: str) -> str:
    """The clause without remarks that are not part of the request, such as "if it's no trouble"."""
    if found := _KEPT_FIRST.match(clause):
        clause = f"{found['rest']}, but leave {found['kept']} alone"
    if (found := _COMPLAINT.match(clause)) and not _DONE_LAST.search(found["thing"]):
        clause = _PRONOUN.sub(found["thing"], found["rest"])
    for rule in _ASIDES:
        clause = rule.sub(" ", clause)
    shorter = _without_tail(clause)
    if shorter.endswith(",") or len(clause[len(shorter) :].split()) > 2:
        clause = shorter
    return _SLIGHTLY.sub("", clause).strip(" ,")


def cores(clause: str, book: PhraseBook) -> Iterator[str]:
    """The clause from each word on that may begin the request, if only polite words come before it."""
    text = _without_tail(clause).strip(" ,")
    found = 0
    for number, word in enumerate(_WORDS.finditer(text)):
        plain = fold(word[0])
        if number and _may_begin(plain, book):
            yield text[word.start() :]
            found += 1
        if plain not in _LEAD or number == MAX_LEAD or found == MAX_CORES:
            return


def _may_begin(word: str, book: PhraseBook) -> bool:
    if word in ("it", "this", "that", "the", "my", IMAGE):
        return True
    return book.begins(word) or any(
        book.begins(stem)
        for ending in ("ing", "ed")
        if word.endswith(ending) and len(word) > len(ending) + 2
        for stem in stems(word.removesuffix(ending))
    )


def stems(stem: str) -> tuple[str, ...]:
    """Words that a verb without its ending may come from: "mak" gives "make", "cropp" gives "crop"."""
    return stem, stem + "e", stem[:-1] if stem[-1:] == stem[-2:-1] else stem


def _without_tail(clause: str) -> str:
    """The clause up to polite words at its end: ", if you could be so kind"."""
    for found in _TAIL.finditer(clause):
        rest = _WORDS.findall(fold(clause[found.end() :]))
        if found.start() and rest and all(word in _TAIL_WORDS for word in rest):
            return clause[: found.start()] + ("," if "," in found[0] else "")
    return clause
