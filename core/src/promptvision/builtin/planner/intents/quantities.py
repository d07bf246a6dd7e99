"""Numbers, angles, sizes, ratios and places in words, as values of arguments."""

from __future__ import annotations

import re

from promptvision.builtin.planner.intents.numerals import FRACTION, MULTIPLE, NUMBER, is_signed, number

__all__ = [
    "aspect",
    "degrees",
    "factor",
    "file_format",
    "is_stretched",
    "kept_part",
    "level",
    "lowered",
    "part",
    "percent",
    "picture_format",
    "pixels",
    "place",
    "raised",
    "unstated_degrees",
    "unstated_percent",
    "without_format",
]

_TIMES = re.compile(
    r"\bx(?=[\s\d]|$)|[\d\s]x\b|\u00d7|\btimes\b|\b(?:two|three|four|five|ten)?-?fold\b|\bfois\b|\bveces\b"
    r"|\b(?:zwei|drei|vier|f\u00fcnf|zehn|\d+)?-?(?:mal|fache?[ns]?)\b|\bfa[ck]tor\b|\bfacteur\b"
)
_SHARE = re.compile(
    r"%|\bper ?cent\b|\bprozent\b|\bpour ?cent\b|\bpor ?ciento\b|\bpct\b|\bpoints\b|\d ?points?\b|\bpts?\b"
)
_SLIGHT = re.compile(
    r"\b(?:slight(?:ly)?|(?:a )?(?:little|tiny|wee)? ?bit|little|tad|touch|smidge|crooked|tilt\w*|lean\w*"
    r"|slant\w*|level\w*|straighten\w*|straight|skew\w*|wonky|horizon|askew|slop\w*|un poco"
    r"|ein (?:bisschen|wenig)|etwas|un peu|l\u00e9g\u00e8rement)\b",
    re.IGNORECASE,
)
_WAY = re.compile(
    r"\b(?:left|right|(?:counter|anti)?-?clockwise|links|rechts|gauche|droite|izquierda|derecha)\b",
    re.IGNORECASE,
)
_BIGGER = re.compile(
    r"\b(?:bigger|larger|enlarg\w*|blow\w*|grow\w*|increase\w*|scale (?:it )?up|upscale|gr\u00f6\u00dfer"
    r"|vergr\u00f6\u00dfer\w*|agrand\w*|m\u00e1s grande|agranda\w*|ampl[i\u00ed]\w*|plus grand\w*)\b",
    re.IGNORECASE,
)
_SMALLER = re.compile(
    r"\b(?:smaller|shrink\w*|shrunk|reduc\w*|r\u00e9dui\w*|scale (?:it )?down|kleiner|verkleiner\w*"
    r"|plus petite?s?|m\u00e1s peque\u00f1[ao]s?|divi[ds]\w*|teil\w*)\b",
    re.IGNORECASE,
)
_CHANGE = (
    r"\b(?:by|um|de|en|un)\s+(?:about |around |roughly )?{0}"
    r"|{0} (?:smaller|less|bigger|larger|kleiner|gr\u00f6\u00dfer"
    r"|plus (?:petit|grand)|m\u00e1s (?:peque\u00f1|grande))"
)
"""By how much a size changes, in contrast to what it becomes."""
_STRETCHED = re.compile(
    r"\b(?:stretch\w*|squash\w*|squeez\w*|squish\w*|distort\w*"
    r"|ignor\w+ (?:the )?(?:proportions?|aspect(?: ratio)?))\b",
    re.IGNORECASE,
)
_FORMAT_WORDS = (
    (
        "landscape",
        re.compile(
            r"\b(?:landscape|wide(?: ?screen)?|panoram\w*|horizontal)(?: format| image| picture)?\b",
            re.IGNORECASE,
        ),
    ),
    (
        "portrait",
        re.compile(r"\b(?:portrait|tall|upright|vertical)(?: format| image| picture)\b", re.IGNORECASE),
    ),
)
_FORMAT_LAST = re.compile(
    r"[,;]?\s+(?:in |as an? )?"
    r"(?:landscape|wide(?:screen)?|panoramic|portrait|tall|upright|vertical|horizontal|square)"
    r"(?: format| orientation)?$",
    re.IGNORECASE,
)
_SLIGHT_DEGREES = 5
_QUARTER = 90
_STEPS = 5.0
_LEAST = 0.05
_SHAPES = (
    (re.compile(r"squar\w*|quadrat\w*|carr\u00e9\w*|cuadrad\w*|1 ?: ?1"), "1:1"),
    (re.compile(r"ultra[ -]?wide|cinema\w*|anamorphic|letter ?box"), "21:9"),
    (re.compile(r"wide ?-?screen|breitbild|youtube|thumbnail|full ?hd|\btv\b|desktop|slide"), "16:9"),
    (
        re.compile(r"stor(?:y|ies)|reels?|tik ?tok|vertical video|phone (?:wallpaper|screen)|lock ?screen"),
        "9:16",
    ),
    (re.compile(r"panor[a\u00e1]m\w*"), "2:1"),
    (re.compile(r"passport"), "35:45"),
    (re.compile(r"portrait|hochformat|upright|vertical"), "2:3"),
    (re.compile(r"landscape|querformat|postcard|horizontal"), "3:2"),
)
_TO = r"(?::|/|x|\u00d7|by|to|on|auf|zu|par|por|sur|a|\u00e0|-|\u2236)"
_RATIO = re.compile(rf"(?P<w>{NUMBER}) ?{_TO} ?(?P<h>{NUMBER})")
_PAPER = re.compile(r"\b(?:din )?a[0-6]\b")
_ACROSS = re.compile(r"landscape|quer\w*|horizontal\w*|paysage|apaisad\w*")
_SIDES = (
    (
        "top",
        re.compile(r"\b(?:top|upper|uppermost|oben|obere\w*|haut|sup\u00e9rieur\w*|arriba|superior\w*)\b"),
    ),
    (
        "bottom",
        re.compile(
            r"\b(?:bottom|lower|unten|untere\w*|bas|inf\u00e9rieur\w*|abajo|inferior\w*|underneath)\b"
        ),
    ),
)
_FLANKS = (
    ("left", re.compile(r"\b(?:left|links|linke\w*|gauche|izquierd\w*)\b|left-?hand")),
    ("right", re.compile(r"\b(?:right|rechts|rechte\w*|droite?|derech\w*)\b|right-?hand")),
)
_MIDDLE = re.compile(r"\b(?:middle|cent(?:er|re|ral)\w*|mitte|mittig\w*|mittler\w*|milieu|centro|medio)\b")
_CORNER = re.compile(r"\b(?:corner|quadrant|ecke|coin|esquina)\b")
_CUT = r"\b(?:off|away|out|remove|lose|drop|delete|get rid of|without|minus|no) (?:all )?(?:of )?(?:the )?{0}"
"""Words before a part of an image that is not kept."""
_OPPOSITE = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
_SHARES = {None: "half", 1: "half", 0.5: "half", 0.333333: "third", 0.33: "third"}
_DEGREE = re.compile(r"degree|\bdeg\b|\bgrad\w*|degr\u00e9|\u00b0|\u00ba")
_WHOLE_TURN = re.compile(r"\bturn|\btour|\bvuelta|drehung|\bcircle|\brotation|\bkreis")
_GROUPS = re.compile(r"(?<=\d)[.,'\u2019](?=\d{3}(?!\d))|(?<=\b\d)[ \u00a0\u202f](?=\d{3}(?!\d))")
"""Separators of thousands."""
MAX_K = 100
_FORMAT_NAMES = {"tif": "tiff"}
_FORMAT = re.compile(r"png|jpe?g|webp|avif|tiff?")


def pixels(words: str, _: str) -> int | None:
    """A whole number of pixels or of percent; "2k" is 2000."""
    text = _GROUPS.sub("", words.lower())
    found = None if _PAPER.search(text) else number(text)
    if found is None or found < 1:
        return None
    return round(found * 1000) if re.search(r"\dk\b", text) and found < MAX_K else round(found)


def level(words: str, _: str) -> float | None:
    """The value of a setting where 1 is the image unchanged: "1.5", "150 %", "zero"; "-20 %" is 0.8."""
    found, text = number(words), words.lower()
    if found is None:
        return None
    is_share = _SHARE.search(text) is not None or abs(found) > _STEPS
    if is_share:
        found /= 100
    if is_signed(text):
        return round(max(1 + found, 0.0), 3)
    return None if found < 0 else round(found, 3)


def raised(words: str, _: str) -> float | None:
    """A factor above 1: "20 %" is 1.2, "twice" 2."""
    found = number(words)
    return None if found is None or found <= 0 else _changed(found, words.lower(), is_up=True)


def lowered(words: str, _: str) -> float | None:
    """A factor below 1: "20 %" and "-20 %" are 0.8, "half" 0.5."""
    found = number(words)
    return None if not found else _changed(abs(found), words.lower(), is_up=False)


def _changed(found: float, text: str, *, is_up: bool) -> float:
    is_figure = re.search(r"\d[.,]\d", text) is not None
    is_several = MULTIPLE.search(text) is not None or _TIMES.search(text) is not None
    if is_several or (is_figure and _SHARE.search(text) is None and 1 < found < _STEPS):
        factor = max(found, 1 / found)
        return round(factor if is_up else 1 / factor, 3)
    share = found if found < 1 and _SHARE.search(text) is None else found / 100
    return round(1 + share if is_up else max(1 - share, _LEAST), 3)


def degrees(words: str, _: str) -> float | None:
    """An angle: "90\u00b0", "a quarter turn", "half a turn", "ninety degrees", "half a degree"."""
    text = words.lower()
    found = number(text)
    if found is None:
        return None
    is_part = abs(found) < 1 and (FRACTION.search(text) or _WHOLE_TURN.search(text))
    if "right angle" in text:
        found *= _QUARTER
    elif is_part and not _DEGREE.search(text):
        found *= 4 * _QUARTER
    return _short(found)


def unstated_degrees(clause: str) -> int | None:
    """The angle of a request that gives none: 5 degrees if it asks for a small turn, else 90.

    Returns:
        None for "straighten it", which says neither how far nor which way.
    """
    if not _SLIGHT.search(clause):
        return _QUARTER
    return _SLIGHT_DEGREES if _WAY.search(clause) else None


def percent(words: str, clause: str) -> float | None:
    """A size in percent of the old one: "half" is 50, "3 times" 300, "by 20 %" smaller is 80."""
    found, text = number(words), words.lower().strip()
    if not found:
        return None
    is_bigger = _BIGGER.search(clause) is not None
    if _SHARE.search(text):
        value = found
    elif MULTIPLE.search(text) or _TIMES.search(text) or 1 <= found <= _STEPS * 2:
        is_divided = not is_bigger and found > 1 and _SMALLER.search(clause) is not None
        value = 100 / found if is_divided else found * 100
        return _short(value) if found > 0 else None
    else:
        value = found * 100 if abs(found) < 1 else found
    is_share = _SHARE.search(text) is not None or FRACTION.search(text) is not None
    if is_signed(text):
        value += 100
    elif is_share and re.search(_CHANGE.format(re.escape(text)), clause.lower()):
        value = 100 + value if is_bigger else 100 - value
    return _short(value) if value > 0 else None


def _short(value: float) -> float:
    return int(value) if value == int(value) else round(value, 2)


def unstated_percent(clause: str) -> int:
    """The size of a request that gives none: double or half."""
    return 200 if _BIGGER.search(clause) else 50


def is_stretched(clause: str) -> bool:
    """Whether a size is to be reached without keeping the proportions."""
    return _STRETCHED.search(clause) is not None


def picture_format(clause: str) -> str | None:
    """The format of a new image, where a request names one."""
    return next((name for name, rule in _FORMAT_WORDS if rule.search(clause)), None)


def without_format(words: str) -> str:
    """A description without the format at its end."""
    return _FORMAT_LAST.sub("", words)


def factor(words: str, _: str) -> int | None:
    """How many times as large: 2 or 4."""
    found = number(words)
    if found is None:
        return None
    found = found / 100 if found >= 100 else found
    return 2 if found <= 2 else 4


def aspect(words: str, _: str) -> str | None:
    """A ratio such as "16:9", by its numbers or the name of a shape or of a paper size."""
    text = words.lower().strip(" .,!?")
    for found in _RATIO.finditer(text):
        sides = number(found["w"]), number(found["h"])
        if all(sides):
            return ":".join(f"{side:g}" for side in sides if side)
    if _PAPER.search(text):
        return "297:210" if _ACROSS.search(text) else "210:297"
    return next((ratio for rule, ratio in _SHAPES if rule.search(text)), None)


def part(words: str, clause: str) -> str | None:
    """A named part of an image: "upper third" is "top third".

    Returns:
        None for other shares of one side than halves and thirds.
    """
    text = words.lower()
    found = _side(text, _SIDES), _side(text, _FLANKS)
    if all(found):
        return " ".join(side for side in found if side)
    side = found[0] or found[1]
    share = number(text)
    size = _SHARES.get(share / 100 if share and share > 1 else share)
    if side is None:
        return "center" if _MIDDLE.search(text) and size == "half" else None
    return None if size is None or _CORNER.search(text) else f"{side} {size}"


def kept_part(words: str, clause: str) -> str | None:
    """The part of an image that is kept, where a request names it or the other half."""
    named = part(words, clause)
    if named is None or not re.search(_CUT.format(re.escape(words.lower())), clause.lower()):
        return named
    side, _, share = named.partition(" ")
    return f"{_OPPOSITE[side]} {share}" if share == "half" else None


def place(words: str, _: str) -> str | None:
    """A place on an image: "the upper left corner" is "top left"."""
    text = words.lower()
    sides = [side for side in (_side(text, _SIDES), _side(text, _FLANKS)) if side]
    if sides:
        return " ".join(sides)
    return "center" if _MIDDLE.search(text) else None


def _side(text: str, sides: tuple[tuple[str, re.Pattern[str]], ...]) -> str | None:
    return next((name for name, rule in sides if rule.search(text)), None)


def file_format(words: str, _: str) -> str | None:
    """A file format by its name or extension."""
    found = _FORMAT.search(words.lower())
    return None if found is None else _FORMAT_NAMES.get(found[0], found[0])
