"""Numbers in figures and in words of English, German, French and Spanish."""

from __future__ import annotations

import re
from collections.abc import Iterator

from promptvision.tools.target_grammar import NUMBERS

__all__ = ["FRACTION", "MULTIPLE", "NUMBER", "is_signed", "number"]

LIMIT = 1_000_000
"""Larger numbers are not read."""
_PLACES = 6
"""Decimal places that are kept."""
_SIGN = r"(?:^\s*[+\-\u2212\u2013]\s?|(?<![\w.,])[+\-\u2212\u2013]|\b(?:minus|moins|menos|plus|m\u00e1s)\s+)"
_SIGN_WORD = re.compile(r"\W*(?:(?P<minus>minus|moins|menos)|plus|m\u00e1s)\b")
_FIGURE = re.compile(rf"(?P<sign>{_SIGN})?(?P<figure>\d+(?:[.,]\d+)?)(?P<part>[\u00bd\u00bc\u00be])?")
_MINUS = re.compile(r"\s*(?:[-\u2212\u2013]|minus|moins|menos)")
_SIGNS = {"\u00bd": 0.5, "\u00bc": 0.25, "\u00be": 0.75}
_DIVIDED = re.compile(r"(?<![\d/.,])(?:(?P<whole>\d) )?(?P<over>[1-9])/(?P<under>[2-9]|10)(?![\d/])")


def _words(text: str, first: int = 0, step: int = 1) -> dict[str, int]:
    """Words to their values; alternatives are separated by bars."""
    named = enumerate(text.split())
    return {word: first + place * step for place, words in named for word in words.split("|")}


VALUES = {
    **NUMBERS,
    **_words("zero|nought|null|z\u00e9ro|cero eins deux|zwei|zwo|dos trois|drei|tres quatre|vier|cuatro"),
    **_words("cinq|f\u00fcnf|fuenf|cinco six|sechs|seis sept|sieben|siete huit|acht|ocho neuf|neun|nueve", 5),
    **_words("dix|zehn|diez eleven|onze|elf twelve|douze|zw\u00f6lf|doce thirteen|treize|dreizehn|trece", 10),
    **_words("fourteen|quatorze|vierzehn|catorce fifteen|quinze|f\u00fcnfzehn|quince", 14),
    **_words("sixteen|seize|sechzehn seventeen|siebzehn eighteen|achtzehn nineteen|neunzehn", 16),
    **_words("twenty|vingt|vingts|zwanzig|veinte thirty|trente|drei\u00dfig|dreissig|treinta", 20, 10),
    **_words("forty|fourty|quarante|vierzig|cuarenta fifty|cinquante|f\u00fcnfzig|cincuenta", 40, 10),
    **_words("sixty|soixante|sechzig|sesenta seventy|siebzig|setenta eighty|achtzig|ochenta", 60, 10),
    **_words("ninety|neunzig|noventa", 90),
    "dozen": 12,
    "doscientos": 200,
    "trescientos": 300,
    "quinientos": 500,
}
_HUNDRED = frozenset(("hundred", "cent", "cents", "hundert", "cien", "ciento"))
_THOUSAND = frozenset(("thousand", "mille", "tausend", "mil"))
NUMBER = rf"(?:\d+(?:[.,]\d+)?|\b(?:{'|'.join(sorted(VALUES, key=len, reverse=True))})\b)"
"""Pattern of a number in figures or in one word."""
_COMPOUNDS = (
    (re.compile(r"\bquatre[ -]vingts?"), "eighty"),
    (re.compile(r"\bveinti(?=\w)"), "veinte "),
    (re.compile(r"(?:\bein)?(hundert|tausend)(?:und)?"), r" \1 "),
    (re.compile(r"(?<=\w)und(?=\w*(?:zig|\u00dfig|ssig)\b)"), " "),
    (re.compile(r"(?<=\w\w)(?:fold|mal|fach\w*)\b"), " "),
)
"""Words that consist of several numbers, and those that end in "times"."""
_SHARE = re.compile(r"\bper ?cent\b|\bpour ?cents?\b|\bpor ?ciento\b")
_POINT = re.compile(r"\b(?:point|komma|virgule|coma|punto)\b")
_AND_PART = (
    (re.compile(r"\band a half\b|\by medi[ao]\b|\bet demie?\b|(?<=\w)einhalb"), 0.5),
    (re.compile(r"\band a quarter\b|\by cuarto\b|\bet quart\b"), 0.25),
    (re.compile(r"\band three quarters\b"), 0.75),
)
_HALF = r"\bhal(?:f|ve[ds]?)\b|\bmitad\b|\bmedi[ao]\b|\bmoiti\u00e9\b|\bdemie?\b|\bh\u00e4lfte\b|\bhalb\w*"
_FRACTIONS = (
    (re.compile(r"\btwo[ -]thirds?\b|\bdeux tiers\b|\bdos tercios\b|\bzwei ?drittel\b"), 2 / 3),
    (re.compile(r"\bthree[ -]quarters?\b|\btrois quarts\b|\btres cuartos\b|\bdrei ?viertel\w*|\u00be"), 0.75),
    (re.compile(r"\b(?:two|three|four)[ -](?:fifths?|tenths?|eighths?)\b"), 0.0),
    (re.compile(rf"{_HALF}|\u00bd"), 0.5),
    (re.compile(r"\bthirds?\b|\btercios?\b|\btiers\b|\bdrittel\w*|\u2153"), 1 / 3),
    (re.compile(r"\bquarter(?:s|ed)?\b|\bcuartos?\b|\bquarts?\b|\bviertel\w*|\u00bc"), 0.25),
    (re.compile(r"\bfifths?\b|\bcinqui\u00e8me\b|\bquinto\b|\bf\u00fcnftel\b"), 0.2),
    (re.compile(r"\beighths?\b|\bhuiti\u00e8me\b|\bachtel\b"), 0.125),
    (re.compile(r"\btenths?\b|\bdixi\u00e8me\b|\bd\u00e9cimo\b|\bzehntel\b"), 0.1),
)
FRACTION = re.compile("|".join(rule.pattern for rule, _ in _FRACTIONS) + r"|(?<![\d/.,])\d/\d{1,2}(?![\d/])")
"""A part of a whole: "half", "a third", "3/4"."""
_MULTIPLES = (
    (re.compile(r"\b(?:double[ds]?|doubling|twice|doppelt\w*|doble|duplica\w*|verdoppel\w*)\b"), 2.0),
    (re.compile(r"\b(?:triple[ds]?|thrice|treble|dreifach\w*|verdreifach\w*)\b"), 3.0),
    (re.compile(r"\b(?:quadrupl\w*|vierfach\w*|vervierfach\w*)\b"), 4.0),
)
MULTIPLE = re.compile("|".join(rule.pattern for rule, _ in _MULTIPLES))
"""A word for several times as much: "double", "twice"."""


def is_signed(words: str) -> bool:
    """Whether the number that words hold has a sign: "-20 %", "plus ten"."""
    text = words.lower()
    found = _FIGURE.search(text)
    return _SIGN_WORD.match(text) is not None if found is None else found["sign"] is not None


def number(words: str) -> float | None:
    """The number that words hold: "1,5", "twenty five", "a third", "two and a half times".

    Returns:
        The number, rounded to six decimal places; None for words without a number and for a million and more.
    """
    text = words.lower()
    found = _divided(text)
    if found is None:
        found = _in_figures(text)
    if found is None:
        found = _in_words(text)
        if found is not None and (sign := _SIGN_WORD.match(text)) and sign["minus"]:
            found = -found
    return None if found is None or abs(found) >= LIMIT else round(found, _PLACES)


def _divided(text: str) -> float | None:
    found = _DIVIDED.search(text)
    if found is None or int(found["over"]) >= int(found["under"]):
        return None
    return int(found["whole"] or 0) + int(found["over"]) / int(found["under"])


def _in_figures(text: str) -> float | None:
    found = _FIGURE.search(text)
    if found is None:
        return None
    value = float(found["figure"].replace(",", ".")) + _SIGNS.get(found["part"] or "", 0)
    value += next((part for rule, part in _AND_PART if rule.search(text, found.end())), 0)
    return -value if _MINUS.match(found["sign"] or "") else value


def _in_words(text: str) -> float | None:
    for rule, part in _AND_PART:
        if found := rule.search(text):
            before = _sum(text[: found.start()])
            return part + (1 if before is None else before)
    if re.search(r"\banderthalb|\beineinhalb", text):
        return 1.5
    for rule, value in (*_MULTIPLES, *_FRACTIONS):
        if found := rule.search(text):
            return value or _several_parts(found[0])
    whole, *decimals = _POINT.split(text, maxsplit=1)
    total = _sum(whole)
    if not decimals or total is None:
        return total
    digits = "".join(str(VALUES[word]) for word in re.findall(r"[^\W\d_]+", decimals[0]) if word in VALUES)
    return float(f"{total}.{digits or 0}")


def _several_parts(words: str) -> float:
    """The value of "two fifths"."""
    count, name = re.split(r"[ -]", words, maxsplit=1)
    return VALUES[count] * next(value for rule, value in _FRACTIONS if value and rule.search(name))


def _sum(text: str) -> int | None:
    """The value of number words: "two hundred and seventy", "f\u00fcnfundvierzig", "quatre-vingt-dix"."""
    total, group, is_number = 0, 0, False
    for word in _spelled(text):
        if word in _THOUSAND:
            total, group = total + (group or 1) * 1000, 0
        elif word in _HUNDRED:
            group = (group or 1) * 100
        elif word in VALUES:
            group += VALUES[word]
        else:
            continue
        is_number = True
    return min(total + group, LIMIT) if is_number else None


def _spelled(text: str) -> Iterator[str]:
    text = _SHARE.sub(" ", text)
    for rule, instead in _COMPOUNDS:
        text = rule.sub(instead, text)
    return (found[0] for found in re.finditer(r"[^\W\d_]+", text))
