"""Wordings of the operation that crops images."""

from __future__ import annotations

from collections.abc import Iterator

from promptvision.plugin import Lexicon
from promptvision_basics.lexicons.resize import FORMATTED

__all__ = ["CROP"]

_SQUARE = (("aspect", "1:1"),)

_CUTS = ("crop", "trim", "cut", "cut down", "clip")

_CUTS_OFF = (
    "cut off",
    "chop off",
    "crop off",
    "crop out",
    "crop away",
    "trim off",
    "trim away",
    "remove",
    "get rid of",
    "lose",
    "take off",
    "cut away",
    "slice off",
    "delete",
    "drop",
    "clip off",
    "discard",
)

_CLOSE_CROPS = ("closer crop", "tighter crop", "tight crop", "close crop", "close-up", "closeup", "close up")

_SIDE_NAMES = {
    "left": ("left half", "left-hand half", "left side half", "left part"),
    "right": ("right half", "right-hand half", "right side half", "right part"),
    "top": ("top half", "upper half", "top part", "upper part"),
    "bottom": ("bottom half", "lower half", "bottom part", "lower part"),
}

_SIDES = ("left half", "right half", "top half", "bottom half", "center")

_PARTS_ABROAD: tuple[tuple[str, tuple[str, ...], dict[str, str]], ...] = (
    (
        "de",
        ("schneide", "behalte", "zeige", "beschneide", "zuschneide"),
        dict(
            zip(
                _SIDES,
                ("linke hälfte", "rechte hälfte", "obere hälfte", "untere hälfte", "mitte"),
                strict=True,
            )
        ),
    ),
    (
        "es",
        ("recorta", "conserva", "deja", "muestra"),
        dict(
            zip(
                _SIDES,
                ("mitad izquierda", "mitad derecha", "mitad superior", "mitad inferior", "centro"),
                strict=True,
            )
        ),
    ),
    (
        "fr",
        ("recadre", "garde", "coupe", "rogne", "montre"),
        dict(
            zip(
                _SIDES,
                ("moitié gauche", "moitié droite", "moitié supérieure", "moitié inférieure", "centre"),
                strict=True,
            )
        ),
    ),
    (
        "zh",
        ("裁剪", "保留", "只保留", "裁剪出", "裁剪到"),
        dict(zip(_SIDES, ("左半边", "右半边", "上半部分", "下半部分", "中间"), strict=True)),
    ),
)
"""Verbs that crop, and names of parts, by language."""

_PART_FRAMES = {
    "de": ("{verb} {noun}", "{verb} {noun} von it", "{verb} it auf {noun}", "{verb} it auf {noun} zu"),
    "zh": ("{verb}{noun}", "{verb}it的{noun}", "把it{verb}{noun}"),
}

_ROMANCE_PART_FRAMES = ("{verb} {noun}", "{verb} {noun} de it", "{verb} it a {noun}", "{verb} it à {noun}")

_KEPT_SIDES = {
    "left": ("left side", "left-hand side"),
    "right": ("right side", "right-hand side"),
    "top": ("upper side",),
    "bottom": ("lower side",),
}
"""Further names of the halves where they are kept; what is cut off at a side is less than a half."""


def _corner(row: str, name: str, side: str) -> tuple[str, ...]:
    """The names of a corner, which is a quarter of an image."""
    ends = ("", " corner", " quarter")
    return tuple(f"{one} {side}{end}" for one in (row, name) for end in ends)


def _parts() -> Iterator[Lexicon]:
    """Halves, thirds, quarters and the center, each with its alternative names."""
    names = {
        **{f"{side} half": (*_SIDE_NAMES[side], *_KEPT_SIDES[side]) for side in _SIDE_NAMES},
        **{f"{side} third": (f"{side} third",) for side in ("left", "right", "top", "bottom")},
        "center": ("center", "centre", "middle", "center part", "middle part", "central part"),
        "top left": _corner("top", "upper", "left"),
        "top right": _corner("top", "upper", "right"),
        "bottom left": _corner("bottom", "lower", "left"),
        "bottom right": _corner("bottom", "lower", "right"),
    }
    for part, nouns in names.items():
        yield Lexicon(
            verbs=(
                "chop it to",
                "cut it down to",
                "chop it down to",
                "crop it to",
                "crop to",
                "crop",
                *(
                    "chop it to",
                    "chop it down to",
                    "trim it down to",
                    "cut it down to",
                    "crop it down to",
                    "cut to",
                ),
                *(
                    "narrow it to",
                    "reduce it to",
                    "trim to",
                    "i only want",
                    "i just need",
                    "leave me",
                    "leave just",
                ),
                "keep only",
                "keep",
                "keep just",
                "trim it to",
                "cut out",
                "only keep",
                "give me",
                "give me just",
                "give me only",
                "cut it to",
                "show me only",
                "cut out only",
                "cut out just",
                "crop out only",
                "save only",
                "leave only",
                "crop off everything but",
                "crop out everything but",
                "cut off everything but",
                "cut away everything but",
                "crop everything but",
                "cut everything but",
                "remove everything but",
                "crop away everything but",
                "crop everything except",
                "crop off everything except",
                "extract",
            ),
            nouns=nouns,
            frames=(
                *("{verb} the {noun}", "{verb} {noun}", "{verb} the {noun} of it", "{verb} its {noun}"),
                "{verb} the {noun} of {_}",
            ),
            fixed=(("part", part),),
        )
        for language, verbs, words in _PARTS_ABROAD:
            if part in words:
                yield Lexicon(
                    language=language,
                    verbs=verbs,
                    nouns=(words[part],),
                    frames=_PART_FRAMES.get(language, _ROMANCE_PART_FRAMES),
                    fixed=(("part", part),),
                )
        yield Lexicon(
            nouns=nouns,
            frames=(
                *("{noun} only", "only the {noun}", "just the {noun}", "only {noun}", "just {noun}"),
                *(
                    "i only need the {noun}",
                    "i only want the {noun}",
                    "i just want the {noun}",
                    "keep only {noun}",
                ),
                *(
                    "crop it down to the {noun}",
                    "crop down to the {noun}",
                    "reduce it to the {noun}",
                    "show the {noun}",
                ),
                *("throw away everything but the {noun}", "zoom in on the {noun}", "zoom into the {noun}"),
            ),
            fixed=(("part", part),),
        )
        if not part.endswith("half"):
            yield Lexicon(
                verbs=("crop out", "snip out", "save", "take"),
                nouns=nouns,
                frames=("{verb} the {noun}", "{verb} the {noun} of it"),
                fixed=(("part", part),),
            )
    for side, other in (("left", "right"), ("right", "left"), ("top", "bottom"), ("bottom", "top")):
        yield Lexicon(
            verbs=_CUTS_OFF,
            nouns=_SIDE_NAMES[side],
            frames=("{verb} the {noun}", "{verb} {noun}", "{verb} the {noun} of it", "{verb} its {noun}"),
            fixed=(("part", f"{other} half"),),
        )


CROP = (
    Lexicon(
        verbs=(
            "crop it to",
            "crop to",
            "trim it to",
            "cut it to",
            "crop it around",
            "cut it down to",
            "reduce it to",
        ),
        frames=("{verb} {target} only", "{verb} {target} alone", "{verb} only {target}"),
    ),
    *(
        Lexicon(
            verbs=(
                "crop it to",
                "crop to",
                "make it",
                "crop it for",
                "cut it to",
                "in",
                "turn it into",
                "format it for",
                "fit it to",
            ),
            nouns=nouns,
            frames=("{verb} {noun}", "{verb} a {noun}", "{verb} {noun} format", "{noun} format"),
            fixed=(("aspect", aspect),),
        )
        for aspect, nouns in (("16:9", ("widescreen", "wide screen", "cinema", "tv")),)
    ),
    Lexicon(
        verbs=(
            "make it fit",
            "fit it on",
            "fit it to",
            "make it fit on",
            "crop it to fit",
            "crop it for",
            "so it fits",
        ),
        nouns=("screen", "display", "frame", "slide", "monitor", "format", "ratio"),
        frames=(
            "{verb} a {aspect} {noun}",
            "{verb} my {aspect} {noun}",
            "{verb} the {aspect} {noun}",
            "{verb} {aspect}",
        ),
    ),
    Lexicon(
        verbs=(
            "get closer to",
            "move in on",
            "go in on",
            "bring me closer to",
            "come closer to",
            "get in closer on",
        ),
        frames=("{verb} {target}",),
    ),
    Lexicon(
        verbs=("get closer to", "move closer to", "go closer to", "come closer to", "get close to"),
        frames=("{verb} {target}",),
    ),
    Lexicon(frames=("{aspect} portrait crop", "{aspect} landscape crop", "a {aspect} portrait crop")),
    Lexicon(
        verbs=("cut", "crop", "trim", "reduce", "bring", "get"),
        frames=(
            "{verb} it down to a square",
            "{verb} down to a square",
            "{verb} it down to square",
            "{verb} it to a square format",
        ),
        fixed=(("aspect", "1:1"),),
    ),
    *(
        Lexicon(
            verbs=(
                "crop out",
                "cut off",
                "chop off",
                "crop off",
                "trim off",
                "cut away",
                "crop away",
                "trim away",
            ),
            nouns=nouns,
            frames=("{verb} the {noun}", "{verb} the {noun} of it", "{verb} {noun}"),
            fixed=(("part", f"{other} half"),),
        )
        for nouns, other in (
            (("left side", "left-hand side"), "right"),
            (("right side", "right-hand side"), "left"),
            (("upper part", "top part"), "bottom"),
            (("lower part", "bottom part"), "top"),
        )
    ),
    Lexicon(
        verbs=(*FORMATTED, "change it to", "set it to", "put it in", "bring it to", "have it in"),
        frames=(
            "{verb} {aspect}",
            "{verb} a {aspect}",
            "{verb} {aspect} format",
            "{verb} {aspect} aspect ratio",
        ),
    ),
    Lexicon(
        verbs=(
            *(
                f"{cut} {how}"
                for cut in _CUTS
                for how in ("tight around", "tightly around", "close around", "in tight on")
            ),
            *(
                f"{cut} it {how}"
                for cut in ("crop", "trim", "cut")
                for how in ("tight around", "close around", "tight to")
            ),
            *(
                f"{cut} {how}"
                for cut in ("crop", "trim")
                for how in ("tight on", "close to", "tight to", "closer to")
            ),
            *("crop it down to just", "cut it down to just", "crop it to just", "crop it to only"),
        ),
        frames=("{verb} {target}",),
    ),
    Lexicon(
        verbs=tuple(
            f"{ask}{crop}"
            for ask in ("", "a ", "make a ", "give me a ", "i want a ")
            for crop in _CLOSE_CROPS
        ),
        frames=("{verb} of {target}", "{verb} on {target}", "{verb} around {target}"),
    ),
    Lexicon(
        verbs=tuple(
            f"{cut} it {so} {who}{only} see"
            for cut in ("crop", "cut", "trim")
            for so in ("so", "so that", "until")
            for who in ("you ", "we ", "i ", "you can ", "we can ", "i can ", "one can ")
            for only in ("only", "just")
        ),
        frames=("{verb} {target}",),
    ),
    Lexicon(
        verbs=("zoom in on", "focus on", "crop to", "crop it to", "zoom into"),
        nouns=("crop the rest", "cut the rest", "crop out the rest", "trim the rest", "cut off the rest"),
        frames=("{verb} {target}, {noun}", "{verb} {target} and {noun}"),
    ),
    Lexicon(
        verbs=("crop", "do", "make", "give me", "i want", "i need", "cut", "cut out"),
        nouns=("a square crop", "a square", "square", "to a square", "a square cut"),
        frames=("{verb} {noun} around {target}", "{verb} {noun} of {target}", "{verb} {noun} with {target}"),
        fixed=_SQUARE,
    ),
    Lexicon(
        verbs=(
            "square",
            "a square",
            "make a square",
            "give me a square",
            "i need a square",
            "cut out a square",
        ),
        nouns=("image", "version", "format", "crop", "cut", "shape"),
        frames=("{verb} {noun}", "{verb} {noun} of it"),
        fixed=_SQUARE,
    ),
    Lexicon(
        verbs=(
            "crop it",
            "cut it",
            "cut it down",
            "trim it",
            "trim it down",
            "bring it",
            "turn it",
            "make it",
            "get it",
        ),
        nouns=(
            "to a square",
            "into a square",
            "to square",
            "square",
            "to a square format",
            "a square format",
            "in a square",
        ),
        frames=("{verb} {noun}",),
        fixed=_SQUARE,
    ),
    Lexicon(
        frames=(
            *("{aspect}", "{aspect} crop", "a {aspect} crop", "make a {aspect} crop", "{aspect} please"),
            *("make a {aspect} panorama", "make a {aspect} panorama crop", "make it a {aspect} panorama"),
            *("make a {aspect} version", "give me a {aspect} crop", "{aspect} format", "use {aspect}"),
        ),
    ),
    Lexicon(
        verbs=("trim", "cut", "crop", "reduce", "narrow"),
        frames=(
            "{verb} it down to {target}",
            "{verb} it down to just {target}",
            "{verb} it back to {target}",
        ),
    ),
    *(
        Lexicon(
            verbs=("cut", "chop", "crop", "trim", "slice", "take", "throw", "clip"),
            nouns=nouns,
            frames=(
                *("{verb} the {noun} away", "{verb} the {noun} off", "{verb} away the {noun}"),
                *("{verb} the {noun} out", "{verb} off the {noun}"),
            ),
            fixed=(("part", f"{other} half"),),
        )
        for nouns, other in (
            (_SIDE_NAMES["left"], "right"),
            (_SIDE_NAMES["right"], "left"),
            (_SIDE_NAMES["top"], "bottom"),
            (_SIDE_NAMES["bottom"], "top"),
        )
    ),
    Lexicon(
        verbs=(
            "crop out",
            "crop away",
            "crop off",
            "cut away",
            "cut out",
            "cut off",
            "crop",
            "trim away",
            "trim off",
            "remove by cropping",
        ),
        frames=(
            *(
                "{verb} everything but {target}",
                "{verb} everything except {target}",
                "{verb} all but {target}",
                "{verb} everything around {target}",
            ),
            *(
                "{verb} everything apart from {target}",
                "{verb} everything except for {target}",
                "{verb} anything but {target}",
            ),
        ),
    ),
    Lexicon(
        verbs=(
            "crop",
            "crop in on",
            "crop it down to",
            "crop tightly to",
            "crop out just",
            "crop to just",
            "crop on",
        ),
        frames=("{verb} the {target}", "{verb} my {target}", "{verb} {target} only", "{verb} {target}"),
    ),
    Lexicon(
        language="fr",
        verbs=("recadre", "recadrer", "rogne", "coupe", "zoome"),
        frames=(
            "{verb} it sur {target}",
            "{verb} sur {target}",
            "{verb} it autour de {target}",
            "{verb} it pour ne garder que {target}",
        ),
    ),
    Lexicon(
        language="de",
        verbs=("schneide", "schneid", "beschneide", "zoome", "zoom"),
        frames=(
            "{verb} it auf {target} zu",
            "{verb} it auf {target}",
            "{verb} auf {target}",
            "{verb} auf {target} zu",
            "{verb} {target} aus",
        ),
    ),
    Lexicon(
        language="es",
        verbs=("recorta", "corta", "haz zoom", "acerca"),
        frames=(
            "{verb} it a {target}",
            "{verb} a {target}",
            "{verb} en {target}",
            "{verb} alrededor de {target}",
            "{verb} it en {aspect}",
            "{verb} a {aspect}",
        ),
    ),
    Lexicon(
        language="zh", verbs=("裁剪到", "裁出", "放大到"), frames=("{verb}{target}", "把it{verb}{target}")
    ),
    Lexicon(
        verbs=_CUTS,
        nouns=(
            "portrait",
            "landscape",
            "portrait format",
            "landscape format",
            "widescreen",
            "vertical",
            "horizontal",
        ),
        frames=(
            "{verb} it to {noun} {aspect}",
            "{verb} to {noun} {aspect}",
            "{verb} {noun} {aspect}",
            "{verb} it {noun} {aspect}",
        ),
    ),
    Lexicon(
        verbs=_CUTS,
        frames=(
            "{verb} it to {aspect}",
            "{verb} to {aspect}",
            "{verb} {aspect}",
            "{verb} it {aspect}",
            "{verb} it to a {aspect} ratio",
            "{verb} it to a {aspect} aspect ratio",
            "{verb} it to {aspect} ratio",
            "{verb} it to {aspect} format",
            "{verb} it to a ratio of {aspect}",
        ),
    ),
    Lexicon(
        verbs=_CUTS,
        frames=(
            "{verb} it to {target}",
            "{verb} it so only {target} is visible",
            "{verb} it so that only {target} is visible",
            "{verb} to {target}",
            "{verb} it around {target}",
            "{verb} around {target}",
            "{verb} in on {target}",
            "{verb} it so only {target} is left",
        ),
    ),
    Lexicon(
        verbs=(
            "zoom in on",
            "zoom in to",
            "zoom into",
            "zoom on",
            "zoom to",
            "focus on",
            "close up of",
            "cut out the part with",
            "crop out the part with",
            "crop out",
            "give me a close-up of",
        ),
        frames=("{verb} {target}", "{verb} {target} in it"),
    ),
    Lexicon(
        frames=(
            "make it square",
            "square crop",
            "crop it square",
            "crop square",
            "crop it to a square",
            "crop to a square",
            "crop into a square",
            "crop it into a square",
            "make it a square",
            "square it",
            "cut it to a square",
            "trim it to a square",
            "crop to square",
            "crop it to square",
        ),
        fixed=_SQUARE,
    ),
    *_parts(),
    Lexicon(
        language="de",
        verbs=("schneide", "schneid", "mach", "mache"),
        nouns=("quadratisch", "auf quadrat", "zu quadrat", "zu einem quadrat"),
        frames=("{verb} it {noun}", "{verb} it {noun} zu"),
        fixed=_SQUARE,
    ),
    Lexicon(
        language="de",
        verbs=("schneide", "schneid"),
        frames=("{verb} it auf {aspect} zu", "{verb} it auf {aspect}"),
    ),
    Lexicon(
        language="es",
        verbs=("recorta", "corta"),
        frames=("{verb} it en cuadrado", "{verb} it cuadrado", "{verb} it cuadrada", "{verb} it a cuadrado"),
        fixed=_SQUARE,
    ),
    Lexicon(language="es", verbs=("recorta", "corta"), frames=("{verb} it a {aspect}",)),
    Lexicon(
        language="fr",
        verbs=("recadre", "rogne", "coupe"),
        frames=("{verb} it en carré", "{verb} en carré", "{verb} it au carré"),
        fixed=_SQUARE,
    ),
    Lexicon(language="fr", verbs=("recadre", "rogne", "coupe"), frames=("{verb} it en {aspect}",)),
    Lexicon(
        language="zh",
        verbs=("裁剪成", "裁剪为", "裁成", "剪成"),
        nouns=("正方形", "方形"),
        frames=("{verb}{noun}", "把it{verb}{noun}"),
        fixed=_SQUARE,
    ),
    Lexicon(
        language="zh",
        verbs=("裁剪到", "裁剪成", "裁成"),
        frames=("{verb}{aspect}", "把it{verb}{aspect}"),
    ),
)
