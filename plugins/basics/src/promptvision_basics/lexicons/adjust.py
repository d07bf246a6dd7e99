"""Wordings of the operation that adjusts brightness, contrast and colours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from promptvision.plugin import Lexicon
from promptvision_basics.lexicons.comparatives import compared

__all__ = ["ADJUST"]

_WEAK = ("low", "weak", "poor", "faint", "bad", "missing", "dull", "insufficient")

_STRONG = ("high", "strong", "harsh", "much", "extreme", "intense", "hard", "heavy")

_ASKED_MORE: tuple[str, ...] = (
    *(
        f"{lead} {{noun}}"
        for lead in ("not enough", "there is not enough", "too little", "there is too little")
    ),
    *(f"it {verb} {{noun}}" for verb in ("lacks", "is lacking", "needs", "needs more", "wants", "could use")),
    *(f"it {verb} {{noun}}" for verb in ("could use more", "could do with", "could do with more", "has no")),
    *(
        f"{lead} {{noun}}"
        for lead in ("higher", "stronger", "better", "extra", "stronger", "a higher", "let there be more")
    ),
    *(f"{the}{{noun}} {be} too {weak}" for the in ("", "the ") for be in ("is", "are") for weak in _WEAK),
    *("{noun} too low", "{noun} boost", "bump the {noun}", "the {noun} needs a boost", "more {noun} in it"),
    *(
        "more of the {noun}",
        "the {noun} should be higher",
        "the {noun} could be higher",
        "the {noun} is missing",
    ),
)

_ASKED_LESS: tuple[str, ...] = (
    *(f"{lead} {{noun}}" for lead in ("too much", "there is too much", "it has too much", "way too much")),
    *(
        f"{lead} {{noun}}"
        for lead in ("there is way too much", "weaker", "a lower", "soften the", "take away some")
    ),
    *(
        f"{the}{{noun}} {be} too {strong}"
        for the in ("", "the ")
        for be in ("is", "are")
        for strong in _STRONG
    ),
    *(
        "{noun} too high",
        "{noun} too strong",
        "tone the {noun} down",
        "bring the {noun} down",
        "not so much {noun}",
    ),
    *(
        "take the {noun} down",
        "the {noun} should be lower",
        "the {noun} could be lower",
        "it needs less {noun}",
    ),
)
"""Statements about a factor and wishes for more or less of it."""


def _factor(
    field: str,
    value: float,
    nouns: tuple[str, ...],
    adjectives: tuple[str, ...],
    verbs: tuple[str, ...],
) -> Iterator[Lexicon]:
    """English wordings that raise or lower one factor."""
    fixed = ((field, value),)
    more, less = (
        (
            *(
                "increase",
                "raise",
                "boost",
                "turn up",
                "add",
                "add some",
                "more",
                "enhance",
                "up",
                "bring up",
            ),
            *(
                "bring back",
                "bring back some",
                "bring out",
                "lift",
                "crank up",
                "bump up",
                "pump up",
                "push up",
            ),
            *("improve", "strengthen", "intensify", "amp up", "dial up", "give it some", "push"),
        ),
        (
            *("decrease", "reduce", "lower", "turn down", "less", "drop", "cut", "tone down", "bring down"),
            *(
                "take down",
                "dial down",
                "dial back",
                "pull back",
                "knock down",
                "cut down",
                "weaken",
                "scale back",
            ),
        ),
    )
    changes = more if value > 1 else less
    yield Lexicon(
        verbs=changes,
        nouns=nouns,
        frames=(
            "{verb} the {noun}",
            "{verb} {noun}",
            "{verb} the {noun} of it",
            "{verb} its {noun}",
            "{verb} {noun} to it",
            "give it {verb} {noun}",
            "make it {verb} {noun}",
            "{verb} the {noun} in it",
        ),
        fixed=fixed,
    )
    way = "up" if value > 1 else "down"
    signs = ("higher", "+") if value > 1 else ("lower", "-")
    yield Lexicon(
        nouns=nouns,
        frames=(
            f"turn the {{noun}} {way}",
            f"turn {way} the {{noun}}",
            f"{{noun}} {way}",
            f"turn {{noun}} {way}",
            *tuple(f"{{noun}} {sign}" for sign in signs),
        ),
        fixed=fixed,
    )
    yield Lexicon(
        nouns=adjectives,
        frames=(
            "make it {noun}",
            "{noun}",
            "make it look {noun}",
            "it {noun}",
            "a {noun} image",
            "get it {noun}",
        ),
        fixed=fixed,
    )
    yield Lexicon(
        verbs=verbs,
        frames=("{verb} it", "{verb} it up", "{verb}", "{verb} it out", "{verb} up", "{verb} everything"),
        fixed=fixed,
    )
    yield Lexicon(nouns=nouns, frames=_ASKED_MORE if value > 1 else _ASKED_LESS, fixed=fixed)


def _adjustments() -> Iterator[Lexicon]:
    yield from _factor(
        "brightness",
        1.3,
        ("brightness", "light", "exposure"),
        ("brighter", "lighter", "more bright", "less dark", "not so dark"),
        ("brighten", "lighten"),
    )
    yield from _factor(
        "brightness",
        0.7,
        ("brightness", "light", "exposure"),
        ("darker", "less bright", "dimmer", "more dark"),
        ("darken", "dim"),
    )
    yield from _factor("contrast", 1.4, ("contrast",), ("more contrasty", "punchier", "contrastier"), ())
    yield from _factor("contrast", 0.7, ("contrast",), ("less contrasty", "flatter"), ())
    yield from _factor(
        "saturation",
        1.5,
        ("saturation", "color", "colour", "vibrance", "colors", "colours"),
        (
            "more vivid",
            "vivid",
            "more colorful",
            "more colourful",
            "more saturated",
            "more vibrant",
            "colorful",
        ),
        ("saturate",),
    )
    yield from _factor(
        "saturation",
        0.5,
        ("saturation", "colors", "colours", "vibrance"),
        ("less vivid", "less colorful", "less colourful", "less saturated", "paler", "more muted", "muted"),
        (),
    )
    yield from _factor(
        "sharpness",
        2.0,
        ("sharpness",),
        ("sharper", "crisper", "less blurry", "more sharp", "clearer", "crisp"),
        ("sharpen",),
    )
    yield from _factor("sharpness", 0.0, ("sharpness",), ("softer", "less sharp"), ("soften",))


_BRIGHTER, _DARKER = ("brightness", 1.3), ("brightness", 0.7)

_SHARPER, _VIVID = ("sharpness", 2.0), ("saturation", 1.5)

_POP: tuple[str, ...] = (
    "make colors stronger",
    "make colours stronger",
    "make colors richer",
    "make colours richer",
    "make it pop",
    "make it more lively",
    "make it look livelier",
    "give it more pop",
    "give it more life",
    *(
        f"make {colours} {look}"
        for colours in (
            "the colors",
            "the colours",
            "colors",
            "colours",
            "the color",
            "the colour",
            "all colors",
        )
        for look in (
            *(
                "more intense",
                "intense",
                "richer",
                "rich",
                "deeper",
                "bolder",
                "bold",
                "livelier",
                "brighter",
            ),
            *(
                "more vibrant",
                "vibrant",
                "more saturated",
                "more lively",
                "stand out",
                "stand out more",
                "bright",
            ),
        )
    ),
    "make the colors pop",
    "make the colours pop",
    "make colors pop",
    "make the colors more vivid",
    "make the colors stronger",
    "make the colours stronger",
    "make the colors brighter",
)

_ABROAD: tuple[
    tuple[str, tuple[str, ...], tuple[str, ...], tuple[tuple[tuple[str, Any], tuple[str, ...]], ...]], ...
] = (
    (
        "de",
        (
            "it ist {}",
            "it wirkt {}",
            "it sieht {} aus",
            "es ist {}",
            "ist {}",
            "it war {}",
            "{}",
            "alles ist {}",
        ),
        (
            "zu ",
            "viel zu ",
            "so ",
            "sehr ",
            "etwas zu ",
            "ein bisschen zu ",
            "ziemlich ",
            "total ",
            "leider zu ",
            "ganz schön ",
        ),
        (
            (_BRIGHTER, ("dunkel", "düster", "unterbelichtet")),
            (_DARKER, ("hell", "überbelichtet", "grell")),
            (_SHARPER, ("unscharf", "verschwommen", "verwackelt")),
            (_VIVID, ("blass", "farblos", "flau")),
        ),
    ),
    (
        "es",
        (
            "it está {}",
            "está {}",
            "it es {}",
            "it se ve {}",
            "se ve {}",
            "salió {}",
            "it salió {}",
            "quedó {}",
            "{}",
        ),
        ("muy ", "demasiado ", "un poco ", "tan ", "bastante "),
        (
            (_BRIGHTER, ("oscura", "oscuro", "subexpuesta")),
            (_DARKER, ("clara", "claro", "sobreexpuesta", "brillante")),
            (_SHARPER, ("borrosa", "borroso", "desenfocada", "desenfocado")),
            (_VIVID, ("apagada", "pálida", "descolorida", "apagado", "pálido")),
        ),
    ),
    (
        "fr",
        (
            "it est {}",
            "c'est {}",
            "elle est {}",
            "il est {}",
            "it semble {}",
            "it paraît {}",
            "{}",
            "it reste {}",
        ),
        ("trop ", "un peu trop ", "beaucoup trop ", "très ", "si ", "bien trop ", "vraiment trop "),
        (
            (_BRIGHTER, ("sombre", "foncée", "foncé", "sous-exposée")),
            (_DARKER, ("claire", "clair", "lumineuse", "lumineux", "surexposée")),
            (_SHARPER, ("floue", "flou")),
            (_VIVID, ("terne", "fade", "pâle", "délavée")),
        ),
    ),
    (
        "zh",
        ("it{}", "{}", "it{}了", "{}了", "it看起来{}", "it有点{}", "有点{}"),
        ("太", "有点", "有些", "非常", "好"),
        (
            (_BRIGHTER, ("暗", "黑", "昏暗")),
            (_DARKER, ("亮", "曝光过度")),
            (_SHARPER, ("模糊", "糊")),
            (_VIVID, ("暗淡", "灰", "苍白")),
        ),
    ),
)
"""Complaints in other languages: sentences, degrees, and for each factor the adjectives."""


def _complaints_abroad() -> Iterator[Lexicon]:
    """Statements that say what is wrong, such as "it ist viel zu dunkel"."""
    for language, sentences, degrees, cures in _ABROAD:
        for fixed, adjectives in cures:
            yield Lexicon(
                language=language,
                verbs=degrees,
                nouns=adjectives,
                frames=tuple(sentence.format("{verb}{noun}") for sentence in sentences),
                fixed=(fixed,),
            )


ADJUST = (
    Lexicon(
        verbs=("colors", "colours", "the colors", "the colours"),
        frames=("{verb} pop more", "{verb} should pop", "{verb} should pop more", "let {verb} pop"),
        fixed=(_VIVID,),
    ),
    Lexicon(frames=("get the blur out", "get the blur out of it", "take the blur out"), fixed=(_SHARPER,)),
    *_complaints_abroad(),
    Lexicon(
        verbs=(
            "remove",
            "get rid of",
            "take out",
            "fix",
            "lose",
            "correct",
            "take away",
            "clear",
        ),
        nouns=(
            "blur",
            "blurriness",
            "fuzziness",
            "softness",
            "haze",
            "motion blur",
            "the shake",
            "camera shake",
        ),
        frames=("{verb} {noun}", "{verb} the {noun}", "{verb} the {noun} out", "{verb} the {noun} from it"),
        fixed=(_SHARPER,),
    ),
    Lexicon(
        verbs=("unblur", "deblur", "un-blur", "de-blur", "crispen", "focus", "refocus"),
        frames=("{verb} it", "{verb}", "{verb} it for me"),
        fixed=(_SHARPER,),
    ),
    Lexicon(
        verbs=("make it", "get it", "it should be", "make everything", "make all of it"),
        nouns=(
            "crystal clear",
            "crystal-clear",
            "razor sharp",
            "less fuzzy",
        ),
        frames=("{verb} {noun}",),
        fixed=(_SHARPER,),
    ),
    *(
        Lexicon(
            verbs=(
                "make everything",
                "make the whole thing",
                "make all of it",
                "get everything",
                "everything should be",
            ),
            nouns=nouns,
            frames=("{verb} {noun}",),
            fixed=(fixed,),
        )
        for fixed, nouns in (
            (_BRIGHTER, ("brighter", "lighter", "less dark")),
            (_DARKER, ("darker", "less bright", "dimmer")),
            (_VIVID, ("more vivid", "more colorful", "more colourful", "more vibrant", "more saturated")),
            (_SHARPER, ("sharper", "crisper", "clearer")),
        )
    ),
    Lexicon(
        verbs=("make it look", "make it", "make it seem"),
        nouns=(
            "aged",
            "ancient",
            "antique",
            "like an antique",
            "like an old photograph",
            "like a photo from the past",
        ),
        frames=("{verb} {noun}",),
        fixed=(("sepia", True),),
    ),
    Lexicon(
        verbs=("flip", "invert", "swap", "turn", "switch", "reverse"),
        nouns=(
            "the colors around",
            "the colours around",
            "all the colors",
            "all the colours",
            "its colors",
            "the colors over",
        ),
        frames=("{verb} {noun}",),
        fixed=(("invert", True),),
    ),
    Lexicon(
        nouns=("colors", "colours"),
        frames=tuple(
            f"{the} {{noun}} {hurt}"
            for the in ("the", "those", "these", "all the", "its")
            for hurt in (
                "hurt",
                "hurt my eyes",
                "scream",
                "are screaming",
                "scream at me",
                "are screaming at me",
                "are crazy",
                "burn",
            )
        ),
        fixed=(("saturation", 0.5),),
    ),
    Lexicon(
        verbs=("give it", "add", "more", "it needs", "needs", "a bit of", "it lacks", "lacks"),
        nouns=(
            "punch",
            "some punch",
            "more punch",
            "a punch",
            "some pop",
            "pop",
            "more pop",
            "depth",
            "more depth",
        ),
        frames=("{verb} {noun}", "{verb} {noun} to it"),
        fixed=(("contrast", 1.4),),
    ),
    Lexicon(
        verbs=(
            "liven up",
            "enliven",
            "enrich",
            "revive",
            "refresh",
            "restore",
            "deepen",
            "strengthen",
            "bring out",
        ),
        nouns=("the colors", "the colours", "colors", "colours", "its colors"),
        frames=("{verb} {noun}",),
        fixed=(_VIVID,),
    ),
    Lexicon(
        verbs=("bring", "liven", "turn", "make"),
        nouns=("back", "up", "stronger", "back to life", "more alive", "alive"),
        frames=("{verb} the colors {noun}", "{verb} the colours {noun}", "{verb} the color {noun}"),
        fixed=(_VIVID,),
    ),
    Lexicon(
        nouns=(
            "richer",
            "stronger",
            "bolder",
            "deeper",
            "more intense",
            "brighter",
            "livelier",
            "punchier",
            "vivid",
        ),
        frames=("{noun} colors", "{noun} colours", "with {noun} colors", "with {noun} colours"),
        fixed=(_VIVID,),
    ),
    Lexicon(
        verbs=("brighten up", "light up", "lighten up", "illuminate", "lift", "brighten"),
        nouns=("the scene", "the mood", "everything", "the lighting", "the whole thing", "the image"),
        frames=("{verb} {noun}",),
        fixed=(_BRIGHTER,),
    ),
    Lexicon(
        verbs=("in", "do", "make", "give me", "try", "apply", "use", "go for", "with", "put on"),
        nouns=(
            "sepia",
            "the sepia thing",
            "a sepia version",
            "sepia version",
            "the sepia look",
            "the sepia filter",
        ),
        frames=("{verb} {noun}", "{verb} {noun} of it", "{verb} {noun} on it"),
        fixed=(("sepia", True),),
    ),
    Lexicon(
        verbs=("show me", "give me", "make me", "i want", "do", "make", "create", "get me"),
        nouns=("the negative", "a negative", "the inverse", "a negative version", "the negative version"),
        frames=("{verb} {noun}", "{verb} {noun} of it"),
        fixed=(("invert", True),),
    ),
    Lexicon(
        verbs=("sharpen", "sharpen up"),
        frames=("{verb} the {_}", "{verb} my {_}", "{verb} his {_}", "{verb} her {_}"),
        fixed=(("sharpness", 2.0),),
        is_fallback=True,
    ),
    Lexicon(
        verbs=("show me", "make", "give me", "create", "i want", "show"),
        nouns=("the negative", "a negative", "its negative", "the inverse"),
        frames=("{verb} {noun}", "{verb} {noun} of it"),
        fixed=(("invert", True),),
    ),
    Lexicon(
        verbs=("make",),
        nouns=(
            *("less intense", "softer", "weaker", "calmer", "duller", "paler", "more muted", "more subtle"),
            *("less garish", "less loud", "less vivid", "less strong", "less saturated", "muted"),
        ),
        frames=("{verb} the colors {noun}", "{verb} the colours {noun}", "{verb} its colors {noun}"),
        fixed=(("saturation", 0.5),),
    ),
    Lexicon(
        frames=("less color", "less colour", "fewer colors", "fewer colours"), fixed=(("saturation", 0.5),)
    ),
    *(
        Lexicon(language=language, frames=frames, fixed=(fixed,))
        for language, frames, fixed in (
            (
                "de",
                (
                    "hell it auf",
                    "helle it auf",
                    "it aufhellen",
                    "it ist zu dunkel",
                    "it heller machen",
                    "mehr licht",
                ),
                _BRIGHTER,
            ),
            ("de", ("it abdunkeln", "it ist zu hell", "it dunkler machen", "dunkel it ab"), _DARKER),
            (
                "de",
                (
                    "it ist unscharf",
                    "it schärfen",
                    "it schärfer machen",
                    "it ist zu unscharf",
                    "schärf it",
                    "schärf it nach",
                ),
                _SHARPER,
            ),
            (
                "de",
                ("farben sind zu blass", "farben sind blass", "farben sind flau", "farben wirken blass"),
                _VIVID,
            ),
            (
                "de",
                (
                    "kräftigere farben",
                    "mehr farbe",
                    "mach farben kräftiger",
                    "mach it bunter",
                    "bunter",
                    "farben kräftiger",
                ),
                _VIVID,
            ),
            (
                "es",
                (
                    "aclara",
                    "ilumina",
                    "it está muy oscura",
                    "it está oscura",
                    "it está demasiado oscura",
                    "dale más luz",
                ),
                _BRIGHTER,
            ),
            ("es", ("oscurece", "it está muy clara", "it está demasiado clara"), _DARKER),
            (
                "es",
                ("enfoca", "it está borrosa", "aumenta nitidez", "it está muy borrosa", "sube nitidez"),
                _SHARPER,
            ),
            (
                "es",
                (
                    "colores más vivos",
                    "más color",
                    "más saturación",
                    "aumenta saturación",
                    "haz colores más vivos",
                ),
                _VIVID,
            ),
            (
                "fr",
                (
                    "éclaircir it",
                    "éclaire it",
                    "éclairer it",
                    "it est trop sombre",
                    "it est sombre",
                    "plus de lumière",
                ),
                _BRIGHTER,
            ),
            ("fr", ("assombrir it", "it est trop claire", "it est trop lumineuse"), _DARKER),
            (
                "fr",
                (
                    "it est floue",
                    "it est trop floue",
                    "rends it plus net",
                    "améliore netteté",
                    "accentue netteté",
                ),
                _SHARPER,
            ),
            (
                "fr",
                (
                    "couleurs plus vives",
                    "plus de couleur",
                    "augmente saturation",
                    "rends couleurs plus vives",
                ),
                _VIVID,
            ),
            (
                "zh",
                (
                    "提亮",
                    "提亮it",
                    "it太暗了",
                    "it太暗",
                    "亮一些",
                    "让it亮一点",
                    "把it调亮一点",
                    "it亮一点",
                    "把it提亮",
                ),
                _BRIGHTER,
            ),
            ("zh", ("压暗", "it太亮了", "it太亮", "暗一些", "让it暗一点", "it暗一点"), _DARKER),
            ("zh", ("it太模糊了", "it有点模糊", "把it锐化", "让it更清晰", "清晰一点", "更清楚"), _SHARPER),
            (
                "zh",
                ("颜色更鲜艳", "让颜色更鲜艳", "增加饱和度", "提高饱和度", "色彩更鲜艳", "鲜艳一点"),
                _VIVID,
            ),
        )
    ),
    *_adjustments(),
    Lexicon(frames=_POP, fixed=(("saturation", 1.5),)),
    Lexicon(
        verbs=(
            "make it",
            "turn it",
            "turn it to",
            "turn it into",
            "change it to",
            "set it to",
            "give it",
            "apply",
            "add",
            "put it in",
            "use",
            "in",
            "convert it to",
            "have it in",
        ),
        nouns=(
            "sepia",
            "in sepia",
            "a sepia tone",
            "a sepia look",
            "a sepia filter",
            "sepia tones",
            "an old-timey sepia look",
            "a sepia effect",
            "vintage",
            "a vintage look",
            "a vintage effect",
            "a vintage filter",
            "sepia tone",
            "a sepia tint",
            "a sepia hue",
            "sepia colors",
            "an old sepia photo",
            "a sepia photo",
        ),
        frames=("{verb} {noun}", "{verb} {noun} to it"),
        fixed=(("sepia", True),),
    ),
    Lexicon(
        frames=(
            "make it look vintage",
            "make it look old",
            "make it look antique",
            "vintage",
            "sepia",
            "sepia it",
            "make it look like an old photo",
            "make it look like an old sepia photo",
            "make it look like a sepia photo",
            "age it",
            "make it sepia",
            "make it retro",
            "make it look retro",
        ),
        fixed=(("sepia", True),),
    ),
    Lexicon(
        verbs=("invert", "negate", "reverse"),
        nouns=("the colors", "the colours", "colors", "colours", "all colors"),
        frames=("{verb} {noun}", "{verb} {noun} of it", "{verb} {noun} in it"),
        fixed=(("invert", True),),
    ),
    Lexicon(
        frames=(
            "invert",
            "invert it",
            "negative",
            "make it negative",
            "make it a negative",
            "make a negative",
            "make a negative of it",
            "turn it into a negative",
            "make it inverted",
            "color negative",
        ),
        fixed=(("invert", True),),
    ),
    *(
        lexicon
        for language, brighter, darker, contrast, sharper, sepia, invert in (
            (
                "de",
                (
                    "mach it heller",
                    "mache it heller",
                    "heller",
                    "mehr helligkeit",
                    "erhöhe helligkeit",
                    "erhelle it",
                    "helle it auf",
                    "etwas heller",
                ),
                (
                    "mach it dunkler",
                    "mache it dunkler",
                    "dunkler",
                    "weniger helligkeit",
                    "dunkle it ab",
                    "etwas dunkler",
                ),
                ("mehr kontrast", "erhöhe kontrast", "kontrast erhöhen", "gib it mehr kontrast"),
                ("mach it schärfer", "mache it schärfer", "schärfer", "schärfe it", "schärfe it nach"),
                ("mach it sepia", "sepia", "in sepia"),
                ("invertiere it", "invertiere farben", "kehre farben um"),
            ),
            (
                "es",
                (
                    "más brillo",
                    "hazlo más claro",
                    "hazla más clara",
                    "aclara it",
                    "más claro",
                    "más brillante",
                    "haz it más brillante",
                    "haz it más claro",
                    "haz it más clara",
                    "pon it más clara",
                    "aumenta brillo",
                    "hazlo más brillante",
                    "sube brillo",
                    "ilumina it",
                ),
                (
                    "menos brillo",
                    "hazlo más oscuro",
                    "hazla más oscura",
                    "oscurece it",
                    "más oscuro",
                    "baja brillo",
                ),
                ("más contraste", "aumenta contraste", "sube contraste"),
                (
                    "más nitidez",
                    "enfoca it",
                    "hazlo más nítido",
                    "hazla más nítida",
                    "más nítido",
                    "más nítida",
                ),
                ("sepia", "en sepia", "ponlo en sepia", "pon it en sepia"),
                ("invierte colores", "invierte colores de it"),
            ),
            (
                "fr",
                (
                    "plus lumineux",
                    "plus clair",
                    "éclaircis it",
                    "plus de luminosité",
                    "augmente luminosité",
                    "plus lumineuse",
                    "rends it plus lumineuse",
                    "rends it plus claire",
                    "éclaircis",
                    "rends it plus claire",
                    "plus claire",
                ),
                (
                    "plus sombre",
                    "assombris it",
                    "moins de luminosité",
                    "rends it plus sombre",
                    "diminue luminosité",
                ),
                ("plus de contraste", "augmente contraste"),
                ("plus net", "plus nette", "rends it plus nette", "augmente netteté"),
                ("sépia", "en sépia", "mets it en sépia", "mets en sépia"),
                ("inverse couleurs", "inverse couleurs de it"),
            ),
            (
                "zh",
                (
                    "变亮",
                    "调亮",
                    "把it变亮",
                    "亮一点",
                    "更亮",
                    "增加亮度",
                    "提高亮度",
                    "把it调亮",
                    "让it更亮",
                    "调亮it",
                ),
                ("变暗", "调暗", "把it变暗", "暗一点", "更暗", "降低亮度", "把it调暗", "调暗it"),
                ("增加对比度", "提高对比度", "加强对比度"),
                ("锐化", "锐化it", "更清晰", "变清晰", "把it变清晰"),
                ("复古", "变成复古风格", "怀旧"),
                ("反色", "反转颜色", "颜色反转"),
            ),
        )
        for lexicon in (
            Lexicon(language=language, frames=compared(language, brighter), fixed=(("brightness", 1.3),)),
            Lexicon(language=language, frames=compared(language, darker), fixed=(("brightness", 0.7),)),
            Lexicon(language=language, frames=contrast, fixed=(("contrast", 1.4),)),
            Lexicon(language=language, frames=compared(language, sharper), fixed=(("sharpness", 2.0),)),
            Lexicon(language=language, frames=sepia, fixed=(("sepia", True),)),
            Lexicon(language=language, frames=invert, fixed=(("invert", True),)),
        )
    ),
)
