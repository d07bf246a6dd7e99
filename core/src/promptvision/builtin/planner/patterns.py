"""Compiled phrases, and an index of them by their first word."""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

from promptvision.llm.planner import PlannerFunction
from promptvision.tools.tool import Lexicon, Phrase

__all__ = [
    "IMAGE",
    "IT",
    "Pattern",
    "PhraseBook",
    "Readable",
    "fold",
    "name_image",
    "phrase_book",
    "plain",
    "quoted",
    "rules",
    "unquoted",
    "word_set",
]


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def rules(*pairs: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Compile pairs of a pattern, which ignores case, and its replacement."""
    return tuple((re.compile(pattern, re.IGNORECASE), made) for pattern, made in pairs)


IMAGE = "<image>"
"""Placeholder for every name of the current image, in sentences and in phrases."""
IT = rf"(?:{IMAGE}|it|this|that)"
"""Pattern of the current image: the placeholder or a pronoun."""

_NOUN = (
    r"(?:pictures?|photos?|photographs?|images?|pics?|results?|scene|snapshot|shot|portrait|selfie"
    r"|screenshot|foto|fotogra(?:f|ph|fie)|pho?tog?rap?h?|imgae|iamge|immage|imge|imag|pitcure|picure"
    r"|pictur|piture|photography|files?|scan|snap|jpe?g|png|webp|tiff|gif)"
)
_KIND = r"(?:last|previous|new|resulting|whole|entire|edited|same|current|original)"
_NAMED = re.compile(
    rf"\b(?:(?:the|this|that|my|your|our)\s+(?:{_KIND}\s+)*{_NOUN}|the\s+last\s+one|it)\b(?!')",
    re.IGNORECASE,
)
POINTED = re.compile(r"\b(?:this|that)\b", re.IGNORECASE)
HANDLE = re.compile(rf"(?:\b(?:the\s+)?{_NOUN}\s+)?\bimg_0*([1-9][0-9]{{0,5}})\b", re.IGNORECASE)
_NAMED_OR_POINTED = re.compile(rf"{_NAMED.pattern}|{POINTED.pattern}", re.IGNORECASE)
_MAY_NAME = re.compile(r"\b(?:it|th(?:e|is|at)|my|your|our)\b", re.IGNORECASE)
"""A part of a phrase without these words does not name the image."""
_SHORT = re.compile(r"\b(what|where|who|there|how)'s\b", re.IGNORECASE)
_SLOTS = re.compile(r"(\{\w+\}(?: \{\w+\})*)")
_CJK = re.compile(r"[\u3400-\u9fff]")
_GLUED = re.compile(r"(?<=[\u3400-\u9fff])it|it(?=[\u3400-\u9fff])")
"""Placeholder for the image in phrases of a language without spaces."""
_MAY_NAME_IMAGE = re.compile(r"(?:it|the|this|that|my|your|our)(?![a-z])")
"""A first word that may begin a name of the image."""
_IMAGE_WORDS = ("it", "this", "that", "the", "my", "your", "our")
"""The first words of names of the image."""
_IMAGE_LETTERS = frozenset("itmyoITMYO ")
"""What a name of the image may begin with, and a space."""
MAX_BOOKS = 16
QUOTE, SPACE = "\ue001", "\ue000"
"""Marks around a text that the user quoted, and between its words, so that no phrase matches inside of it."""
_NO_VERBS = word_set(
    "an the they there nobody no-one red blue green yellow orange pink white beige old new other different "
    "plain pure simple solid classic soft blurry blurred fuzzy unsharp low high higher better stronger "
    "weaker tight tighter closer deeper richer super extra enough instead maybe off out down away way if got "
    "has could needs lacks go try too picture shame backdrop tip counter 90"
)
"""First words of phrases that no request has as its verb."""
ANY_WORDS = "_"
"""The slot of words that are not an argument."""


def unquoted(text: str) -> str:
    """A text without the marks of quoted parts."""
    return text.replace(QUOTE, "").replace(SPACE, " ")


def plain(words: str) -> str:
    """Plain apostrophes, no quotation marks, single spaces, contractions written out."""
    text = words.translate({0x2019: "'", 0x2018: "'", 0x201C: None, 0x201D: None, 0x22: None})
    return _SHORT.sub(r"\1 is", re.sub(r"[^\S\n]+", " ", text)).strip()


_QUOTED = re.compile(
    r"[\"\u201c\u201d\u201e\u00ab]\s*([^\"\u201c\u201d\u201e\u00ab\u00bb\n]{1,300}?)\s*[\"\u201c\u201d\u00bb]|(?<![\w'])'([^'\n]{2,300}?)'(?![\w'])"
)


def quoted(words: str) -> str:
    """Mark the texts in quotation marks."""
    return _QUOTED.sub(lambda found: f" {QUOTE}{(found[1] or found[2]).replace(' ', SPACE)}{QUOTE} ", words)


def fold(text: str) -> str:
    """Lower case, of the same length."""
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def name_image(text: str) -> str:
    """Replace every name of the current image with the placeholder."""
    return _NAMED.sub(IMAGE, _GLUED.sub(IMAGE, text))


@dataclass(frozen=True)
class Pattern:
    """A compiled phrase: folded ``literals`` around groups of slots, one more literal than groups."""

    literals: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    weight: int


class Readable:
    """A phrase of a function; ``is_declared`` if the function lists the phrase itself.

    Args:
        function: what it requests.
        text: the phrase.
        source: what declares it, with the arguments that it implies.
        is_declared: as above.
    """

    __slots__ = ("function", "is_declared", "source", "text")

    def __init__(
        self, function: PlannerFunction, text: str, source: Phrase | Lexicon, *, is_declared: bool
    ) -> None:
        self.function, self.text, self.source, self.is_declared = function, text, source, is_declared

    @property
    def phrase(self) -> Phrase:
        """The phrase with what it implies."""
        return Phrase(self.text, self.source.fixed, self.source.whole)

    @property
    def pattern(self) -> Pattern:
        """The compiled phrase."""
        return _compiled(self.text)


@lru_cache(maxsize=32768)
def _compiled(phrase: str) -> Pattern:
    parts = _SLOTS.split(_written(phrase))
    literals = tuple(map(_literal, parts[::2]))
    groups = tuple(tuple(re.findall(r"\w+", part)) for part in parts[1::2])
    weight = sum(len(text.replace(" ", "").replace(IMAGE, "")) for text in literals)
    return Pattern(literals, groups, weight)


def _written(phrase: str) -> str:
    return phrase if phrase.isascii() and "'" not in phrase and '"' not in phrase else plain(phrase)


@lru_cache(maxsize=8192)
def _literal(part: str) -> str:
    """A part of a phrase between slots, folded, with the placeholder for the image."""
    if not part.isascii():
        return fold(POINTED.sub(IMAGE, name_image(part)))
    return _NAMED_OR_POINTED.sub(IMAGE, part).lower() if _MAY_NAME.search(part) else part.lower()


def _start(phrase: str) -> str:
    """The phrase up to its first slot, folded; far cheaper than the whole pattern."""
    if phrase.isascii() and "'" not in phrase and '"' not in phrase:
        return _literal(phrase.partition("{")[0])
    return _literal(plain(phrase).partition("{")[0])


class _Starts:
    """Phrases with the same first word, by the words before their first slot.

    The phrases are grouped by their second word as it is written; a group is prepared when first needed.
    """

    def __init__(self, phrases: Iterable[Readable] = ()) -> None:
        self._waiting: defaultdict[str, list[Readable]] = defaultdict(list)
        for readable in phrases:
            self._waiting[_second_word(readable.text)].append(readable)
        self._groups: dict[str, tuple[list[int], dict[str, list[Readable]]]] = {}

    def fitting(self, text: str) -> Iterator[Readable]:
        """The phrases that start like a folded sentence and end like it."""
        second = text.partition(" ")[2].partition(" ")[0]
        names = _IMAGE_WORDS if second.startswith(IMAGE) else ()
        for word in dict.fromkeys((second, "", *names)):
            if word not in self._waiting:
                continue
            lengths, phrases = self._group(word)
            for length in lengths:
                for readable in phrases.get(text[:length], ()) if length <= len(text) else ():
                    if text.endswith(readable.pattern.literals[-1]):
                        yield readable

    def _group(self, word: str) -> tuple[list[int], dict[str, list[Readable]]]:
        if word not in self._groups:
            phrases: defaultdict[str, list[Readable]] = defaultdict(list)
            for readable in self._waiting[word]:
                phrases[_start(readable.text)].append(readable)
            self._groups[word] = sorted({len(start) for start in phrases}), dict(phrases)
        return self._groups[word]


def _second_word(phrase: str) -> str:
    """The second word of a phrase; "" for a slot, none, or one that is not plain English."""
    second = phrase.partition(" ")[2].partition(" ")[0]
    if not phrase.isascii() or "{" in second or phrase.startswith((" ", "{")):
        return ""
    return second.lower() if "'" not in second else ""


_NONE = _Starts()


class PhraseBook:
    """The phrases of functions in one language, looked up by the first word of a sentence.

    A lexicon is expanded only for the words that are looked up.

    Args:
        functions: the functions that can be requested.
        language: ISO 639-1 code; phrases outside of lexicons are English.
        is_fallback: whether the book holds only the lexicons that are declared as fallbacks, or the rest.
    """

    def __init__(
        self, functions: Sequence[PlannerFunction], language: str = "en", *, is_fallback: bool = False
    ) -> None:
        self.functions = tuple(functions)
        self.language = language
        self.is_fallback = is_fallback
        self._makers: defaultdict[str, list[Callable[[], Iterator[Readable]]]] = defaultdict(list)
        self._made: dict[str, _Starts] = {}
        self._words: dict[str, frozenset[str]] = {}  # shared with the books of requests
        self.read: dict[tuple[str, str], Any] = {}
        """Parts of the request with their matches; the readings of a clause share most of their parts."""
        self.english: dict[str, Any] = {}
        """Clauses of the request with their matches in any wording."""
        self.clauses = 0
        """Clauses of the request that were read, with the parts they were cut into."""
        self.work = 0
        """Characters of the parts that were matched for the request."""
        self.others: dict[tuple[str, bool], PhraseBook] = {}
        """The books of other languages, and of fallbacks, for the request."""
        self.is_question = False
        """Whether the request has a question mark."""
        for function in self.functions:
            self._index(function)

    def phrases(self, text: str) -> tuple[Readable, ...]:
        """The phrases that may fit a folded sentence."""
        return (*self._starts(_first_word(text)).fitting(text), *self._starts("").fitting(text))

    def for_request(self, *, is_question: bool = False) -> PhraseBook:
        """The same phrases, with nothing read yet."""
        made = copy(self)
        made.read, made.english, made.work, made.clauses = {}, {}, 0, 0
        made.is_question, made.others = is_question, {}
        return made

    def other(self, language: str = "en", *, is_fallback: bool = False) -> PhraseBook:
        """The phrases of the same functions in another language, or the fallbacks, for the same request."""
        key = (language, is_fallback)
        if key not in self.others:
            self.others[key] = phrase_book(self.functions, language, is_fallback=is_fallback).for_request()
        return self.others[key]

    def begins(self, word: str) -> bool:
        """Whether a phrase begins with a folded word that may be a verb."""
        return word in self._makers and word not in _NO_VERBS

    @property
    def vocabulary(self) -> frozenset[str]:
        """All words of the phrases outside of their slots."""
        if "vocabulary" not in self._words:
            texts: list[str] = []
            for function in self.functions:
                texts += [phrase.text for phrase in function.phrases] if self.language == "en" else []
                for lexicon in self._lexicons(function):
                    texts += (*lexicon.frames, *lexicon.verbs, *lexicon.nouns)
            joined = re.sub(r"\{\w+\}", " ", fold("\n".join(dict.fromkeys(texts))))
            self._words["vocabulary"] = frozenset(re.findall(r"[^\W\d_]{2,}", joined))
        return self._words["vocabulary"]

    @property
    def settings(self) -> frozenset[str]:
        """The last words of the nouns of operations on the whole image: "width", "saturation"."""
        if "settings" not in self._words:
            self._words["settings"] = frozenset(
                fold(noun).rpartition(" ")[2]
                for function in self.functions
                if function.target is None
                for lexicon in self._lexicons(function)
                for noun in lexicon.nouns
                if self.language == "en" or " " not in noun  # "schwarz weiß" is a colour
            )
        return self._words["settings"]

    def _lexicons(self, function: PlannerFunction) -> Iterator[Lexicon]:
        return (
            lexicon
            for lexicon in function.lexicons
            if lexicon.language == self.language and lexicon.is_fallback == self.is_fallback
        )

    def _starts(self, word: str) -> _Starts:
        if word not in self._made:
            if word not in self._makers:
                return _NONE
            self._made[word] = _Starts(readable for make in self._makers[word] for readable in make())
        return self._made[word]

    def _index(self, function: PlannerFunction) -> None:
        if self.language == "en" and not self.is_fallback:
            for phrase in function.phrases:
                key = _key(phrase.text)
                made = Readable(function, phrase.text, phrase, is_declared=True)
                self._makers[key].append(lambda made=made: iter((made,)))  # type: ignore[misc]
        for lexicon in self._lexicons(function):
            self._index_lexicon(function, lexicon)

    def _index_lexicon(self, function: PlannerFunction, lexicon: Lexicon) -> None:
        """Note for each first word which frames and words of the lexicon make phrases that begin with it."""
        begun: defaultdict[str, list[tuple[str, str, list[str]]]] = defaultdict(list)
        for slot, words in (("{verb}", lexicon.verbs), ("{noun}", lexicon.nouns)):
            frames = [frame for frame in lexicon.frames if frame.startswith(slot)]
            by_key: defaultdict[str, list[str]] = defaultdict(list)
            for word in words if frames else ():
                by_key[_key(word)].append(word)
            for key, chosen in by_key.items():
                begun[key] += [(frame, slot, chosen) for frame in frames]
        for frame in lexicon.frames:
            if not frame.startswith(("{verb}", "{noun}")):
                begun[_key(frame)].append((frame, "", [""]))
        for key, parts in begun.items():
            self._makers[key].append(lambda parts=parts: _expanded(function, lexicon, parts))  # type: ignore[misc]


def _expanded(
    function: PlannerFunction, lexicon: Lexicon, parts: Iterable[tuple[str, str, list[str]]]
) -> Iterator[Readable]:
    for frame, slot, words in parts:
        for word in words:
            text = frame.replace(slot, word) if slot else frame
            for verb in lexicon.verbs if "{verb}" in text else ("",):
                spoken = text.replace("{verb}", verb) if verb else text
                if "{noun}" not in spoken:
                    yield Readable(function, spoken, lexicon, is_declared=False)
                    continue
                for noun in lexicon.nouns:
                    yield Readable(function, spoken.replace("{noun}", noun), lexicon, is_declared=False)


def _key(phrase: str) -> str:
    """Index key of a phrase: its first word, or "" when it starts with a slot."""
    first = phrase.partition(" ")[0]
    if first.startswith("{"):
        return ""
    if first[:1] not in _IMAGE_LETTERS and first.isascii():
        return first.partition("{")[0].lower()
    folded = fold(first)
    if _MAY_NAME_IMAGE.match(folded) is None:
        return _first_word(folded.partition("{")[0])
    return _first_word(_compiled(phrase).literals[0])


def _first_word(text: str) -> str:
    text = text.lstrip()
    if text.startswith(IMAGE):
        return IMAGE
    if _CJK.match(text):
        return text[0]
    return text.partition(" ")[0]


_books: OrderedDict[tuple[Any, ...], PhraseBook] = OrderedDict()
_lock = Lock()


def phrase_book(
    functions: Sequence[PlannerFunction], language: str = "en", *, is_fallback: bool = False
) -> PhraseBook:
    """The phrase book of these functions, cached while they are the same objects."""
    key = (language, is_fallback, *map(id, functions))
    with _lock:
        if key not in _books:  # the book holds the functions, so that ids stay theirs
            _books[key] = PhraseBook(functions, language, is_fallback=is_fallback)
        _books.move_to_end(key)
        while len(_books) > MAX_BOOKS:
            _books.popitem(last=False)
        return _books[key]
