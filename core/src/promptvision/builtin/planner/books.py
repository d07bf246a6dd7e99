"""Phrases of several functions, looked up by the words that a sentence begins with."""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from threading import Lock
from typing import Any

from promptvision.builtin.planner.patterns import IMAGE, compiled, first_word, fold, word_set
from promptvision.builtin.planner.trees import IMAGE_WORDS, Branch, Leaf, phrase_tree
from promptvision.llm.planner import PlannerFunction
from promptvision.tools.tool import Lexicon, Phrase

__all__ = ["Effort", "PhraseBook", "Readable", "phrase_book"]

MAX_BOOKS = 64
_SLOT = re.compile(r"\{\w+\}")
_WORD = re.compile(r"[^\W\d_]{2,}")
_UNWRITTEN = ("", IMAGE)
"""Beginnings that are not written so in phrases: a slot, and the names of the image."""
_NO_VERBS = word_set(
    "an the they there nobody no-one red blue green yellow orange pink white beige old new other different "
    "plain pure simple solid classic soft blurry blurred fuzzy unsharp low high higher better stronger "
    "weaker tight tighter closer deeper richer super extra enough instead maybe off out down away way if got "
    "has could needs lacks go try too picture shame backdrop tip counter 90"
)
"""First words of phrases that no request has as its verb."""


class Readable:
    """A phrase of a function.

    Args:
        function: what it requests.
        text: the phrase.
        source: what declares it, with the arguments that it implies.
    """

    __slots__ = ("function", "pattern", "source", "text")

    def __init__(self, function: PlannerFunction, text: str, source: Phrase | Lexicon) -> None:
        self.function, self.text, self.source = function, text, source
        self.pattern = compiled(text)

    @property
    def is_declared(self) -> bool:
        """Whether the function lists the phrase itself, rather than the words of a lexicon."""
        return isinstance(self.source, Phrase)


class _Starts:
    """Phrases of several functions by the words before their first slot."""

    def __init__(self, leaves: Iterable[tuple[PlannerFunction, Leaf]]) -> None:
        self._leaves: defaultdict[str, list[tuple[PlannerFunction, Leaf]]] = defaultdict(list)
        for function, leaf in leaves:
            for start in leaf.starts:
                self._leaves[start].append((function, leaf))
        self._lengths = sorted({len(start) for start in self._leaves})
        self._made: dict[str, list[Readable]] = {}

    def fitting(self, text: str) -> Iterator[Readable]:
        """The phrases that start like a folded sentence and end like it, the shortest start first."""
        for length in self._lengths:
            if length > len(text):
                return
            start = text[:length]
            if start in self._leaves:
                for readable in self._beginning(start):
                    if text.endswith(readable.pattern.literals[-1]):
                        yield readable

    def _beginning(self, start: str) -> list[Readable]:
        if start not in self._made:
            self._made[start] = [
                Readable(function, text, source)
                for function, leaf in self._leaves[start]
                for text, source in leaf.beginning(start)
            ]
        return self._made[start]


_OfFunction = tuple[PlannerFunction, Branch]


class _Second:
    """Phrases of several functions with the same first two words, by the third."""

    def __init__(self, branches: Iterable[_OfFunction]) -> None:
        self._branches = tuple(branches)
        self._words = frozenset(chain.from_iterable(branch.words for _, branch in self._branches))
        self._found: dict[str, _Starts] = {}

    def fitting(self, text: str, third: str) -> Iterator[Readable]:
        """The phrases that start and end like a folded sentence with this third word."""
        names = IMAGE_WORDS if third.startswith(IMAGE) else ()
        key = IMAGE if names else third if third in self._words else ""
        if key not in self._found:
            words = [word for word in dict.fromkeys((key, "", *names)) if word in self._words]
            leaves = (
                (function, branch.leaf(word))
                for function, branch in self._branches
                for word in words
                if word in branch.words
            )
            self._found[key] = _Starts(leaves)
        return self._found[key].fitting(text)


class _Beginning:
    """Phrases of several functions with the same first word, by the second."""

    def __init__(self, branches: Sequence[_OfFunction]) -> None:
        self._branches = branches
        self._words = frozenset(chain.from_iterable(branch.words for _, branch in branches)) - {""}
        self._rest = _Starts(
            (function, branch.leaf("")) for function, branch in branches if "" in branch.words
        )
        self._seconds: dict[str, _Second] = {}
        self._named: dict[str, _Starts] = {}

    def fitting(self, text: str) -> Iterator[Readable]:
        """The phrases that start and end like a folded sentence."""
        _, second, third, *_ = (*text.split(" ", 3), "", "")
        if second in self._words:
            yield from self._second(second).fitting(text, third)
        yield from self._rest.fitting(text)
        if not second.startswith(IMAGE):
            return
        for name in IMAGE_WORDS:
            if name in self._words and name == "it":
                yield from self._second(name).fitting(text, third)
            elif name in self._words:
                yield from self._naming(name).fitting(text)

    def _second(self, word: str) -> _Second:
        if word not in self._seconds:
            self._seconds[word] = _Second(
                (function, branch.then(word)) for function, branch in self._branches if word in branch.words
            )
        return self._seconds[word]

    def _naming(self, word: str) -> _Starts:
        if word not in self._named:
            self._named[word] = _Starts(
                (function, leaf)
                for function, branch in self._branches
                if word in branch.words
                for leaf in branch.naming(word)
            )
        return self._named[word]


class _Index:
    """What does not depend on the request: the phrases of functions in one language, and their words."""

    def __init__(self, functions: Sequence[PlannerFunction], language: str, *, is_fallback: bool) -> None:
        self._trees = [
            (one, phrase_tree(one.phrases, one.lexicons, language, is_fallback=is_fallback))
            for one in functions
        ]
        self._found: dict[str, _Beginning] = {}

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        pieces = frozenset().union(*(tree.pieces for _, tree in self._trees))
        words = frozenset(piece for piece in pieces if piece.isalpha() and len(piece) > 1)
        return words.union(_WORD.findall(_SLOT.sub(" ", " ".join(pieces - words))))

    @cached_property
    def settings(self) -> frozenset[str]:
        return frozenset().union(*(tree.nouns for one, tree in self._trees if one.target is None))

    def begins(self, word: str) -> bool:
        return self._may_have(f"\n{word}", word, "_beginnings") and word in self._beginnings

    def knows(self, word: str) -> bool:
        return self._may_have(word, word, "vocabulary") and word in self.vocabulary

    def _may_have(self, written: str, word: str, name: str) -> bool:
        """Whether it is worth while to make the words of that name, unless that was done."""
        return name in self.__dict__ or word in _UNWRITTEN or written in self._text

    def fitting(self, text: str) -> Iterator[Readable]:
        for word in (first_word(text), ""):
            if self.begins(word):
                yield from self._beginning(word).fitting(text)

    def _beginning(self, word: str) -> _Beginning:
        if word not in self._found:
            self._found[word] = _Beginning(
                [(one, tree.branch(word)) for one, tree in self._trees if word in tree.beginnings]
            )
        return self._found[word]

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        return frozenset(chain.from_iterable(tree.beginnings for _, tree in self._trees))

    @cached_property
    def _text(self) -> str:
        """All phrases as they are declared; a word that is not in it is not looked up in what they make."""
        return fold("\n" + "\n".join(chain.from_iterable(tree.texts for _, tree in self._trees)))


@dataclass
class Effort:
    """What a request has taken so far, in the books of all languages together.

    Args:
        work: characters of the parts that were matched, each part with a cost of its own.
        read: characters of the wordings that were tried.
        bags: clauses whose words were compared in any order.
    """

    work: int = 0
    read: int = 0
    bags: int = 0


class PhraseBook:
    """The phrases of functions in one language, looked up by the first words of a sentence.

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
        self._index = _Index(self.functions, language, is_fallback=is_fallback)
        self.read: dict[tuple[str, str], Any] = {}
        """Parts of the request with their matches; the readings of a clause share most of their parts."""
        self.english: dict[str, Any] = {}
        """Clauses of the request with their matches in any wording."""
        self.clauses = 0
        """Clauses of the request that were read, with the parts they were cut into."""
        self.work = 0
        """Characters of the parts that were matched for the request."""
        self.effort = Effort()
        self.others: dict[tuple[str, bool], PhraseBook] = {}
        """The books of other languages, and of fallbacks, for the request."""
        self.is_question = False
        """Whether the request has a question mark."""

    def phrases(self, text: str) -> tuple[Readable, ...]:
        """The phrases that may fit a folded sentence."""
        return tuple(self._index.fitting(text))

    def for_request(self, *, is_question: bool = False, effort: Effort | None = None) -> PhraseBook:
        """The same phrases, with nothing read yet; ``effort`` is that of the request's other books."""
        made = copy(self)
        made.effort = effort or Effort()
        made.read, made.english, made.work, made.clauses = {}, {}, 0, 0
        made.is_question, made.others = is_question, {}
        return made

    def other(self, language: str = "en", *, is_fallback: bool = False) -> PhraseBook:
        """The phrases of the same functions in another language, or the fallbacks, for the same request."""
        key = (language, is_fallback)
        if key not in self.others:
            book = phrase_book(self.functions, language, is_fallback=is_fallback)
            self.others[key] = book.for_request(effort=self.effort)
        return self.others[key]

    def begins(self, word: str) -> bool:
        """Whether a phrase begins with a folded word that may be a verb."""
        return word not in _NO_VERBS and self._index.begins(word)

    def knows(self, word: str) -> bool:
        """Whether a folded word stands in a phrase, outside of its slots."""
        return self._index.knows(word)

    @property
    def vocabulary(self) -> frozenset[str]:
        """All words of the phrases outside of their slots."""
        return self._index.vocabulary

    @property
    def settings(self) -> frozenset[str]:
        """The last words of the nouns of operations on the whole image: "width", "saturation"."""
        return self._index.settings


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
