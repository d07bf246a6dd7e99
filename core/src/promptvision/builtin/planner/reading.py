"""Parse a request clause by clause, up to the first clause that is not understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from promptvision.builtin.planner.bags import bag_match
from promptvision.builtin.planner.books import PhraseBook, phrase_book
from promptvision.builtin.planner.clauses import MAX_CLAUSES, split_clauses
from promptvision.builtin.planner.contrasts import (
    BESIDE_IT,
    contrasted,
    corrected,
    done_instead,
    is_negated,
    without_negation,
)
from promptvision.builtin.planner.conversation import is_help, is_left, is_small_talk
from promptvision.builtin.planner.english import MARKS, SURE, WHOLE, polite, readings
from promptvision.builtin.planner.languages import LANGUAGES, Language
from promptvision.builtin.planner.patterns import fold
from promptvision.builtin.planner.phrases import (
    MAX_CHARS,
    MAX_WORK,
    Match,
    match_clause,
)
from promptvision.builtin.planner.politeness import without_asides
from promptvision.builtin.planner.remarks import (
    complained,
    cure_of,
    is_fix,
    is_remark,
    named_in_remark,
    parted_remark,
)
from promptvision.builtin.planner.sequence import HIM, merged, named_in, with_named
from promptvision.builtin.planner.spelling import (
    corrected_colour,
    corrected_things,
    corrections,
    keeps_values,
)
from promptvision.builtin.planner.steps import in_order
from promptvision.builtin.planner.terse import terse_readings
from promptvision.builtin.planner.tidying import tidy
from promptvision.builtin.planner.writing import written
from promptvision.llm.planner import PlannerFunction
from promptvision.tools.targets import is_colour_word

__all__ = ["Reading", "read_request"]

_TO_PLANNER = re.compile(
    r"\b(?:you|your|yourself|u)\b(?! (?:see|tell|think|say|find|spot|read|notice|guess))|\b(?:possible"
    r"|cost|slow|uploads?|videos?|website"
    r"|app|program|software|weather|price|free|(?:any|some)(?:one|body) (?:there|here|home)$|way to"
    r"|the rest|today|tomorrow|yesterday|(?:time|day|date"
    r"|year) is it)\b",
    re.IGNORECASE,
)
"""Words of a question that no image answers."""
_WHY = re.compile(r"why (?:is|are|does|do|did|was|has) (?:it|this|that|my|the)\b", re.IGNORECASE)
"""A complaint in the form of a question, before the request: "why is it so dark? brighten it"."""
_WANTED_THING = re.compile(
    r"^(?:i |we )?(?:want|would like|need|would love|let us have|let's have|there should be|let there be"
    r"|there must be"
    r"|can we have|can i have)"
    r"(?: to (?:see|have))? (?=(?:an?|some|two|another) .+ (?:on|in|next to|behind|under|over|beside"
    r"|near|around|above) )",
    re.IGNORECASE,
)
"""A thing that should be somewhere: "I'd like a candle on the table"."""
_NO_INSTRUCTION = re.compile(
    r"^(?:put|place|stick|hang|draw|paint) (?:it|this|that|them)\b|^(?:add|insert|include) (?:(?:an?"
    r"|some|the|my) )?"
    r"(?:texts?|captions?|titles?|words?|labels?|dates?|names?|letters?|filters?|effects?)$",
    re.IGNORECASE,
)
"""An instruction that leaves out what is to be added."""
_MAY_COMMAND = re.compile(r"(?:do|have|if|whether)\b", re.IGNORECASE)
"""Words that begin a question, or something else if there is no question mark."""
_SCENE = re.compile(
    r"\b(?:the|this|that|my|our) (?:(?:whole|entire|full) )?(?:page|document|letter|form|receipt|invoice"
    r"|article|card|certificate|leaflet|flyer|menu|beach|landscape|scene|view|panorama|skyline|room|kitchen"
    r"|garden|poster|drawing|sketch|slide|chart|map|wedding|shot|painting|artwork|scan|frame)\b(?! of)",
    re.IGNORECASE,
)
"""Names of what fills an image, which stand for the image itself where no phrase takes them as a thing."""
_AMOUNT = re.compile(r"(?:by )?[+-]?(\d{1,3})%$")
_ASKED_FOR = re.compile(
    r"(?:any |some |no )?(?P<thing>(?:\w+ )?(?!.*(?:ss|us|is|thanks|news)\b)[a-z]{3,}s)\?", re.IGNORECASE
)
"""A thing with a question mark and no verb: "dogs?"."""
_COLON = re.compile(r"^(?:the |my )?(?P<thing>[^:,\d]{2,50}): (?:please )?(?P<rest>[^:]+)$", re.IGNORECASE)
"""A thing before what is to be done with it: "rug: remove"."""
_DIGIT = re.compile(r"\d")
_JOIN = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+", re.IGNORECASE)
_JOIN_AS_WRITTEN = re.compile(_JOIN.pattern)
_HIDDEN = re.compile(r"(?:everything|nothing|not|no|never|don't|only)\b", re.IGNORECASE)
MAX_PARTS = 3
_VERBLESS = re.compile(
    r"(?:the|an?|and|or|but|not|no|my|its?|with|in|on|to|of|for|at|by|leave|keep|except|also|very|too"
    r"|shiny)\b",
    re.IGNORECASE,
)
MAX_READ = 12
"""Maximum number of clauses of a request that are read, with the parts that clauses are cut into."""
MAX_LONG = 240
"""Characters of a clause that is not searched for remarks, misspelled words and words in any order."""
MAX_RESPELLED = 12
MAX_CORRECTED = MAX_WORK * 2 // 3
"""Work after which no more corrections of spelling are tried, so that the rest can be."""
MIN_GAIN = 4
"""How many more characters phrases cover when a word inside a value was a misspelled word of a phrase."""
_OBJECTS = (" the red ball", " the red ball with a cube", " with a cube", " blue", " to blue")


@dataclass(frozen=True)
class Reading:
    """The result of parsing a request.

    Args:
        matches: the calls that are understood, in order.
        unknown: the first clause that is not understood; later clauses are not parsed.
        incomplete: whether that clause would be understood if it named a target.
        options: calls of different functions that the clause may ask for; empty where none compete.
        is_nothing: whether the request says that nothing is to be done.
        answer: what is answered without a call: "help", "undo", "nothing", "chat", "images" if there
            are too few to combine, or "angle" if none is given.
        better: an operation that cannot run here and that the request names more closely than a match.
    """

    matches: tuple[Match, ...] = ()
    unknown: str = ""
    incomplete: bool = False
    options: tuple[Match, ...] = ()
    is_nothing: bool = False
    answer: str = ""
    better: PlannerFunction | None = None

    @property
    def is_loose(self) -> bool:
        """Whether a call comes from a phrase that counts only where no other phrase matches."""
        return any(match.is_loose for match in self.matches)


def read_request(
    words: str,
    functions: Sequence[PlannerFunction],
    improve: Callable[[str, Reading], Reading] | None = None,
) -> Reading:
    """Parse a request up to the first clause that is not understood.

    Args:
        words: the request.
        functions: what may be called.
        improve: gives the reading of a clause for its words and what phrases read of it.
    """
    if len(words) > MAX_CHARS:
        return Reading(unknown=words)
    if is_help(words):
        return Reading()
    if is_left(words):
        return Reading(is_nothing=True)
    clauses = [clause for clause in split_clauses(in_order(tidy(words))) if not is_small_talk(clause)]
    if len(clauses) == 1 and len(clauses[0].split()) < 4 and words.rstrip().endswith("?"):
        clauses = [f"{clauses[0]}?"]
    if len(clauses) > MAX_CLAUSES:
        return Reading(unknown=words)
    book, reading = phrase_book(functions).for_request(is_question="?" in words), Reading()
    remarks: list[str] = []
    named = ""
    for clause in map(without_asides, clauses):
        if is_negated(clause):
            reading = replace(reading, is_nothing=True)
            continue
        if (reading.matches and is_fix(clause)) or (len(clauses) > 1 and _WHY.match(clause)):
            continue
        read = _read_clause(clause, book)
        if improve is not None:
            read = improve(clause, read)
        if read.unknown and not read.matches and len(clauses) > 1 and is_remark(clause):
            remarks.append(clause)
            named = named_in_remark(clause)
            continue
        read = replace(read, matches=tuple(with_named(match, named, clause) for match in read.matches))
        named = named_in(clause) if not any(match.function.target for match in read.matches) else ""
        reading = replace(read, matches=(*reading.matches, *read.matches))
        if read.unknown:
            break
    reading = replace(reading, matches=merged(reading.matches))
    return reading if reading.matches or not remarks else replace(reading, unknown=remarks[0])


def _read_clause(clause: str, book: PhraseBook) -> Reading:
    """Parse one clause: in English, with corrected spelling, in another language, or only its first part."""
    book.clauses += 1
    if book.clauses > MAX_READ:
        return Reading(unknown=clause)
    if instead := done_instead(clause):
        return _read_clause(instead, book)
    if (found := _COLON.match(clause)) and book.begins(fold(found["rest"]).partition(" ")[0]):
        rest, thing = found["rest"], found["thing"]
        rest = HIM.sub(f"the {thing}", rest) if HIM.search(rest) else f"{rest} the {thing}"
        return _read_clause(rest, book)
    if (found := corrected(clause)) and not (read := _read_clause(found["rest"], book)).unknown:
        return _about(read, found["not"], book)
    if found := contrasted(clause):
        thing, rest = named_in(found["not"]), found["rest"]
        rest = BESIDE_IT.sub(rf"\1 the {thing}", rest) if thing else rest
        return _about(_read_clause(rest, book), found["not"], book)
    if head := without_negation(clause):
        return _read_clause(head, book)
    if (cure := cure_of(clause)) and (matches := _english(cure, book)):
        return _decided(clause, matches)
    for rest in complained(clause) if len(clause) <= MAX_LONG else ():
        if not (read := _read_clause(rest, book)).unknown:
            return read
    if made := written(clause, book, lambda text: _english(text, book)):
        return Reading((made,))
    if matches := _spelled(clause, _english(clause, book), book):
        return _decided(clause, matches)
    if len(clause) <= MAX_LONG and (parts := _simply_parted(clause, book)):
        return Reading(parts)
    if (reading := _foreign(clause, book)) is not None:
        return reading
    if len(clause) > MAX_LONG:
        return _begun(clause, book) or Reading(unknown=clause)
    for respelled in corrections(clause, book) if book.work < MAX_CORRECTED else ():
        if book.work > MAX_CORRECTED:
            break
        respelled = tidy(respelled) if _DIGIT.search(respelled) else respelled  # "50 precent"
        if (matches := _english(respelled, book)) and keeps_values(_values(matches), clause):
            return _decided(clause, _spelled(respelled, matches, book))
    if (scene := _SCENE.sub("the image", clause)) != clause:
        matches = _english(scene, book)
        if matches and not any(match.is_follow_up for match in matches):
            return _decided(clause, matches)
    for text in terse_readings(clause, book):
        if (matches := _english(text, book)) and not any(match.is_follow_up for match in matches):
            return _decided(clause, matches)
    found = _ASKED_FOR.fullmatch(clause.strip())
    if found and (matches := _english(f"find {found['thing']}", book)):
        return Reading(matches)
    if _JOIN.search(clause) and (whole := _parted(clause, book)) is not None:
        return whole
    if bag := bag_match(clause, book):
        return Reading((_with_amount(bag, clause),))
    for rest in parted_remark(clause):
        if not (read := _read_clause(rest, book)).unknown:
            return read
    if begun := _begun(clause, book):
        return begun
    if matches := _loosely(clause, book):
        return Reading(matches)
    is_incomplete = len(clause.split()) < 7 and any(_english(clause + more, book) for more in _OBJECTS)
    return Reading(unknown=clause, incomplete=is_incomplete)


def _about(reading: Reading, negated: str, book: PhraseBook) -> Reading:
    """ "It" after "don't make the ball blue" is the ball."""
    named = [dict(match.arguments).get(match.function.target or "") for match in _english(negated, book)]
    target = next(filter(None, named), None)
    if target is None:
        return reading
    matches = tuple(
        replace(match, arguments=((str(match.function.target), target), *match.arguments), is_follow_up=False)
        if match.is_follow_up
        else match
        for match in reading.matches
    )
    return replace(reading, matches=matches)


def _decided(clause: str, matches: tuple[Match, ...]) -> Reading:
    """The matches, or none if a clause matches two functions equally well."""
    for match in matches:
        if match.rivals:
            return Reading(unknown=clause, options=(match, *match.rivals))
    return Reading(matches)


def _english(clause: str, book: PhraseBook) -> tuple[Match, ...]:
    """The calls of the first wording of a clause that has any; none once the request's work is used up."""
    if clause not in book.english:
        book.english[clause] = _worded(clause, book) if book.work < MAX_WORK else ()
    matches: tuple[Match, ...] = book.english[clause]
    return matches


def _worded(clause: str, book: PhraseBook) -> tuple[Match, ...]:
    for text in readings(clause, book):
        mark = text[:1] if text[:1] in MARKS else ""
        matches = match_clause(text.removeprefix(mark), book)
        if matches and all(_suits(match, mark) for match in matches):
            return tuple(_with_amount(_improved(_without_rivals(match, mark)), clause) for match in matches)
    return ()


def _without_rivals(match: Match, mark: str) -> Match:
    """The match without rivals that do not suit the mark of its reading."""
    return replace(match, rivals=tuple(rival for rival in match.rivals if _suits(rival, mark)))


def _suits(match: Match, mark: str) -> bool:
    """Whether a match is as sure as the mark of its reading demands."""
    if mark == WHOLE:
        return not match.is_follow_up and match.function.target not in dict(match.arguments)
    return not (mark == SURE and match.is_guessed)


def _loosely(clause: str, book: PhraseBook) -> tuple[Match, ...]:
    """The call of a phrase that fits many sentences, unless the clause asks about the planner."""
    fallbacks = book.other(is_fallback=True)
    bare = polite(clause)
    added = _WANTED_THING.sub("add ", bare)
    if not fallbacks.begins(fold(added).partition(" ")[0]) or _TO_PLANNER.search(bare):
        return ()
    if _NO_INSTRUCTION.search(bare) or (_MAY_COMMAND.match(bare) and not book.is_question):
        return ()
    for text in dict.fromkeys((clause if added == bare else added, clause, bare)):
        if matches := match_clause(text, fallbacks):
            return tuple(replace(match, is_loose=True) for match in matches)
    return ()


def _spelled(clause: str, matches: tuple[Match, ...], book: PhraseBook) -> tuple[Match, ...]:
    """The matches, or those of the corrected clause if phrases then cover more of it."""
    weight = sum(match.weight for match in matches)
    if not matches:
        return ()
    for respelled in islice(corrections(clause, book), MAX_RESPELLED):
        better = match_clause(respelled, book)
        gain = sum(match.weight for match in better) - weight
        if len(better) == len(matches) and gain >= MIN_GAIN and keeps_values(_values(better), clause):
            return tuple(_improved(match) for match in better)
    return matches


def _values(matches: Iterable[Match]) -> list[str]:
    """The values of slots, without arguments that a phrase implies."""
    return [
        value for match in matches for _, value in match.arguments[: match.slots] if isinstance(value, str)
    ]


def _foreign(clause: str, book: PhraseBook) -> Reading | None:
    """The clause in the first other language that has it, with what it says to keep; None where none has."""
    words = fold(clause).split()
    for language in LANGUAGES:
        begins = book.other(language.code).begins
        is_infinitive = book.other(language.code).knows(words[-1]) and not book.knows(words[-1])
        is_sure = language.is_sure(clause) or not clause.isascii() or is_infinitive
        if not (is_sure or any(map(begins, words))):
            continue
        wanted, kept, is_negated = language.parted(clause)
        matches = _in_language(wanted, language, book) if wanted else ()
        if is_negated and (matches or language.is_sure(clause)):
            return Reading(matches, is_nothing=not matches)
        matches = tuple(
            match
            for place, match in enumerate(matches)
            if not place or match.arguments != matches[place - 1].arguments
        )
        if matches and kept:
            matches = tuple(_keeping(match, language.english(kept)) for match in matches)
        if matches:
            return _decided(clause, matches)
    return None


def _in_language(clause: str, language: Language, book: PhraseBook) -> tuple[Match, ...]:
    phrases = book.other(language.code)
    is_sure = language.is_sure(clause) or not clause.isascii()
    for text in dict.fromkeys(language.wordings(clause)):
        if matches := match_clause(text, phrases):
            return tuple(_in_english(match, language) for match in matches)
        if is_sure and (bag := bag_match(text, phrases)):
            return (bag,)
    return ()


def _keeping(match: Match, kept: str) -> Match:
    name = match.function.target
    arguments = tuple(
        (key, f"{value} except {kept}" if key == name else value) for key, value in match.arguments
    )
    return replace(match, arguments=arguments)


def _in_english(match: Match, language: Language) -> Match:
    names = {match.function.target, "prompt", "color"}
    arguments = (
        (name, language.english(value) if name in names and isinstance(value, str) else value)
        for name, value in match.arguments
    )
    return replace(match, arguments=tuple(arguments))


def _parted(clause: str, book: PhraseBook) -> Reading | None:
    """Both sides of "and" or a comma, each in other words: "brighten it up a touch, bump the contrast"."""
    if book.work > MAX_WORK // 2:
        return None
    for found in islice(_JOIN.finditer(clause), MAX_PARTS):
        head, rest = clause[: found.start()], clause[found.end() :]
        if len(rest.split()) < 2 or _HIDDEN.match(head):
            continue
        matches = _english(head, book) or _loosely(head, book)
        if not matches:
            continue
        reading = _read_clause(rest, book)
        if not reading.unknown and reading.matches:
            return replace(reading, matches=(*matches, *reading.matches))
    return None


def _simply_parted(clause: str, book: PhraseBook) -> tuple[Match, ...]:
    """Both sides of "and" or a comma, or the side that is no remark, where they need no correction."""
    for found in islice(_JOIN.finditer(clause), MAX_PARTS):
        head, rest = clause[: found.start()], clause[found.end() :]
        if _HIDDEN.match(head) or _VERBLESS.match(rest):
            continue
        first, second = _english(head, book), _english(rest, book)
        if len(rest.split()) < 2 and not all(_suits(match, WHOLE) for match in second):
            continue
        if first and second and not any(match.rivals for match in (*first, *second)):
            return (*first, *second)
    for rest in parted_remark(clause):
        if matches := _english(rest, book):
            return matches
    return ()


def _begun(clause: str, book: PhraseBook) -> Reading | None:
    """The first parts of "describe it and email it", where the rest is a separate request."""
    for found in reversed(list(_JOIN_AS_WRITTEN.finditer(clause))):
        rest = clause[found.end() :]
        if len(rest.split()) < 2 or _VERBLESS.match(rest) or is_colour_word(rest.split()[0].lower()):
            continue
        if matches := _english(clause[: found.start()], book):
            return Reading(matches, unknown=rest)
    return None


def _improved(match: Match) -> Match:
    """A match with misspelled colours and names of common things corrected."""
    target = match.function.target
    if target is None:
        return match
    arguments = (
        (
            name,
            corrected_things(value)
            if name == target and isinstance(value, str)
            else corrected_colour(value)
            if name == "prompt"
            else value,
        )
        for name, value in match.arguments
    )
    return replace(match, arguments=tuple(arguments))


def _with_amount(match: Match, clause: str) -> Match:
    """Convert "by 20%" to a factor around 1: brighter by 20% is 1.2, darker 0.8."""
    found = _AMOUNT.search(clause.strip(" .,!?"))
    factors = [name for name, value in match.arguments if _is_factor(match, name, value)]
    if not found or len(factors) != 1:
        return match
    share = int(found[1]) / 100
    arguments = (
        (name, round(max(1 + (share if value > 1 else -share), 0.05), 3) if name == factors[0] else value)
        for name, value in match.arguments
    )
    return replace(match, arguments=tuple(arguments))


def _is_factor(match: Match, name: str, value: object) -> bool:
    schema = match.function.parameters.get("properties", {}).get(name, {})
    return isinstance(value, float) and schema.get("default") == 1.0
