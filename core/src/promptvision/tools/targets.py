"""Parse target phrases: the object, its description, the selection among matches, and exceptions.

The grammar is that of English noun phrases and needs no vocabulary of objects: *determiners and counts*
(``one of the``, ``all``, ``two``),
*selection words* (``left``, ``biggest``, ``second ... from the right``), *shade* (``dark`` before a colour),
*modifiers*, a *possessor* (``the woman's``), the *head noun*, and after it places (``on the left``),
relations (``next to the box``), clauses (``that is red``) and exceptions (``except ...``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from promptvision.tools import target_grammar as grammar
from promptvision.tools.target_grammar import Relation, Shade, Side

__all__ = [
    "TargetPhrase",
    "has_exception",
    "is_colour_word",
    "is_complement",
    "kept_part",
    "plural",
    "read_target",
    "read_targets",
    "singular",
]

MAX_DEPTH = 3
"""Maximum nesting depth of exceptions and relations."""


@dataclass(frozen=True, kw_only=True)
class TargetPhrase:
    """One parsed noun phrase.

    Args:
        text: the phrase in lower case, without surrounding punctuation.
        head: the head noun, singular, or a single adjective ("red"); empty when there is none.
        is_plural: whether the head noun is plural.
        modifiers: words before the head that describe the object or its material.
        shade: dark or light, when it stands before a colour.
        possessor: owner or whole ("woman" in "the woman's hat").
        clause: words after the head that this grammar does not resolve ("in a red coat").
        count: number of objects ("two", "one of"); None when not given.
        is_all: whether the phrase has "all", "every", "each", "any" or "both".
        sides: position in the image ("upper left" gives two).
        order: position counted from a side, 1 is the first; None when not given.
        size: 1 for the largest, -1 for the smallest, 2 for the second largest and so on.
        is_superlative: whether the size compares ("biggest"), rather than describes ("big").
        relation: position relative to another object.
        exceptions: excluded objects.
        is_complement: whether it means everything except the exceptions.
        written_head: the head noun as written.
    """

    text: str
    head: str = ""
    is_plural: bool = False
    modifiers: tuple[str, ...] = ()
    shade: Shade | None = None
    possessor: str = ""
    clause: str = ""
    count: int | None = None
    is_all: bool = False
    sides: tuple[Side, ...] = ()
    order: int | None = None
    size: int | None = None
    is_superlative: bool = False
    relation: tuple[Relation, TargetPhrase] | None = None
    exceptions: tuple[TargetPhrase, ...] = ()
    is_complement: bool = False
    written_head: str = ""

    @property
    def description(self) -> str:
        """The words that describe the object, without those that choose among matches."""
        owner = f"{self.possessor}'s" if self.possessor else ""
        words = (owner, self.shade or "", *self.modifiers, self.written_head, self.clause)
        return " ".join(word for word in words if word)

    @property
    def is_singular(self) -> bool:
        """Whether exactly one object is meant: a singular noun without "every" and similar words."""
        if self.count is not None:
            return self.count == 1
        return not self.is_plural and not self.is_all

    @property
    def has_selection(self) -> bool:
        """Whether the phrase chooses among matches."""
        chosen = (self.sides, self.order, self.size, self.shade, self.relation, self.exceptions)
        return any(chosen) or self.count is not None


def read_targets(prompt: str) -> list[TargetPhrase]:
    """Split a prompt into phrases at dots, semicolons, line ends, commas and "and".

    Words after an exception belong to it: "everything except the ball and the box" is one phrase.
    """
    phrases: list[TargetPhrase] = []
    for part in re.split(r"[.;\n!?]+", _fold(prompt)):
        pieces = [part] if has_exception(part) else _pieces(part)
        phrases += [read_target(piece) for piece in pieces if re.search(r"\w", piece)]
    return list({phrase.text: phrase for phrase in phrases}.values())


def _pieces(part: str) -> list[str]:
    """The items of a list; "black and white cat" is one."""
    pieces = [""]
    for piece in re.split(rf"({grammar.LIST.pattern})", part):
        last = pieces[-1].rpartition(" ")[2]
        is_join = grammar.LIST.fullmatch(piece) is not None
        if is_join and not ("," not in piece and is_colour_word(last)):
            pieces.append("")
        else:
            pieces[-1] += piece
    return pieces


def is_complement(prompt: str) -> bool:
    """Whether a prompt means everything except the objects that it names."""
    return any(phrase.is_complement for phrase in read_targets(prompt))


def kept_part(prompt: str) -> str | None:
    """The objects that a complement excludes ("blue box" of "everything but the blue box").

    Returns:
        The excluded objects, separated by dots; None when the prompt is not a single complement.
    """
    phrases = read_targets(prompt)
    if len(phrases) != 1 or not phrases[0].is_complement or not phrases[0].exceptions:
        return None
    return ". ".join(re.sub(r"^(?:the|an?|my) ", "", one.text) for one in phrases[0].exceptions)


@lru_cache(maxsize=2048)
def read_target(phrase: str, depth: int = 0) -> TargetPhrase:
    """Parse one noun phrase; any text gives a result.

    Args:
        phrase: English words in any case.
        depth: nesting depth of the phrase.
    """
    text = _fold(phrase)
    if depth > MAX_DEPTH:
        return TargetPhrase(text=text, clause=text)
    return _with_exceptions(text, depth) or _read_relative(text, depth) or _read_simple(text, depth)


def is_colour_word(word: str) -> bool:
    """Whether a lower-case word names a colour, in CSS or in everyday English."""
    return word in grammar.CSS_COLOURS or word in grammar.COLOURS


def singular(noun: str) -> str:
    """The singular of a lower-case English noun: "boxes" gives "box", "people" is not changed."""
    if noun in grammar.PLURALS:
        return grammar.PLURALS[noun]
    if (
        noun in grammar.UNCOUNTED
        or not noun.endswith("s")
        or noun.endswith(("ss", "us", "is", "'s"))
        or len(noun) < 4
    ):
        return noun
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    return noun[:-2] if noun.endswith(("xes", "shes", "ches", "sses", "zes")) else noun[:-1]


def plural(noun: str) -> str:
    """The plural of a lower-case English noun phrase: "box" gives "boxes"."""
    rest, _, last = noun.rpartition(" ")
    irregular = {one: many for many, one in grammar.PLURALS.items()} | {"person": "people"}
    ending = "es" if last.endswith(("x", "s", "sh", "ch", "z")) else "s"
    return f"{rest} {irregular.get(last, last + ending)}".strip()


def _fold(text: str) -> str:
    """Lower case, plain apostrophes, single spaces, negations written out."""
    folded = text.lower().translate({0x2019: "'", 0x2018: "'", 0x22: None, 0x201C: None, 0x201D: None})
    folded = re.sub(r"\b(is|are|was|were|do|does)n't\b", r"\1 not", folded)
    folded = re.sub(r"\b(?:that|which|who)'s\b", "that is", re.sub(r"\bnon-(?=\w)", "not ", folded))
    return re.sub(r"\s+", " ", folded).strip(" .,:;!?")


@lru_cache(maxsize=4096)
def has_exception(text: str) -> bool:
    """Whether a lower-case text has an exception ("except", "but not", "that are not")."""
    return any(
        rule.search(text)
        for rule in (grammar.EXCEPT, grammar.BUT, grammar.COMMA_NOT, grammar.NEGATED, grammar.OUTSIDE)
    )


def _with_exceptions(text: str, depth: int) -> TargetPhrase | None:
    """A phrase with an exception: "X except Y", "everything but Y", "X that are not red"."""
    for rule in (grammar.EXCEPT, grammar.COMMA_NOT):
        if (found := rule.search(text)) and found.start() and found.end() < len(text):
            return _excepted(text, text[: found.start()], text[found.end() :], depth)
    for rule in (grammar.BUT, grammar.OUTSIDE):
        found = rule.search(text)
        if found and grammar.UNIVERSAL.fullmatch(text[: found.start()]) and found.end() < len(text):
            return _excepted(text, text[: found.start()], text[found.end() :], depth)
    if (found := grammar.NEGATED.search(text)) and found.start() and found.end() < len(text):
        base, rest = text[: found.start()], text[found.end() :]
        return _excepted(text, base, rest, depth, adjective=True)
    if (found := re.match(r"(?:(?:all|the|any|every)\s+)*not\s+([\w-]+)\s+(.+)", text)) is not None:
        return _excepted(text, found[2], f"{found[1]} {found[2]}", depth)
    return None


def _excepted(text: str, base: str, rest: str, depth: int, *, adjective: bool = False) -> TargetPhrase:
    is_universal = any(
        rule.fullmatch(base.strip()) is not None for rule in (grammar.UNIVERSAL, grammar.THINGS)
    )
    heads = TargetPhrase(text=base) if is_universal else read_target(base, depth + 1)
    exceptions = []
    for piece in filter(None, grammar.LIST.split(rest)):
        bare = re.sub(r"^(?:the\s+)?([\w-]+)(?:\s+ones?)?$", r"\1", piece)
        if not is_universal and (adjective or bare != piece or piece.startswith("the ")):
            piece = _completed(piece, bare, heads, adjective=adjective)
        exceptions.append(read_target(piece, depth + 1))
    if is_universal:
        return TargetPhrase(text=text, is_complement=True, is_all=True, exceptions=tuple(exceptions))
    return replace(heads, text=text, exceptions=(*heads.exceptions, *exceptions))


def _completed(piece: str, bare: str, heads: TargetPhrase, *, adjective: bool) -> str:
    """Add the noun to an exception without one: for balls, "the red one" and "red" become "red ball"."""
    words = bare.split()
    if len(words) != 1 or not heads.head or heads.head == words[0]:
        return piece
    noun = heads.written_head if piece.endswith("ones") or adjective else heads.head
    if words[0] in grammar.CHOICES or words[0] in grammar.DARK or words[0] in grammar.LIGHT:
        return " ".join((bare, *heads.modifiers, noun))
    return f"{bare} {noun}" if adjective or is_colour_word(words[0]) else piece


def _read_relative(text: str, depth: int) -> TargetPhrase | None:
    """Read "the ball that is red" as "red ball"; other clauses are not handled here."""
    found = grammar.RELATIVE.search(text)
    if found is None or not found.start():
        return None
    quality = text[found.end() :].split()
    is_adjective = len(quality) in (1, 2) and all(re.fullmatch(r"[\w-]+", word) for word in quality)
    if (
        not is_adjective
        or quality[0] in grammar.ARTICLES
        or not (is_colour_word(quality[-1]) or quality[-1] in grammar.SIZES)
    ):
        return None
    base = text[: found.start()]
    if grammar.UNIVERSAL.fullmatch(base):
        base = "all things"
    *before, head = base.split()
    return replace(_read_simple(" ".join([*before, *quality, head]), depth), text=text)


def _read_simple(text: str, depth: int) -> TargetPhrase:
    """Parse a phrase without exceptions: positions and relations from its end, then words from its start."""
    rest = grammar.COLOUR_OF.sub("", grammar.IN_IMAGE.sub("", text))
    rest = re.sub(r"^(?:everything|anything) ([\w-]+)$", r"all \1 things", rest)
    phrase = TargetPhrase(text=text)
    for rule, relation in grammar.RELATIONS:
        found = rule.search(rest)
        if found and not grammar.ARTICLES.issuperset(rest[: found.start()].split()) and rest[found.end() :]:
            anchor = read_target(rest[found.end() :], depth + 1)
            phrase = replace(phrase, relation=(relation, anchor))
            rest = grammar.RELATION_LEAD.sub("", rest[: found.start()])
            break
    if found := grammar.FROM.search(rest):
        phrase = replace(phrase, sides=(grammar.SIDE_WORDS[found["side"]],), order=phrase.order or 1)
        rest = rest[: found.start()] + rest[found.end() :]
    if found := grammar.PLACE.search(rest):
        phrase = replace(phrase, sides=(*phrase.sides, *_sides(found["sides"])))
        rest = rest[: found.start()] + rest[found.end() :]
    if (found := grammar.OF.match(rest)) and _is_choice(found["which"]):
        return _read_words(f"{found['which']} of".split(), found["group"], phrase)
    return _read_words([], rest, phrase)


def _sides(words: str) -> tuple[Side, ...]:
    return tuple(grammar.SIDE_WORDS[word] for word in re.findall(rf"(?:{grammar.SIDE})", words))


def _is_choice(words: str) -> bool:
    """Whether every word is a selection word: "one", "the second", "the left one", "two"."""
    return all(word in grammar.CHOICES or (word.isdecimal() and len(word) < 3) for word in words.split())


def _read_words(choice: list[str], text: str, phrase: TargetPhrase) -> TargetPhrase:
    """Parse the words before the head noun; ``choice`` holds those of "one of the"."""
    clause = grammar.CLAUSE.search(text)
    body = text[: clause.start()] if clause else text
    phrase = replace(phrase, clause=text[clause.start() :].strip() if clause else "")
    owner, _, body = _possessor(body)
    words = re.findall(r"[\w&-]+", body)
    phrase = _read_choice(phrase, choice, is_group=True)
    front, words = _front(words)
    group = _read_choice(replace(phrase, count=None), front, is_group=False)
    narrows = _narrows(choice)
    if not choice or phrase.count is None:
        count = None if narrows else group.count  # "the larger of the two balls" is one of them
        phrase = replace(group, is_all=group.is_all and not narrows, count=count)
    else:
        phrase = replace(group, count=phrase.count, is_all=False)
    if choice and phrase.count is None and not phrase.is_all and "ones" not in choice:
        phrase = replace(phrase, count=1)
    shade, words = _shade(words)
    head = words[-1] if words else ""
    if is_colour_word(head):  # "anything but blue" means all that is blue
        phrase = replace(phrase, is_all=phrase.is_all or phrase.count is None)
    is_plural = singular(head) != head or head in ("people", "ones")
    return replace(
        phrase,
        head="" if head in grammar.GENERIC else singular(head),
        is_plural=is_plural,
        modifiers=tuple(word for word in words[:-1] if word not in grammar.SOFT),
        shade=shade,
        possessor=owner,
        written_head="" if head in grammar.GENERIC else head,
    )


def _narrows(choice: list[str]) -> bool:
    return any(word not in grammar.ARTICLES and word != "of" for word in choice) and not any(
        w in grammar.ALL for w in choice
    )


def _possessor(text: str) -> tuple[str, str, str]:
    """Split "the woman's hat" into owner, separator and rest; the owner may be empty."""
    found = re.match(r"(?:(?:the|a|an|this|that|my|every|all|both)\s+)*(.+?)(?:'s|(?<=s)')\s+(.+)", text)
    if found is not None:
        return found[1], "'s", found[2]
    pronoun = re.match(r"(his|her|their|its)\s+(.+)", text)
    return (pronoun[1], "", pronoun[2]) if pronoun else ("", "", text)


def _front(words: list[str]) -> tuple[list[str], list[str]]:
    """Split words into selection words and others; the last word is always the head noun."""
    chosen: list[str] = []
    kept: list[str] = []
    for index, word in enumerate(words):
        is_head = index == len(words) - 1 and (bool(kept) or not _stands_alone(word))
        if not is_head and _chooses(word):
            chosen.append(word)
        else:
            kept.append(word)
    return chosen, kept


def _chooses(word: str) -> bool:
    return _is_choice(word) or (word in ("of", "far", "very") and word not in grammar.GENERIC)


def _stands_alone(word: str) -> bool:
    """Whether a word selects without a noun after it: "the biggest", "the second"."""
    return word in grammar.ORDINALS or word in grammar.SIZES or word in grammar.SIDE_WORDS


def _read_choice(phrase: TargetPhrase, words: list[str], *, is_group: bool) -> TargetPhrase:
    for word in words:
        if word in grammar.NUMBERS or word.isdecimal():
            phrase = replace(phrase, count=grammar.NUMBERS.get(word) or int(word))
        elif word == "pair":
            phrase = replace(phrase, count=2)
        elif word in grammar.ORDINALS:
            phrase = replace(phrase, order=grammar.ORDINALS[word])
        elif word in grammar.ALL:
            phrase = replace(phrase, is_all=True, count=2 if word == "both" else phrase.count)
        elif word in grammar.SIDE_WORDS:
            phrase = replace(phrase, sides=(*phrase.sides, grammar.SIDE_WORDS[word]))
        elif word in grammar.LARGE or word in grammar.SMALL:
            is_superlative = phrase.is_superlative or word in grammar.SUPERLATIVES
            phrase = replace(phrase, size=1 if word in grammar.LARGE else -1, is_superlative=is_superlative)
    if phrase.size is not None and phrase.order is not None and phrase.is_superlative and not phrase.sides:
        phrase = replace(phrase, size=phrase.size * abs(phrase.order), order=None)
    return phrase


def _shade(words: list[str]) -> tuple[Shade | None, list[str]]:
    """The shade of "dark blue box", and the other words; without a colour it is a normal modifier."""
    for index, word in enumerate(words[:-1]):
        is_shade = word in grammar.DARK or word in grammar.LIGHT
        if is_shade and is_colour_word(words[index + 1].removesuffix("s")):
            kept = [*words[:index], *words[index + 1 :]]
            return (Shade.DARK if word in grammar.DARK else Shade.LIGHT), kept
    return None, words
