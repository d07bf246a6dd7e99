"""Correct misspelled words of phrases by edit distance."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations, islice, product, takewhile

from promptvision.builtin.planner.books import PhraseBook
from promptvision.builtin.planner.patterns import fold, word_set

__all__ = ["corrected_colour", "corrected_things", "corrections", "keeps_values", "load", "near_words"]

MAX_WORDS = 4
"""Words of one clause that may be misspelled."""
MAX_CORRECTIONS = 48
MAX_NEAR = 3
_MIN_LETTERS = 3
_MIN_THING = 5
_VOWELS = set("aeiou")
_WORD = re.compile(r"[^\W\d_]+")


_GRAMMAR = word_set(
    "a an the this that these those my your it its is are was do does did can could would will you i me "
    "we in on "
    "at to of for from with without by into and or but not no yes please thanks then now after before "
    "first next "
    "our his her hers their theirs them him us has have had been being am let's "
    "didn doesn isn aren wasn weren couldn wouldn shouldn hasn haven won don "
    "what where who how many much which there here all every each any both some only just except "
    "instead image "
    "picture photo photograph people person result left right top bottom middle look like",
)
_OTHER_WORDS = word_set(
    "bake cake take wake fake mail send sing song play tell sell call ball fall wall hall tall book "
    "look cook hook "
    "buy pay say day way may bye bring drink eat walk talk run sit stand sleep speak spell smell feel "
    "feed need seed "
    "write wrote site bite kite quite white while whole hole role rule roll mask task desk dish wish "
    "fish fist list "
    "lost cost coast toast post past paste taste waste haste hat cat bat rat mat fat sat eat tea sea "
    "pea peach beach "
    "back pack pick kick lick sick golf gold cold bold hold fold told food good wood mood moon soon "
    "noon room broom "
    "boat coat goat float blow flow slow snow show shop ship chip chin thin think thank bank tank rank "
    "plank plan "
    "plane plant play place plate late gate date rate hate fate mate male mile smile file fine line "
    "nine mine wine "
    "mind kind find fund bind wind window winter water waiter letter better butter matter order other "
    "mother brother "
    "father feather leather weather rather either tree three free fee bee see bed bad bag big bug bus "
    "but cut nut hut "
    "put pot hot dog fog log leg egg beg lag flag flat flip slip sleep sheep sheet shoot short shirt "
    "skirt sport spot "
    "stop step stem star start smart art car bar far war card yard hard hair chair pair fair far stairs "
    "bear wear tear "
    "dear near hear heart earth month mouth south north house mouse horse nurse purse cover lover over "
    "river never "
    "fever lever clever paper tiger finger singer ginger danger corner worker copper supper pepper "
    "slipper ladder "
    "love live life wife knife leaf deaf reef beef chief field shield child wild world word work worm "
    "form farm arm "
    "army ruin rain train brain grain chain main pain paint point joint coin join tune tone bone phone "
    "stone store "
    "story glory sorry worry hurry curry carry marry merry berry cherry ferry fairy diary dairy daily "
    "email print "
    "drive dive give gave cave save wave brave grave grape shape shave share square scare care dare "
    "rare are area "
    "idea open close dose nose rose pose hose lose loose goose choose cheese these those clean lean "
    "bean mean learn "
    "help hello keep sheep cheap cheat heat meat seat beat boot root foot fool cool pool tool school "
    "wool hood "
    "wearing them sitting standing walking holding running looking smiling dancing eating drinking "
    "playing riding "
    "were where there their here when then than were was "
    "tilted crooked slanted titled filter "
    "bride groom plants plant boats goats coats towel tower towels towers pond cliff cross crown medal "
    "pearl stain "
    "crumbs badge ridge badger lodge barrel carrot parrot button mitten kitten smoke spoke stork shark "
    "sharks stalk "
    "thread treads throat trees crane crate cradle plaque planet blanks bricks brick crack track trick "
    "trunk truck "
    "drink drunk dress press cress grill drill thrill swan swans swing string spring strings springs "
    "wing wings "
    "biggest smallest largest tallest brightest darkest oldest youngest nearest closest "
    "add adds order upload download delete email share post pizza joke poem music money light lights radio "
    "travel flight",
)
"""Common words that resemble a word of a phrase and are not corrected."""
_COLOURS = word_set(
    "red green blue yellow orange purple pink brown black white grey gray golden silver turquoise "
    "violet beige "
    "cyan magenta maroon navy teal crimson lavender",
)


_THINGS = word_set(
    "background foreground person people woman women child children baby face faces "
    "hair eyes glasses sunglasses "
    "shirt jacket trousers pants dress shoes scarf umbrella bottle glass coffee "
    "plate spoon knife table chair "
    "couch sofa window door house building street bridge fence garden flower flowers "
    "grass leaves forest mountain "
    "beach ocean river water clouds cloud sunset horse sheep elephant giraffe zebra "
    "rabbit squirrel butterfly "
    "bicycle motorcycle motorbike airplane helicopter truck train license number "
    "plates logo watermark caption "
    "sticker poster banner graffiti keyboard laptop computer monitor television "
    "camera mobile phone telephone "
    "backpack handbag suitcase basket balloon candle lamp lantern mirror picture "
    "painting pillow blanket curtain "
    "carpet kitchen bathroom bedroom necklace earring bracelet watch collar "
    "astronaut rocket shadow reflection "
    "helmet bandana guitar piano violin statue fountain banana orange apple "
    "strawberry sandwich pizza cake bread "
    "cheese teapot kettle traffic light signal parking bench wheel tire engine roof "
    "chimney stairs ladder wires "
    "cables power skyline tourist tourists player driver policeman teacher student "
    "doctor nurse crowd middle corner",
)
"""Names of things that photographs often show."""


def load() -> None:
    """Import the library for edit distances, which takes longer than a request may."""
    import rapidfuzz.distance
    import rapidfuzz.fuzz
    import rapidfuzz.process  # noqa: F401


def corrected_things(value: str) -> str:
    """Correct the misspelled names of common things in a target."""
    return _WORD.sub(lambda found: _corrected_thing(found[0]), value)


def _corrected_thing(word: str) -> str:
    folded = fold(word)
    stems = {
        folded,
        folded.removesuffix("s"),
        folded.removesuffix("es"),
        folded.removesuffix("'s"),
        folded + "s",
    }
    if len(word) < _MIN_THING or stems & (_THINGS | _GRAMMAR | _OTHER_WORDS | _COLOURS):
        return word
    near = near_words(folded, _THINGS)
    if len(near) != 1 or (len(word) <= _MIN_THING and sorted(near[0]) != sorted(folded)):
        return word  # "bride" is not a misspelling of "bridge"
    return near[0]


def corrections(clause: str, book: PhraseBook) -> Iterator[str]:
    """The clause with corrected words, fewest corrections first."""
    known = _with_grammar(book.vocabulary)
    spans = [
        (found.span(), near)
        for found in _WORD.finditer(clause)
        if len(found[0]) >= _MIN_LETTERS and (near := near_words(fold(found[0]), known, is_bold=True))
    ]
    return islice(_combined(clause, spans), MAX_CORRECTIONS) if len(spans) <= MAX_WORDS else iter(())


@lru_cache(maxsize=64)
def _with_grammar(vocabulary: frozenset[str]) -> frozenset[str]:
    return vocabulary | _GRAMMAR | _COLOURS


def keeps_values(values: Iterable[str], clause: str) -> bool:
    """Whether the values of a corrected clause are words of the original clause, function words or colours.

    Only the words of phrases are corrected; targets stay as written.
    """
    written = {*map(fold, _WORD.findall(clause)), *_GRAMMAR, *_COLOURS, "except", "everything", *_THINGS}
    return all(fold(word) in written for value in values for word in _WORD.findall(value))


def _combined(clause: str, spans: list[tuple[tuple[int, int], tuple[str, ...]]]) -> Iterator[str]:
    for count in range(1, len(spans) + 1):
        for chosen in combinations(spans, count):
            for words in product(*(near for _, near in chosen)):
                text = clause
                for ((start, end), _), word in reversed(list(zip(chosen, words, strict=True))):
                    text = text[:start] + word + text[end:]
                yield text


@lru_cache(maxsize=4096)
def near_words(word: str, known: frozenset[str], *, is_bold: bool = False) -> tuple[str, ...]:
    """Known words within one or two typing errors of an unknown word, nearest first."""
    if word in known or word in _OTHER_WORDS or word in _THINGS or word.removesuffix("s") in _THINGS:
        return ()
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    limit = 1 if len(word) < (6 if is_bold else 8) else 2
    starts = set(word[:2])  # a typist rarely misses the first key, and may swap it with the second
    if word[0] in _VOWELS:
        starts |= _VOWELS
    by_letter = _by_letter(known)
    lengths = range(max(len(word) - limit, _MIN_LETTERS), len(word) + limit + 1)
    options = [one for first in starts for one in by_letter.get(first, ()) if len(one) in lengths]
    found = extract(word, options, scorer=OSA.distance, score_cutoff=limit, limit=None)
    best = found[0][1] if found else 0
    nearest = [one for one, distance, _ in found if distance == best]
    return tuple(sorted(nearest, key=lambda one: (-_shared(word, one), one))[:MAX_NEAR])


@lru_cache(maxsize=64)
def _by_letter(words: frozenset[str]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        found[word[:1]].append(word)
    return dict(found)


def _shared(word: str, other: str) -> int:
    """How many letters two words begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, other, strict=False)))


def corrected_colour(value: str) -> str:
    """Correct a misspelled colour that is the whole value or its last word."""
    first, _, last = value.rpartition(" ")
    if len(last) < 4 or last.lower() in _COLOURS or " " in first:
        return value
    from rapidfuzz.distance import JaroWinkler

    near = near_words(last.lower(), _COLOURS)
    colour = max(near, key=lambda one: JaroWinkler.similarity(one, last.lower()), default="")
    return f"{first} {colour}".strip() if colour else value
