"""The closed word classes and patterns of target phrases; see :mod:`promptvision.tools.targets`."""

from __future__ import annotations

import re
from enum import StrEnum


class Side(StrEnum):
    """A side of the image."""

    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"
    MIDDLE = "middle"


class Shade(StrEnum):
    """A colour's lightness."""

    DARK = "dark"
    LIGHT = "light"


class Relation(StrEnum):
    """The position of an object relative to another one."""

    NEAR = "next to"
    LEFT_OF = "left of"
    RIGHT_OF = "right of"
    ABOVE = "above"
    BELOW = "below"
    INSIDE = "inside"


UNIVERSAL = re.compile(
    r"(?:(?:every|any|all(?: of)?|the)\s+)?(?:the\s+)?"
    r"(?:everything|anything|all|(?:every|any)(?:body|one)|every ?thing|any ?thing|rest|others?)"
    r"(?:\s+else)?(?:\s+(?:in|of)\s+(?:it|there|the (?:image|picture|photo|scene)))?"
    r"|(?:all|every|any)(?: of)?(?: the)? (?:(?:other|of the)\s)?"
    r"(?:things?|objects?|items?|parts?|stuff|areas?|pixels?)"
    r"|the (?:whole |entire )?(?:image|picture|photo|scene)"
    r"|(?:the )?(?:area|region|space|part|parts|areas|pixels)"
)
THINGS = re.compile(r"(?:the )?(?:other )?(?:things|objects|items|stuff)")
"""Names of everything where an exception follows: "objects that are not red"."""
EXCEPT = re.compile(
    r",?\s*\b(?:and\s+|but\s+)?(?:except(?:ing)?(?: for)?|excluding|other than|apart from|aside from|besides"
    r"|save for|with the exception of|but not|but for|and not|not including)\b\s*"
)
BUT = re.compile(r"\s+but\s+(?:for\s+)?")
COMMA_NOT = re.compile(r"\s*,\s*(?:and\s+|but\s+)?not\s+")
OUTSIDE = re.compile(r"\s+(?:that (?:is|are) )?(?:outside(?: of)?|surrounding|around)\s+")
NEGATED = re.compile(
    r"\s+(?:(?:that|which|who)\s+(?:(?:is|are|was|were)\s+not|do(?:es)? not (?:be|look)|not)|not)\s+"
)
RELATIVE = re.compile(r"\s+(?:that|which|who)\s+(?:is|are|was|were|looks?)\s+")
OF = re.compile(r"^(?P<which>.+?)\s+(?:of|among|from)\s+(?P<group>(?:all\s+)?(?:the|these|those|my)\s+.+)$")
LIST = re.compile(r"\s*(?:,\s*(?:and|or|nor)\s+|,\s*|\s+(?:and|or|nor)\s+)\s*")
COLOUR_OF = re.compile(r"^(?:the\s+)?colou?rs?\s+of\s+")
SIDE_WORDS = {
    **dict.fromkeys(("left", "leftmost", "left-most", "lefthand", "left-hand", "leftward"), Side.LEFT),
    **dict.fromkeys(("right", "rightmost", "right-most", "righthand", "right-hand"), Side.RIGHT),
    **dict.fromkeys(("top", "topmost", "top-most", "upper", "uppermost", "highest"), Side.TOP),
    **dict.fromkeys(("bottom", "bottommost", "bottom-most", "lower", "lowest", "lowermost"), Side.BOTTOM),
    **dict.fromkeys(("middle", "center", "centre", "central", "centermost", "middlemost"), Side.MIDDLE),
}
SIDE = "|".join(sorted(SIDE_WORDS, key=len, reverse=True))
PLACE = re.compile(
    rf"\s+(?:(?:that|which) (?:is|are)\s+)?(?:(?:furthest|farthest)\s+)?"
    r"(?:on|at|to|in|near|towards?)\s+(?:the\s+)?(?:very\s+|far\s+)?"
    rf"(?P<sides>(?:{SIDE})(?:[\s-]+(?:{SIDE}))?)"
    r"(?:[\s-]+(?:hand))?(?:\s+(?:side|half|corner|part|edge|end|area))?"
    r"(?:\s+(?:of|in)\s+(?:the\s+)?(?:image|picture|photo|scene|frame|it))?(?=$|\s)(?!\s+of\b)"
)
FROM = re.compile(
    rf"\s+(?:(?:counting|counted|starting)\s+)?from\s+(?:the\s+)?(?P<side>{SIDE})"
    r"(?:[\s-]+(?:hand))?(?:\s+(?:side|edge|end))?(?:\s+to\s+(?:the\s+)?\w+)?(?=$|\s)"
)
RELATIONS = (
    (re.compile(r"\s+(?:on |at |to )?(?:the )?left(?:[- ]hand)?(?: side)? of\s+"), Relation.LEFT_OF),
    (re.compile(r"\s+(?:on |at |to )?(?:the )?right(?:[- ]hand)?(?: side)? of\s+"), Relation.RIGHT_OF),
    (
        re.compile(
            r"\s+(?:right )?(?:next to|beside|nearest(?: to)?|near(?: to)?|close(?:st)? to|adjacent to|by)\s+"
        ),
        Relation.NEAR,
    ),
    (re.compile(r"\s+(?:above|over)\s+"), Relation.ABOVE),
    (re.compile(r"\s+(?:below|under|underneath|beneath)\s+"), Relation.BELOW),
    (re.compile(r"\s+(?:inside(?: of)?|within)\s+"), Relation.INSIDE),
)
RELATION_LEAD = re.compile(
    r"\s+(?:that|which|who)\s+(?:is|are|lies?|stands?|sits?)$|\s+(?:lying|standing|sitting)$"
)
IN_IMAGE = re.compile(
    r"\s+(?:that (?:is|are) )?(?:in|on|from|of|inside|within)\s+(?:the|this|that|my|your)?\s*"
    r"(?:whole |entire )?(?:image|picture|photo|photograph|scene)$"
)
CLAUSE = re.compile(
    r"\s+(?:in|on|at|with|without|of|to|for|from|behind|between|beyond|before|after|against|along"
    r"|across|through"
    r"|around|underneath|wearing|holding|carrying|riding|that|which|who|whose|where|having|made"
    r"|standing|sitting"
    r"|lying|looking|facing|seen|called|named|like)\b"
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NUMBERS = {word: n for n, word in enumerate(_words("one two three four five six seven eight nine ten"), 1)}
_SPELLED = _words("first second third fourth fifth sixth seventh eighth ninth tenth")
_FIGURES = _words("1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th")
ORDINALS = {word: n for words in (_SPELLED, _FIGURES) for n, word in enumerate(words, 1)} | {"last": -1}
SUPERLATIVES = frozenset(_words("bigger larger biggest largest greatest smaller smallest littlest tiniest"))
LARGE = frozenset(_words("big large huge giant bigger larger biggest largest greatest"))
SMALL = frozenset(_words("small little tiny smaller smallest littlest tiniest"))
SIZES = LARGE | SMALL
ALL = frozenset(_words("all every each any both whole entire"))
ARTICLES = frozenset(_words("the a an this that these those my your our some"))
SOFT = frozenset(_words("color colour colored coloured bright vivid shiny only exact other actual"))
"""Words that do not distinguish objects."""
GENERIC = frozenset(_words("one ones"))
CHOICES = frozenset((*NUMBERS, *ORDINALS, *SIZES, *ALL, *ARTICLES, *SIDE_WORDS, *GENERIC, "pair"))
DARK = frozenset(_words("dark darker darkest deep"))
LIGHT = frozenset(_words("light lighter lightest pale"))
CSS_COLOURS = frozenset(
    _words(
        "aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue "
        "blueviolet brown burlywood cadetblue chartreuse chocolate coral cornflowerblue cornsilk "
        "crimson cyan darkblue darkcyan darkgoldenrod darkgray darkgreen darkgrey darkkhaki "
        "darkmagenta darkolivegreen darkorange darkorchid darkred darksalmon darkseagreen "
        "darkslateblue darkslategray darkslategrey darkturquoise darkviolet deeppink deepskyblue "
        "dimgray dimgrey dodgerblue firebrick floralwhite forestgreen fuchsia gainsboro "
        "ghostwhite gold goldenrod gray green greenyellow grey honeydew hotpink indianred indigo "
        "ivory khaki lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan "
        "lightgoldenrodyellow lightgray lightgreen lightgrey lightpink lightsalmon lightseagreen "
        "lightskyblue lightslategray lightslategrey lightsteelblue lightyellow lime limegreen "
        "linen magenta maroon mediumaquamarine mediumblue mediumorchid mediumpurple "
        "mediumseagreen mediumslateblue mediumspringgreen mediumturquoise mediumvioletred "
        "midnightblue mintcream mistyrose moccasin navajowhite navy oldlace olive olivedrab "
        "orange orangered orchid palegoldenrod palegreen paleturquoise palevioletred papayawhip "
        "peachpuff peru pink plum powderblue purple rebeccapurple red rosybrown royalblue "
        "saddlebrown salmon sandybrown seagreen seashell sienna silver skyblue slateblue "
        "slategray slategrey snow springgreen steelblue tan teal thistle tomato turquoise violet "
        "wheat white whitesmoke yellow yellowgreen"
    )
)
"""The colour names of CSS, written out so that no image library is imported for them."""

COLOURS = frozenset(
    _words("amber apricot bronze burgundy cream emerald lilac mauve mustard peach rose ruby scarlet")
)
"""Colour words in addition to those of CSS."""
PLURALS = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "geese": "goose",
    "leaves": "leaf",
    "knives": "knife",
    "shelves": "shelf",
    "wolves": "wolf",
    "people": "people",
    "kids": "kid",
}
UNCOUNTED = frozenset(
    _words(
        "glasses trousers jeans pants shorts scissors sunglasses clothes grass glass dress cross bus gas "
        "lens canvas christmas iris tennis cactus circus campus virus moss boss"
    )
)
"""Nouns that end in s but may name a single object."""
