"""Phrases as they are compiled and compared, with one placeholder for all names of the image."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

__all__ = [
    "IMAGE",
    "IT",
    "Pattern",
    "compiled",
    "ends_in",
    "first_keys",
    "first_word",
    "fold",
    "may_end_name",
    "name_image",
    "plain",
    "quoted",
    "rules",
    "start_of",
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
_SPACES = re.compile(r"[^\S\n]+")
_SLOTS = re.compile(r"(\{\w+\}(?: \{\w+\})*)")
_SLOT_NAME = re.compile(r"\w+")
_CJK = re.compile(r"[\u3400-\u9fff]")
_GLUED = re.compile(r"(?<=[\u3400-\u9fff])it|it(?=[\u3400-\u9fff])")
"""Placeholder for the image in phrases of a language without spaces."""
_MAY_NAME_IMAGE = re.compile(r"(?:it|the|this|that|my|your|our)(?![a-z])")
"""A first word that may begin a name of the image."""
_AFTER_ARTICLE = re.compile(rf"(?:{_KIND}|{_NOUN})\b")
_LONG_WORD = 24
QUOTE, SPACE = "\ue001", "\ue000"
"""Marks around a text that the user quoted, and between its words, so that no phrase matches inside of it."""
ANY_WORDS = "_"
"""The slot of words that are not an argument."""


def unquoted(text: str) -> str:
    """A text without the marks of quoted parts."""
    return text.replace(QUOTE, "").replace(SPACE, " ")


def plain(words: str) -> str:
    """Plain apostrophes, no quotation marks, single spaces, contractions written out."""
    text = words.translate({0x2019: "'", 0x2018: "'", 0x201C: None, 0x201D: None, 0x22: None})
    return _SHORT.sub(r"\1 is", _SPACES.sub(" ", text)).strip()


_QUOTED = re.compile(
    r"[\"\u201c\u201d\u201e\u00ab]\s*([^\"\u201c\u201d\u201e\u00ab\u00bb\n]{1,300}?)\s*[\"\u201c\u201d\u00bb]|(?<![\w'])'([^'\n]{2,300}?)'(?![\w'])"
)


def quoted(words: str) -> str:
    """Mark the texts in quotation marks."""
    return _QUOTED.sub(lambda found: f" {QUOTE}{(found[1] or found[2]).replace(' ', SPACE)}{QUOTE} ", words)


def fold(text: str) -> str:
    """Lower case, of the same length."""
    lower = text.lower()
    if (
        len(lower) == len(text) and "\u03a3" not in text
    ):  # in a whole text, a capital sigma becomes one of two
        return lower
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def ends_in(text: str, words: frozenset[str]) -> bool:
    """Whether the last word of a text, after a space or a comma, is one of some short words."""
    last = fold(text[-_LONG_WORD:]).replace(",", " ").split()
    return bool(last) and last[-1] in words


@lru_cache(maxsize=4096)
def name_image(text: str) -> str:
    """Replace every name of the current image with the placeholder."""
    return _NAMED.sub(IMAGE, text if text.isascii() else _GLUED.sub(IMAGE, text))


@dataclass(frozen=True)
class Pattern:
    """A compiled phrase: folded ``literals`` around groups of slots, one more literal than groups."""

    literals: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    weight: int


@lru_cache(maxsize=32768)
def compiled(phrase: str) -> Pattern:
    """A phrase as it is matched."""
    parts = _SLOTS.split(_written(phrase))
    literals = tuple(map(_literal, parts[::2]))
    groups = tuple(tuple(_SLOT_NAME.findall(part)) for part in parts[1::2])
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


def start_of(phrase: str) -> str:
    """The phrase up to its first slot, folded; far cheaper than the whole pattern."""
    if phrase.isascii() and "'" not in phrase and '"' not in phrase:
        return _literal(phrase.partition("{")[0])
    return _literal(plain(phrase).partition("{")[0])


def may_end_name(word: str) -> bool:
    """Whether a folded word may be the second one in a name of the image: "the photo", "the last one"."""
    return _AFTER_ARTICLE.match(word) is not None


def first_keys(phrases: Iterable[str]) -> list[str]:
    """Index key of each phrase: its first word, or "" where it starts with a slot."""
    return [
        first_word(compiled(phrase).literals[0])
        if (key := _key_of(phrase.partition(" ")[0])) is None
        else key
        for phrase in phrases
    ]


@lru_cache(maxsize=8192)
def _key_of(first: str) -> str | None:
    """Index key of phrases by their first word; None where it may begin a name of the image."""
    if first.startswith("{"):
        return ""
    folded = fold(first)
    return None if _MAY_NAME_IMAGE.match(folded) else first_word(folded.partition("{")[0])


def first_word(text: str) -> str:
    """The first word of a folded sentence, the placeholder of the image, or a Chinese character."""
    text = text.lstrip()
    if text.startswith(IMAGE):
        return IMAGE
    if _CJK.match(text):
        return text[0]
    return text.partition(" ")[0]
