"""The phrases of one operation, found by their first words.

A lexicon stands for many phrases: one for each of its frames with each of its words. All functions
have a hundred thousand. They are written out only for the words that sentences begin with, and only once.
"""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from operator import itemgetter
from threading import Lock
from typing import NamedTuple

from promptvision.builtin.planner.patterns import first_keys, fold, may_end_name, start_of
from promptvision.tools.tool import Lexicon, Phrase

__all__ = ["IMAGE_WORDS", "Branch", "Leaf", "PhraseTree", "Text", "phrase_tree"]

MAX_TREES = 2048
IMAGE_WORDS = ("it", "this", "that", "the", "my", "your", "our")
"""The first words of names of the image."""
_POINTERS = ("it", "this", "that")
"""Words that may name the image alone."""
_CHOICES = ("{verb}", "{noun}")
"""Where the words of a lexicon stand in its frames."""
_CHOICE_FIRST = re.compile(r"[^{]*(\{(?:verb|noun)\})")


Text = tuple[str, Phrase | Lexicon]
"""A phrase, in which words of its lexicon may still have to be chosen."""


class Leaf:
    """Phrases by the words before their first slot."""

    def __init__(self, phrases: Iterable[Text]) -> None:
        self._waiting: defaultdict[str, list[Text]] = defaultdict(list)
        for text, source in phrases:
            for known in _with_known_start(text, source):
                self._waiting[start_of(known)].append((known, source))
        self._made: dict[str, list[Text]] = {}

    @property
    def starts(self) -> Iterable[str]:
        """What the phrases begin with, folded."""
        return self._waiting.keys()

    def beginning(self, start: str) -> list[Text]:
        """The phrases that begin so, with what declares each."""
        if start not in self._made:
            self._made[start] = [
                (text, source) for known, source in self._waiting[start] for text in _spelled(known, source)
            ]
        return self._made[start]


class Branch:
    """Phrases with the same first words, by the word that comes next.

    The word "" stands for a slot, for the end of a phrase, and for a word that is not plain English.

    Args:
        phrases: what they are.
        depth: the number of their first words that are the same.
    """

    def __init__(self, phrases: Iterable[Text], depth: int) -> None:
        self._depth = depth
        self._written: defaultdict[str, list[tuple[int, Text]]] = defaultdict(list)
        self._open: list[tuple[int, Text, str, Mapping[str, list[str]]]] = []
        for place, phrase in enumerate(phrases):
            text, source = phrase
            words = text.split(" ", depth + 1)
            word = words[depth] if len(words) > depth else ""
            if "{" not in word:
                is_plain = text.isascii() and "'" not in word and not text.startswith((" ", "{"))
                key = word.lower() if is_plain else ""
                self._written[key].append((place, phrase))
            elif isinstance(source, Phrase):
                self._written[""].append((place, phrase))
            else:
                self._add_open(place, text, word, source)
        self._branches: dict[str, Branch] = {}
        self._leaves: dict[str, Leaf] = {}

    @cached_property
    def words(self) -> frozenset[str]:
        """The words that come next."""
        return frozenset(chain(self._written, *(by_word for *_, by_word in self._open)))

    def then(self, word: str) -> Branch:
        """The phrases that go on with a word, by the word after it."""
        if word not in self._branches:
            self._branches[word] = Branch(self._phrases(word), self._depth + 1)
        return self._branches[word]

    def leaf(self, word: str) -> Leaf:
        """The phrases that go on with a word."""
        if word not in self._leaves:
            self._leaves[word] = Leaf(self._phrases(word))
        return self._leaves[word]

    def naming(self, word: str) -> Iterator[Leaf]:
        """The phrases in which a word may begin a name of the image: "this", "the" in "the last photo"."""
        if word in _POINTERS:
            yield self.leaf(word)
            return
        after = self.then(word)
        yield from (after.leaf(key) for key in after.words if not key or may_end_name(key))

    def _add_open(self, place: int, text: str, word: str, lexicon: Lexicon) -> None:
        choice = next((one for one in _CHOICES if one in word), "")
        if not choice:
            self._written[""].append((place, (text, lexicon)))
        elif word == choice and text.isascii() and not text.startswith((" ", "{")):
            by_word = _by_plain_word(_words(lexicon, choice))
            self._open.append((place, (text, lexicon), choice, by_word))
        else:
            for one in _words(lexicon, choice):
                made = text.replace(choice, one)
                self._written[_plain(made, _word_at(made, self._depth))].append((place, (made, lexicon)))

    def _phrases(self, word: str) -> Iterator[Text]:
        """The phrases that go on with a word, in the order in which they are declared."""
        found = list(self._written.get(word, ()))
        for place, (text, source), choice, by_word in self._open:
            found += ((place, (text.replace(choice, one), source)) for one in by_word.get(word, ()))
        return (phrase for _, phrase in sorted(found, key=itemgetter(0)))


class PhraseTree:
    """The phrases and lexicons of an operation in one language.

    Args:
        phrases: English ones that are declared as a whole.
        lexicons: of any language.
        language: ISO 639-1 code of those that count.
        is_fallback: whether the lexicons are those that are declared as fallbacks, or the rest.
    """

    def __init__(
        self,
        phrases: Sequence[Phrase],
        lexicons: Iterable[Lexicon],
        language: str = "en",
        *,
        is_fallback: bool = False,
    ) -> None:
        self._has_english = language == "en"
        self._known = phrases if self._has_english else ()
        self._declared = () if is_fallback else self._known
        self._lexicons = [
            lexicon
            for lexicon in lexicons
            if lexicon.language == language and lexicon.is_fallback == is_fallback
        ]
        self._branches: dict[str, Branch] = {}

    @cached_property
    def beginnings(self) -> frozenset[str]:
        """The words that phrases begin with; "" for a slot."""
        return frozenset(chain(self._declared_by_word, *(by_word for *_, by_word in self._groups)))

    @cached_property
    def _declared_by_word(self) -> Mapping[str, list[Phrase]]:
        found: defaultdict[str, list[Phrase]] = defaultdict(list)
        keys = first_keys(phrase.text for phrase in self._declared)
        for key, phrase in zip(keys, self._declared, strict=True):
            found[key].append(phrase)
        return dict(found)

    @cached_property
    def _groups(self) -> list[_Group]:
        return [group for lexicon in self._lexicons for group in _groups(lexicon)]

    def branch(self, word: str) -> Branch:
        """The phrases that begin with a word."""
        if word not in self._branches:
            self._branches[word] = Branch(self._phrases(word), 1)
        return self._branches[word]

    @cached_property
    def texts(self) -> set[str]:
        """The phrases, and the frames and words of the lexicons, as they are declared."""
        texts = {phrase.text for phrase in self._known}
        for lexicon in self._lexicons:
            texts.update(lexicon.frames, lexicon.verbs, lexicon.nouns)
        return texts

    @cached_property
    def pieces(self) -> frozenset[str]:
        """What stands between spaces in the texts, folded: words, slots, and words with other characters."""
        return frozenset(fold(" ".join(self.texts)).split())

    @cached_property
    def nouns(self) -> frozenset[str]:
        """The last words of the nouns: "width", "saturation"."""
        nouns = (noun for lexicon in self._lexicons for noun in lexicon.nouns)
        return frozenset(
            fold(noun).rpartition(" ")[2]
            for noun in nouns
            if self._has_english or " " not in noun  # "schwarz weiß" is a colour
        )

    def _phrases(self, word: str) -> Iterator[Text]:
        for phrase in self._declared_by_word.get(word, ()):
            yield phrase.text, phrase
        for lexicon, choice, frames, by_word in self._groups:
            for one in by_word.get(word, ()) if not choice else ():
                yield one, lexicon
            for frame in frames:
                yield from ((frame.replace(choice, one), lexicon) for one in by_word.get(word, ()))


class _Group(NamedTuple):
    """Frames that begin with the same choice of a word, and what may be chosen, by its first word.

    Without a choice, the frames themselves by their first word.
    """

    lexicon: Lexicon
    choice: str
    frames: Sequence[str]
    by_word: Mapping[str, Sequence[str]]


def _groups(lexicon: Lexicon) -> Iterator[_Group]:
    frames = _by_choice(lexicon.frames)
    for choice in _CHOICES:
        if choice in frames:
            yield _Group(lexicon, choice, frames[choice], _by_first_word(_words(lexicon, choice)))
    yield _Group(lexicon, "", (), _by_first_word(frames[""]))


@lru_cache(maxsize=4096)
def _by_choice(frames: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """Frames by the choice that they begin with; "" for the others."""
    found: dict[str, list[str]] = {"": []}
    for frame in frames:
        found.setdefault(frame[:6] if frame.startswith(_CHOICES) else "", []).append(frame)
    return {choice: tuple(texts) for choice, texts in found.items()}


@lru_cache(maxsize=8192)
def _by_first_word(texts: tuple[str, ...]) -> Mapping[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for key, text in zip(first_keys(texts), texts, strict=True):
        found[key].append(text)
    return dict(found)


@lru_cache(maxsize=8192)
def _by_plain_word(texts: tuple[str, ...]) -> Mapping[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        found[_plain(text, text.partition(" ")[0])].append(text)
    return dict(found)


def _word_at(text: str, place: int) -> str:
    words = text.split(" ", place + 1)
    return words[place] if len(words) > place else ""


def _plain(text: str, word: str) -> str:
    """A word of a phrase in lower case; "" for a slot, and for a word that is not plain English."""
    if not text.isascii() or "{" in word or "'" in word or text.startswith((" ", "{")):
        return ""
    return word.lower()


def _words(lexicon: Lexicon, choice: str) -> tuple[str, ...]:
    """The words of a lexicon for "{verb}" or "{noun}"."""
    return lexicon.verbs if choice == "{verb}" else lexicon.nouns


def _with_known_start(text: str, source: Phrase | Lexicon) -> Iterable[str]:
    """The phrase with each of the words that may stand before its first other slot."""
    if isinstance(source, Phrase) or not _CHOICE_FIRST.match(text):
        return (text,)
    texts = [text]
    for _ in _CHOICES:
        texts = [made for one in texts for made in _with_first_choice(one, source)]
    return texts


def _with_first_choice(text: str, lexicon: Lexicon) -> Iterable[str]:
    found = _CHOICE_FIRST.match(text)
    return (text.replace(found[1], word) for word in _words(lexicon, found[1])) if found else (text,)


def _spelled(text: str, source: Phrase | Lexicon) -> Iterable[str]:
    """The phrase with each of the words that are open in it."""
    texts: Iterable[str] = (text,)
    if isinstance(source, Phrase):
        return texts
    for choice in _CHOICES:
        if choice in text:
            texts = [one.replace(choice, word) for one in texts for word in _words(source, choice)]
    return texts


_trees: OrderedDict[tuple[object, ...], tuple[PhraseTree, object]] = OrderedDict()
_lock = Lock()


def phrase_tree(
    phrases: Sequence[Phrase], lexicons: Sequence[Lexicon], language: str, *, is_fallback: bool
) -> PhraseTree:
    """The tree of these phrases and lexicons, cached while they are the same objects."""
    key = (language, is_fallback, *map(id, phrases), 0, *map(id, lexicons))
    with _lock:
        if key not in _trees:  # what has the ids is held, so that they stay its own
            tree = PhraseTree(phrases, lexicons, language, is_fallback=is_fallback)
            _trees[key] = tree, (phrases, lexicons)
        _trees.move_to_end(key)
        while len(_trees) > MAX_TREES:
            _trees.popitem(last=False)
        return _trees[key][0]
