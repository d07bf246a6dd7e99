"""Values of slots: which words of a clause they are, without articles, and whether they can be meant."""

from __future__ import annotations

import re
from functools import lru_cache

from promptvision.builtin.planner.books import PhraseBook
from promptvision.builtin.planner.clauses import AND
from promptvision.builtin.planner.patterns import IMAGE, Pattern, fold, word_set
from promptvision.tools.target_grammar import CHOICES, DARK, LIGHT, THINGS
from promptvision.tools.targets import has_exception, is_colour_word, read_target

__all__ = [
    "PRONOUNS",
    "cleaned",
    "ends_in_colour",
    "holds_request",
    "is_colour",
    "is_guessed",
    "is_look",
    "is_setting",
    "is_split",
    "is_thing",
    "read_slots",
    "says_something",
    "things",
    "with_kept",
]

_PLACE_LAST = re.compile(rf"\s+(?:in|on|from|of|inside|within) {IMAGE}$", re.IGNORECASE)
_ADVERB_LAST = re.compile(
    r"[\s,]+(?:completely|entirely|fully|totally|separately|individually|properly|carefully|nicely|altogether"
    r"|somehow|gently|slightly|quickly|well|heavily|strongly|thoroughly|cleanly|a (?:bit|little))$",
    re.IGNORECASE,
)
_DETERMINERS = re.compile(r"^(?:(?:the|a|an|this|that|these|those|my|some)\s+)+", re.IGNORECASE)
_ONLY = re.compile(r"^(?:only|just)\s+", re.IGNORECASE)
_ALL = re.compile(r"^(?:all|any)\s+(?:of\s+)?(?:the\s+|these\s+|those\s+|my\s+)?", re.IGNORECASE)
_PRONOUNS = frozenset(("it", "this", "that", "them", "these", "those", "everything", "anything", "all"))
_EVERYTHING = frozenset(("everything", "anything", "all", "the rest", "rest", "others", "everything else"))
_EVERYTHING |= frozenset(("anything else", "all the rest", "the others", "whole thing", "the whole thing"))
_VAGUE = frozenset(("better", "nicer", "worse", "forever", "else", "again", "instead", "too", "now", "then"))
_VAGUE |= frozenset(
    ("anymore", "more", "less", "enough", "good", "great", "nice", "pretty", "beautiful", "ok")
)
_VAGUE |= frozenset(("version", "copy", "variant", "image", "picture", "photo", "small enough", "big enough"))
_VAGUE |= frozenset(
    ("bark", "sing", "talk", "speak", "dance", "move", "walk", "laugh", "cry", "work", "happen")
)
_VAGUE |= frozenset(
    ("gone", "out", "off", "away", "in", "on", "over", "back", "down", "around", "there", "here", "as well")
)
_VAGUE |= frozenset(
    ("perfect", "different", "right", "possible", "me", "us", "you", "so", "well", "up", "down")
)
"""Words that do not say what a thing is to look like."""
_AMOUNT_FIRST = re.compile(
    r"(?:(?:a )?(?:little |tiny )?(?:bit|touch|tad|notch)|slightly|(?:to|on) (?:the|its) (?:left|right"
    r"|side|head)|upside|\d+\s?[:x/]\s?\d+"
    r"|(?:the |its )?(?:left|right|side)(?: (?:once|twice|side|way))?$)\b",
    re.IGNORECASE,
)
_TO_THING = re.compile(
    r"^\d+ ?(?:pixels|%|degrees)|^\d+x\d+|^\w+ly (?:around|to|on|in)\b|(?<!next )(?<!close )(?<!closest "
    r")(?<!nearest )(?<!attached )(?<!belonging )\bto (?:the|an?|my)\b(?! (?:far )?(?:left|right)\b)"
)
"""A goal, which no name of a thing holds: "the image to the face"."""
_REASON = re.compile(
    r"\b(?:so (?:that|the|it|i|we|my|nobody|no one|people)|because|since (?:i|it|we)|in order"
    r"|for (?:the|my|our|his|her|their|your|this|an?|instagram|facebook|ebay|etsy|tiktok))\b"
)
_HAS_VERB = re.compile(
    r"(?<!whatever )(?<!everything )(?<!that )(?<!which )(?<!who )(?<!what )\b(?:is|are|was|were|did"
    r"|does|should|would|be|been)\b"
)
"""A word that makes a sentence of a target, except in a relative clause."""
_ASKS = re.compile(r"\b(?:if|could|would|should|because|please|i|you)\b", re.IGNORECASE)
"""Words of a sentence around a request, in what a thing is to look like."""
_UNSEEN = frozenset(("png", "jpg", "jpeg", "webp", "tiff", "gif", "bmp", "width", "height"))
_UNSEEN |= frozenset(("rotate", "flip", "resize", "sharpen", "original", "tint", "copies"))
_UNSEEN |= frozenset(("noise", "grain", "blurriness", "artifacts", "compression", "format", "go"))
_UNSEEN |= frozenset(
    ("go", "account", "history", "subscription", "password", "browser", "cookies", "conversation")
)
_PHOTOS = frozenset(("photo", "picture", "image", "photograph", "pic", "snapshot", "selfie"))
_UNSEEN |= frozenset(
    ("resolution", "size", "dimensions", "format", "brightness", "contrast", "saturation", "exposure")
)
_UNSEEN |= frozenset(
    ("sharpness", "quality", "ratio", "version", "copy", "inverted", "mirrored", "cropped", "resized")
)
_UNSEEN |= frozenset(("colours", "colors", "gamma", "tones", "hue", "warmth"))
_UNSEEN |= frozenset(("app", "folder", "playlist", "song", "music", "alarm", "timer", "reminder", "flight"))
_UNSEEN |= frozenset(
    ("volume", "internet", "wifi", "data", "email", "emails", "messages", "memory", "weather", "news")
)
"""Things that no image shows."""
PRONOUNS = frozenset(("it", "this", "that", "them", "these", "those", "that one", "this one", "the same"))
PRONOUNS |= frozenset(("him", "her", "he", "she", "both", "both of them", "all of them"))
_ADJECTIVES = CHOICES | DARK | LIGHT
_SPEAKERS = frozenset(("me", "us", "you", "i", "myself", "yourself"))
_ASKING = word_set(
    "i you we could would should please if it'd i'd nothing nobody wonderful lovely whether want thanks"
)
"""Words of a sentence around a request, which never name a thing."""
_NO_THINGS: tuple[str, ...] = (
    "no ",
    "either ",
    "neither ",
    "i ",
    "you ",
    "we ",
    "he ",
    "she ",
    "they ",
    "it ",
    "am ",
    "is ",
)
_NO_THINGS += (
    "width ",
    "height ",
    "way to ",
    "a way ",
    "any way ",
    "ways to ",
    "need to ",
    "reason ",
    "chance ",
)
_NO_THINGS += ("me ", "us ", "out ", "off ", "changing ", "touching ", "less ", "more ")
_NO_THINGS += (
    "are ",
    "was ",
    "were ",
    "nothing",
    "how ",
    "what ",
    "why ",
    "when ",
    "who ",
    "if ",
    "because ",
)
_PART = re.compile(
    r"(?:(?:far|very|upper|lower|top|bottom|left|right|middle|central|outer)[ -]?(?:hand )?)+(?:third"
    r"|quarter|fifth|two thirds|half|part|side|edge|strip|corner|bit)s?|colou?rs [\w-]+er|two|three"
    r"|(?:the )?too .+",
    re.IGNORECASE,
)
"""A part or a property of an image, rather than a thing in it."""
_NAMED_SIGN = re.compile(
    r"(?:for (?:sale|rent|hire)|to let|no (?:entry|smoking|parking|exit|swimming)|keep out) \w", re.IGNORECASE
)
"""A thing named by the words on it."""
_PREPOSITIONS = word_set("in on to of with as at from by for into")
_FUNCTION_WORDS = word_set(
    "are is there here in on of the a an it do does you see can some any more few many much other how "
    "what about when so less bit too very enough"
)
_VERB_PHRASE = re.compile(
    r"(?!(?:all|both|one|some|half|part|not|except) )(?P<verb>\w+) (?:<image>|(?:(?:me|us|it|them|him"
    r"|her|a|an)"
    r"|(?P<thing>the|my|this|that|his|their|our))\b)"
)
_NO_END = word_set(
    "wear hold carry have get show "
    "the a an and more less anywhere somewhere located where while be is are was were for into as so "
    "from than & or to of in my that this not but with like on at by under next off up only around away "
    "look looks"
)
_NO_COLOUR = r"(?:in )?(?:black (?:and|&) white|b&w|gr[ae]y ?scale)"
_POSSESSIVE_LAST = re.compile(r"(?:'s|(?<=s)')$", re.IGNORECASE)
_SHADE = (
    r"(?:lighter|darker|brighter|deeper|softer|paler|warmer|cooler|bright|dark|light|pale|deep|very"
    r"|emerald|navy|royal|hot|neon|pastel|midnight|jet|electric|plain|solid"
    r"|pure|nice|warm|cool|soft|bold|rich|shiny|glossy|matte|metallic|baby"
    r"|lovely|beautiful|lush|fiery|muted|dusty|burnt|completely|totally"
    r"|(?:mint|lime|forest|olive|bottle|sage|moss|jade)(?= green)|(?:blood|cherry|brick)(?= red)"
    r"|(?:powder|ice"
    r"|steel)(?= blue)"
    r"|(?:lemon|mustard)(?= yellow)|chocolate(?= brown)|(?:candy|bubblegum)(?= pink)"
    r")"
)
_SHADES = word_set(
    "dark light bright pale deep very navy royal hot neon pastel plain solid pure matte glossy"
)
_SIZES = word_set(
    "old new big small large little tall short long wide young wooden plain empty front back left right top "
    "bottom first second third last other whole main same upper lower middle nearest closest tiny huge dirty "
    "clean shiny round square"
)
_ADJECTIVE_ENDS = ("er", "ed", "ful", "id", "ant", "y", "able", "ible")
_NO_LOOKS = word_set(
    "degrees o'clock percent pixels page newsletter edition invitation text words part side bits place "
    "places safer easier quicker cleaner "
    "nicer neater simpler fine best worst way thing things time once twice everything anything nothing"
)
"""Words that a thing cannot be made."""
_COLOUR_LAST = re.compile(
    r"(.+?) ((?:(?:an?|into|to) )?" rf"(?:{_SHADE}\s)*[\w-]+)",
    re.IGNORECASE | re.DOTALL,
)
_LAST_OF_TWO = (
    rf" ({_NO_COLOUR}|[\w-]+[ -](?:shaped|coloured|colored|sized)|(?:an?|into|to|look like)\s.+"
    rf"|(?:{_SHADE}\s)*\S+)"
)

_ONE_COLOUR = re.compile(rf"(?:{_SHADE}\s+)?\w+")
_TARGET_WORD = re.compile(r"[\w'-]+")
_RATIO = re.compile(r"\d:\d")
_IN_PLACE = re.compile(r"\b(?:instead of|rather than)\b")
_JOINED = re.compile(f"({AND.pattern})", re.IGNORECASE)


def read_slots(pattern: Pattern, text: str, folded: str) -> dict[str, str] | None:
    """The shortest non-empty value of each slot; None where the phrase does not match.

    If any position of a literal matches, the leftmost one does too, so this takes linear time.
    """
    first, *between = pattern.literals
    if not between:
        return {} if folded == first else None
    last = between.pop()
    start, end = len(first), len(folded) - len(last)
    if not (folded.startswith(first) and folded.endswith(last)):
        return None
    spans = []
    for literal in between:
        at = folded.find(literal, start + 1, end)
        if at < 0:
            return None
        spans.append((start, at))
        start = at + len(literal)
    values: dict[str, str] = {}
    for names, span in zip(pattern.groups, [*spans, (start, end)], strict=True):
        group = _part(text[slice(*span)], names)
        if group is None:
            return None
        values.update(group)
    return values


def _part(text: str, names: tuple[str, ...]) -> dict[str, str] | None:
    """The values of slots in a row ("make {target} {prompt}").

    Such a phrase does not mark where a value ends: the last value starts at an article, else it is the last
    word with its shade ("dark blue").
    """
    if len(names) == 2 and (value := _colour_led(text)):
        return dict(zip(names, value, strict=True))
    if len(names) == 2 and ends_in_colour(text) and (found := _COLOUR_LAST.fullmatch(text)) is not None:
        *_, last = found[1].lower().split()
        if last not in _NO_END:
            return dict(zip(names, found.groups(), strict=True))
    found = _row(len(names)).fullmatch(text)
    return dict(zip(names, found.groups(), strict=True)) if found else None


@lru_cache(maxsize=16)
def _row(count: int) -> re.Pattern[str]:
    """The values of as many slots in a row."""
    return re.compile("(.+?)" + _LAST_OF_TWO * (count - 1), re.IGNORECASE | re.DOTALL)


_row(2)  # compiled when this is imported, rather than in the first request


def is_colour(text: str) -> bool:
    """Whether a clause consists only of a colour, which means "make it ..."."""
    return _ONE_COLOUR.fullmatch(text) is not None and ends_in_colour(text)


def is_split(names: tuple[str, ...], values: dict[str, str]) -> bool:
    """Whether slots in a row were parted between an adjective and a noun: "green" and "cone"."""
    if len(names) < 2:
        return False
    before, value = fold(values[names[-2]]).split()[-1:], fold(values[names[-1]])
    is_adjective = any(is_colour_word(word) or word in _ADJECTIVES for word in before)
    return is_adjective and " " not in value and not is_colour_word(value)


def is_thing(target: str | None, book: PhraseBook) -> bool:
    """Whether a target may name objects: not a speaking person, nor a list that contains a request."""
    if target is None or fold(target) in PRONOUNS:
        return True
    if _PART.fullmatch(fold(target)):
        return False
    if _NAMED_SIGN.match(target):
        return True
    if target.lower().startswith(_NO_THINGS):
        return False
    if ":" in target or fold(target).split()[-1] in _PHOTOS:
        return False
    pieces = AND.split(fold(target))
    words = _TARGET_WORD.findall(fold(target))
    if (
        not words
        or words[0] in _PREPOSITIONS
        or not _ASKING.isdisjoint(words)
        or _FUNCTION_WORDS.issuperset(words)
        or words[-1] in _UNSEEN
        or _HAS_VERB.search(fold(target))
        or _REASON.search(fold(target))
        or _TO_THING.search(fold(target))
        or _RATIO.search(target)
    ):
        return False
    return not any(piece in _SPEAKERS or _is_request(piece, book) for piece in pieces)


def holds_request(words: str, book: PhraseBook) -> bool:
    """Whether words go on with another request: "the jar and describe the table"."""
    return any(_is_request(fold(piece), book) for piece in AND.split(words)[1:])


def _is_request(piece: str, book: PhraseBook) -> bool:
    """Whether words begin like a request: "sing me", "describe the"."""
    found = _VERB_PHRASE.match(piece)
    return found is not None and (found["thing"] is None or book.begins(found["verb"]))


def with_kept(target: str, kept: str) -> str:
    """A target with an exception; for the image itself it means everything else."""
    if not kept:
        return target
    is_whole = target == IMAGE or target.lower() in _EVERYTHING
    whole = is_whole or THINGS.fullmatch(target.lower()) is not None
    return f"{'everything' if whole else target} except {kept}"


def _colour_led(text: str) -> tuple[str, str] | None:
    """A thing and a colour with what has it, or with another colour: "the table white marble"."""
    words = text.split()
    low = fold(text).split()
    for at in range(len(words) - 1, 0, -1):
        if not is_colour_word(low[at]) or at < len(words) - 3:
            continue
        start = at
        while start > 1 and low[start - 1] in _SHADES:
            start -= 1
        rest = low[at + 1 :]
        is_pair = rest[:1] in (["and"], ["&"]) and len(rest) > 1 and is_colour_word(rest[-1])
        before = low[start - 1]
        is_noun = not (
            before in _NO_END or before in _ADJECTIVES or before in _SIZES or is_colour_word(before)
        )
        is_noun = is_noun and not before.endswith(("'s", "s'")) and IMAGE not in before and start > 1
        if is_noun and (is_pair or (rest and not set(rest) & (_NO_END | _PREPOSITIONS))):
            return " ".join(words[:start]), " ".join(words[start:])
    return None


def is_guessed(names: tuple[str, ...], values: dict[str, str]) -> bool:
    """Whether the last of several slots in a row has one word that is not a colour: "make the door wet"."""
    value = fold(values.get(names[-1], " "))
    return len(names) > 1 and " " not in value and not is_colour_word(value)


def is_setting(value: str, book: PhraseBook) -> bool:
    """Whether a word names what an operation on the whole image sets, rather than how a thing looks."""
    word = fold(value)
    return word in _NO_LOOKS or (word in book.settings and not word.endswith(_ADJECTIVE_ENDS))


@lru_cache(maxsize=4096)
def cleaned(value: str, *, is_target: bool = True) -> str:
    """A slot's value without "in the image", articles and surrounding punctuation.

    The article stays before a single colour name, where it distinguishes the object ("a rose") from the
    colour.
    """
    value = (_PLACE_LAST.sub("", value) if IMAGE in value else value).strip(" ,")
    if is_target and fold(bare := _ADVERB_LAST.sub("", value)) not in PRONOUNS:
        value = bare
    value = _POSSESSIVE_LAST.sub("", _ONLY.sub("", value)) if is_target else value
    bare = _DETERMINERS.sub("", value)
    if not is_target:
        return value if bare != value and " " not in bare and ends_in_colour(bare) else bare
    return _ALL.sub("", bare) if not has_exception(bare) and read_target(bare).is_plural else bare


def is_look(value: str, *, is_of_target: bool) -> bool:
    """Whether a value may say how something is to look; ``is_of_target`` where it is about a thing."""
    if is_of_target and _ASKS.search(value):
        return False
    return value.lower() not in _VAGUE and _AMOUNT_FIRST.match(value) is None


def says_something(value: str) -> bool:
    """Whether a value is more than a pronoun, a name of the image, or words that expect another."""
    words = value.lower().split()
    if _IN_PLACE.search(value):
        return False
    is_empty = not words or value.lower() in _PRONOUNS or words[-1] in _NO_END
    return not is_empty and IMAGE not in value


def things(value: str) -> str:
    """Several objects separated by dots: "ball and the box" names two, "black and white cat" one.

    Words after an exception belong to it.
    """
    if has_exception(value):
        return value
    first, *rest = _JOINED.split(value)
    found = [first]
    for join, thing in zip(rest[::2], rest[1::2], strict=True):
        if "," in join or _DETERMINERS.match(thing) or not ends_in_colour(found[-1]):
            found.append(thing)
        else:
            found[-1] += join + thing
    return ". ".join(cleaned(thing) for thing in found if thing)


def ends_in_colour(words: str) -> bool:
    """Whether the last word is a colour."""
    return is_colour_word(words.lower().rpartition(" ")[2])
