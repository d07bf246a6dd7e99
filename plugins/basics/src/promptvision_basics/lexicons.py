"""The verbs and nouns of the everyday operations, in English, German, Spanish, French and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from promptvision.plugin import Lexicon

__all__ = ["ADJUST", "BLUR", "COMBINE", "CONVERT", "CROP", "DRAW_TEXT", "FLIP", "INFO", "RESIZE", "ROTATE"]

_RIGHT, _LEFT = ("direction", "clockwise"), ("direction", "counterclockwise")
_HORIZONTAL, _VERTICAL = ("direction", "horizontal"), ("direction", "vertical")
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
_FORMATTED = (
    *("make it", "turn it into", "format it to", "format it as", "fit it to", "fit it into", "frame it"),
    *("frame it to", "it should be", "it must be", "it has to be", "i need it in", "i need it", "it in"),
    *("i want it in", "get it in", "get it to", "have it", "it as", "go for", "use", "switch to"),
    *("can it be", "could it be", "can it be in", "could it be in", "can i have it in", "can i get it in"),
)
"""What is said before the ratio of the sides or the size that an image is to have."""
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
        verbs=(*_FORMATTED, "change it to", "set it to", "put it in", "bring it to", "have it in"),
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

_TURNS = ("rotate", "turn", "spin", "tilt", "pivot", "rot")

_OVER = (("degrees", 180), ("direction", "clockwise"))

ROTATE = (
    *(
        Lexicon(
            verbs=("rotate", "turn", "spin", "tip", "swing", "twist", "roll"),
            nouns=nouns,
            frames=(
                *(
                    "{verb} it {noun}",
                    "{verb} it over {noun}",
                    "{verb} it a quarter {noun}",
                    "{verb} it once {noun}",
                ),
                *("{verb} it around {noun}", "one turn {noun}", "a turn {noun}", "90 {noun}", "{noun} 90"),
            ),
            fixed=(("degrees", 90), way),
        )
        for way, nouns in (
            (_RIGHT, ("to the right", "clockwise", "right", "rightwards", "to its right")),
            (
                _LEFT,
                (
                    "to the left",
                    "counterclockwise",
                    "anticlockwise",
                    "left",
                    "leftwards",
                    "counter clockwise",
                ),
            ),
        )
    ),
    *(
        Lexicon(
            verbs=("straighten", "level", "correct", "tilt", "shift", "lean"),
            nouns=nouns,
            frames=(
                *("{verb} it {degrees} degrees {noun}", "{verb} it by {degrees} degrees {noun}"),
                *("{verb} by {degrees} degrees {noun}", "{verb} {degrees} degrees {noun}"),
            ),
            fixed=(way,),
        )
        for way, nouns in (
            (_RIGHT, ("to the right", "clockwise", "right")),
            (_LEFT, ("to the left", "counterclockwise", "anticlockwise", "left")),
        )
    ),
    Lexicon(
        verbs=("straighten", "level", "correct"),
        frames=("{verb} it {degrees} degrees", "{verb} it by {degrees} degrees"),
    ),
    Lexicon(
        language="de",
        verbs=("dreh", "drehe", "stell", "stelle"),
        frames=("{verb} it auf kopf", "{verb} it um"),
        fixed=_OVER,
    ),
    Lexicon(
        language="es",
        verbs=("pon", "gira", "voltea"),
        frames=("{verb} it boca abajo", "{verb} it de cabeza"),
        fixed=_OVER,
    ),
    Lexicon(
        language="fr",
        verbs=("mets", "tourne", "retourne"),
        frames=("{verb} it à l'envers", "{verb} it tête en bas"),
        fixed=_OVER,
    ),
    Lexicon(language="zh", frames=("把it倒过来", "it倒过来", "上下颠倒"), fixed=_OVER),
    *(
        Lexicon(nouns=nouns, frames=("{degrees} degrees {noun}", *frames), fixed=(way,))
        for way, nouns, frames in (
            (_RIGHT, ("clockwise", "cw"), ("{degrees} {noun}",)),
            (_RIGHT, ("to the right", "right"), ()),
            (_LEFT, ("counterclockwise", "anticlockwise", "ccw"), ("{degrees} {noun}",)),
            (_LEFT, ("to the left", "left"), ()),
        )
    ),
    Lexicon(
        frames=("{degrees} degrees", "by {degrees} degrees"),
    ),
    Lexicon(
        verbs=_TURNS,
        frames=(
            "{verb} it {degrees} degrees",
            "{verb} it by {degrees} degrees",
            "{verb} {degrees} degrees",
            "{verb} by {degrees} degrees",
            "{verb} it around {degrees} degrees",
        ),
    ),
    Lexicon(
        verbs=("rotate", "rot", "spin"),
        frames=(
            "{verb} {degrees}",
            "{verb} it {degrees}",
            "{verb} it by {degrees}",
            "{verb} by {degrees}",
            "{verb} it around {degrees}",
        ),
    ),
    *(
        Lexicon(
            verbs=_TURNS,
            nouns=nouns,
            frames=(
                "{verb} it {degrees} degrees {noun}",
                "{verb} it by {degrees} degrees {noun}",
                "{verb} {degrees} degrees {noun}",
                "{verb} by {degrees} degrees {noun}",
                "{verb} it {degrees} {noun}",
                "{verb} {degrees} {noun}",
                "{verb} {noun} {degrees}",
                "{verb} {noun} {degrees} degrees",
                "{verb} it {noun} by {degrees} degrees",
                "{verb} {noun} by {degrees} degrees",
                "{verb} it {noun} {degrees} degrees",
            ),
            fixed=(way,),
        )
        for way, nouns in (
            (_RIGHT, ("clockwise", "to the right", "right", "cw", "rightwards")),
            (_LEFT, ("counterclockwise", "counter-clockwise", "counter clockwise", "anticlockwise")),
            (_LEFT, ("anti-clockwise", "to the left", "left", "ccw", "leftwards")),
        )
    ),
    *(
        Lexicon(
            verbs=_TURNS,
            nouns=nouns,
            frames=("{verb} it {noun}", "{verb} {noun}"),
            fixed=(("degrees", 90), way),
        )
        for way, nouns in (
            (_RIGHT, ("clockwise", "to the right", "right", "cw")),
            (_LEFT, ("counterclockwise", "counter-clockwise", "anticlockwise", "to the left", "left", "ccw")),
        )
    ),
    Lexicon(frames=("rotate", "rotate it"), fixed=(("degrees", 90), _RIGHT)),
    Lexicon(
        verbs=("turn", "rotate", "put", "spin"),
        frames=("{verb} it upside down", "{verb} it on its head", "{verb} it all the way around"),
        fixed=(("degrees", 180), _RIGHT),
    ),
    *(
        lexicon
        for language, verbs, degrees, left, right in (
            ("de", ("drehe", "dreh", "rotiere"), "grad", "nach links", "nach rechts"),
            ("es", ("gira", "rota", "girar", "rotar"), "grados", "a izquierda", "a derecha"),
            ("es", ("gira", "rota", "girar", "rotar"), "grados", "hacia izquierda", "hacia derecha"),
            ("fr", ("tourne", "pivote", "fais pivoter"), "degrés", "vers gauche", "vers droite"),
            ("fr", ("tourne", "pivote", "tournez", "fais pivoter"), "degrés", "vers gauche", "vers droite"),
            ("es", ("gira", "rota", "girar", "rotar"), "grados", "hacia izquierda", "hacia derecha"),
            (
                "fr",
                ("tourne", "pivote", "tournez", "fais pivoter", "fais tourner"),
                "degrés",
                "à gauche",
                "à droite",
            ),
            ("fr", ("tourne", "tournez", "fais pivoter"), "degrés", "sur gauche", "sur droite"),
            ("es", ("gira", "rota"), "grados", "a la izquierda", "a la derecha"),
        )
        for lexicon in (
            Lexicon(
                language=language,
                verbs=verbs,
                frames=tuple(
                    f"{{verb}} {by}{{degrees}} {unit}"
                    for by in ("it ", "it um ", "it de ", "um ", "de ", "")
                    for unit in (degrees, "degrees")
                ),
            ),
            *(
                Lexicon(
                    language=language,
                    verbs=verbs,
                    frames=tuple(f"{{verb}} it {{degrees}} {unit} {way}" for unit in (degrees, "degrees"))
                    + tuple(f"{{verb}} it um {{degrees}} {unit} {way}" for unit in (degrees, "degrees"))
                    + tuple(f"{{verb}} it de {{degrees}} {unit} {way}" for unit in (degrees, "degrees")),
                    fixed=(sense,),
                )
                for way, sense in ((left, _LEFT), (right, _RIGHT))
            ),
            *(
                Lexicon(
                    language=language,
                    verbs=verbs,
                    frames=(f"{{verb}} it {way}", f"{{verb}} {way}"),
                    fixed=(("degrees", 90), sense),
                )
                for way, sense in ((left, _LEFT), (right, _RIGHT))
            ),
            Lexicon(
                language=language,
                verbs=verbs,
                frames=("{verb} it", "{verb}"),
                fixed=(("degrees", 90), _RIGHT),
            ),
        )
    ),
    Lexicon(
        language="zh",
        verbs=("旋转", "转", "转动"),
        frames=("{verb}{degrees}度", "把it{verb}{degrees}度", "{verb}it{degrees}度", "it{verb}{degrees}度"),
    ),
    *(
        Lexicon(
            language="zh",
            verbs=verbs,
            frames=("{verb}{degrees}度", "把it{verb}{degrees}度", "{verb}旋转{degrees}度"),
            fixed=(sense,),
        )
        for sense, verbs in (
            (_RIGHT, ("向右旋转", "顺时针旋转", "顺时针")),
            (_LEFT, ("向左旋转", "逆时针旋转", "逆时针")),
        )
    ),
)

_MIRRORS = ("flip", "mirror", "reflect", "reverse")

FLIP = (
    Lexicon(
        verbs=("make", "have", "let", "get"),
        nouns=("face", "look", "point", "facing", "looking", "pointing", "go", "to face", "to look"),
        frames=("{verb} {_} {noun} the other way", "{verb} {_} {noun} the other direction"),
        fixed=(_HORIZONTAL,),
    ),
    Lexicon(
        verbs=("reverse", "mirror-flip", "back-to-front", "unmirror", "un-mirror", "unflip", "flip"),
        frames=("{verb} it", "{verb} it back", "{verb} it over", "{verb} it round"),
    ),
    Lexicon(
        verbs=("i want", "give me", "make", "make me", "create", "show me", "do", "i need", "get me"),
        nouns=(
            "a mirror image",
            "the mirror image",
            "a mirrored version",
            "a flipped version",
            "a mirror version",
        ),
        frames=("{verb} {noun}", "{verb} {noun} of it"),
    ),
    Lexicon(
        verbs=("swap", "switch", "exchange", "reverse", "flip"),
        nouns=(
            "left and right",
            "right and left",
            "the left and the right",
            "the sides",
            "left to right",
            "left with right",
        ),
        frames=("{verb} {noun}", "{verb} {noun} in it", "{verb} {noun} of it"),
        fixed=(_HORIZONTAL,),
    ),
    Lexicon(
        frames=("swap left and right", "exchange left and right", "switch left and right"),
        fixed=(_HORIZONTAL,),
    ),
    Lexicon(
        verbs=("turn", "make"),
        nouns=("mirrored", "flipped", "mirror-inverted", "back to front"),
        frames=("{verb} it {noun}",),
    ),
    Lexicon(verbs=("flip", "mirror", "reflect"), frames=("{verb} it", "{verb}", "{verb} it around")),
    *(
        Lexicon(verbs=_MIRRORS, nouns=nouns, frames=("{verb} it {noun}", "{verb} {noun}"), fixed=(way,))
        for way, nouns in (
            (_HORIZONTAL, ("horizontally", "horizontal", "left to right", "sideways", "left-right")),
            (_HORIZONTAL, ("from left to right", "right to left", "along the vertical axis")),
            (_VERTICAL, ("vertically", "vertical", "top to bottom", "upside down", "from top to bottom")),
            (_VERTICAL, ("bottom to top", "top-bottom", "along the horizontal axis")),
        )
    ),
    *(
        lexicon
        for language, verbs, across, down in (
            (
                "de",
                ("spiegle", "spiegele", "spiegel"),
                ("horizontal", "waagerecht"),
                ("vertikal", "senkrecht"),
            ),
            (
                "es",
                ("voltea", "refleja", "invierte"),
                ("horizontalmente", "en horizontal"),
                ("verticalmente", "en vertical"),
            ),
            (
                "fr",
                ("retourne", "inverse", "miroite", "retournez"),
                ("horizontalement",),
                ("verticalement",),
            ),
        )
        for lexicon in (
            Lexicon(language=language, verbs=verbs, frames=("{verb} it", "{verb}")),
            Lexicon(
                language=language,
                verbs=verbs,
                nouns=across,
                frames=("{verb} it {noun}",),
                fixed=(_HORIZONTAL,),
            ),
            Lexicon(
                language=language,
                verbs=verbs,
                nouns=down,
                frames=("{verb} it {noun}",),
                fixed=(_VERTICAL,),
            ),
        )
    ),
    Lexicon(language="zh", verbs=("翻转", "镜像"), frames=("{verb}it", "{verb}", "把it{verb}")),
    Lexicon(
        language="zh",
        verbs=("水平翻转", "左右翻转"),
        frames=("{verb}it", "{verb}", "把it{verb}"),
        fixed=(_HORIZONTAL,),
    ),
    Lexicon(
        language="zh",
        verbs=("垂直翻转", "上下翻转"),
        frames=("{verb}it", "{verb}", "把it{verb}"),
        fixed=(_VERTICAL,),
    ),
)

_COMPARED = {
    "de": (
        re.compile(r"\w+er"),
        ("mach it {}", "mache it {}", "it {}", "it soll {} werden", "it soll {} sein"),
    ),
    "es": (
        re.compile(r"(?:más|menos) \w+"),
        (
            "haz it {}",
            "haz que it sea {}",
            "pon it {}",
            "hazlo {}",
            "hazla {}",
            "ponlo {}",
            "ponla {}",
            "it {}",
        ),
    ),
    "fr": (
        re.compile(r"(?:plus|moins) (?!de )\w+"),
        ("rends it {}", "rends-la {}", "rends-le {}", "mets it {}", "fais it {}", "it {}"),
    ),
    "zh": (re.compile(r"(?:更|变|调).{1,2}"), ("把it{}", "让it{}", "将it{}", "it{}", "使it{}", "{}it")),
}
"""A comparative of a language, and the frames that ask for it."""


def _compared(language: str, frames: tuple[str, ...]) -> tuple[str, ...]:
    """The frames, and each comparative among them ("heller") in every frame that asks for one."""
    comparative, around = _COMPARED[language]
    found = [frame for frame in frames if comparative.fullmatch(frame)]
    return tuple(dict.fromkeys((*frames, *(ask.format(frame) for frame in found for ask in around))))


_SIZES: tuple[str, ...] = (
    "resize",
    "scale",
    "rescale",
    "shrink",
    "enlarge",
    "upscale",
    "downscale",
    "reduce",
    "scale down",
    "scale up",
    "make",
    "set",
)

_LONGEST = (
    "longest side",
    "longest edge",
    "long side",
    "long edge",
    "longer side",
    "longer edge",
    "largest side",
)

RESIZE = (
    Lexicon(
        language="de",
        frames=(
            "auf {width} pixels breite",
            "auf {width} pixel breite",
            "auf {width} pixels",
            "{width} pixels breit",
            "auf {width}x{height}",
        ),
    ),
    Lexicon(
        verbs=("set", "make", "change", "limit", "bring", "get", "reduce", "keep"),
        nouns=("width", "the width", "its width", "the image width"),
        frames=(
            "{verb} {noun} to {width}",
            "{verb} {noun} {width}",
            "{verb} {noun} to {width} pixels",
            "{verb} {noun} {width} pixels",
        ),
    ),
    Lexicon(
        verbs=("set", "make", "change", "limit", "bring", "get", "reduce", "keep"),
        nouns=("height", "the height", "its height", "the image height"),
        frames=(
            "{verb} {noun} to {height}",
            "{verb} {noun} {height}",
            "{verb} {noun} to {height} pixels",
            "{verb} {noun} {height} pixels",
        ),
    ),
    Lexicon(
        verbs=(
            "no wider than",
            "not wider than",
            "at most",
            "max",
            "maximum",
            "up to",
            "max width",
            "width at most",
        ),
        frames=("{verb} {width} pixels wide", "{verb} {width} wide", "make it {verb} {width} pixels wide"),
    ),
    Lexicon(
        verbs=(
            "no wider than",
            "not wider than",
            "max width",
            "maximum width",
            "width at most",
            "max width of",
        ),
        frames=("{verb} {width} pixels", "{verb} {width}", "make it {verb} {width} pixels"),
    ),
    Lexicon(
        verbs=(
            "no taller than",
            "no higher than",
            "max height",
            "maximum height",
            "height at most",
            "max height of",
        ),
        frames=("{verb} {height} pixels", "{verb} {height}", "make it {verb} {height} pixels"),
    ),
    Lexicon(
        verbs=_FORMATTED,
        frames=("{verb} {width}x{height}", "{verb} {width}x{height} pixels", "{verb} {width} pixels wide"),
    ),
    *(
        Lexicon(
            verbs=("scale", "scale up", "enlarge", "blow up", "size up", "magnify", "resize", "increase"),
            nouns=times,
            frames=(
                "{verb} it by {noun}",
                "{verb} it up by {noun}",
                "{verb} by {noun}",
                "{verb} it up {noun}",
            ),
            fixed=(("percent", percent),),
        )
        for percent, times in (
            (200, ("2", "two", "a factor of 2", "a factor of two", "double")),
            (300, ("3", "three", "a factor of 3", "a factor of three")),
            (400, ("4", "four", "a factor of 4", "a factor of four")),
        )
    ),
    Lexicon(
        verbs=("blow", "scale", "size", "bump", "bring", "zoom", "take"),
        frames=("{verb} it up to {percent}%", "{verb} it down to {percent}%", "{verb} it to {percent}%"),
    ),
    Lexicon(
        verbs=(
            "make a",
            "make me a",
            "give me a",
            "i need a",
            "a",
            "create a",
            "produce a",
            "i want a",
            "get me a",
        ),
        nouns=("icon", "thumbnail", "thumb", "avatar", "version", "copy", "preview", "banner", "miniature"),
        frames=(
            *("{verb} {width}x{height} {noun}", "{verb} {width}x{height} pixels {noun}"),
            *("{verb} {noun} of {width}x{height}", "{verb} {noun} of {width}x{height} pixels"),
            *("{verb} {longest_side} pixels {noun}", "{verb} {width} pixels wide {noun}"),
        ),
    ),
    Lexicon(
        verbs=("change", "set", "adjust", "reduce", "increase", "lower", "raise"),
        nouns=(
            "the resolution",
            "the size",
            "the dimensions",
            "its size",
            "its resolution",
            "the image size",
            "resolution",
        ),
        frames=(
            "{verb} {noun} to {width}x{height}",
            "{verb} {noun} to {percent}%",
            "{verb} {noun} to {width} pixels wide",
        ),
    ),
    Lexicon(
        language="de",
        verbs=("verkleinere", "skaliere", "vergrößere", "bringe", "ändere"),
        frames=(
            *(
                "{verb} it auf {width} pixels breite",
                "{verb} auf {width} pixels breite",
                "{verb} it auf {width} pixels",
                "auf {width} pixels breite verkleinern",
            ),
            *(
                "auf {width} pixel breite verkleinern",
                "{verb} it auf {width} pixel breite",
                "{verb} it auf {width} pixel",
                "{verb} auf {width} pixel breite",
            ),
        ),
    ),
    Lexicon(
        verbs=("downsize", "downscale", "resize", "scale", "shrink", "upsize", "reduce", "scale down"),
        frames=("{verb} it to {longest_side}", "{verb} to {longest_side}", "{verb} down to {longest_side}"),
    ),
    Lexicon(
        verbs=("scale", "resize"),
        frames=("{verb} it up by {percent}%", "{verb} it by {percent}%", "{verb} by {percent}%"),
    ),
    Lexicon(
        language="es",
        frames=("haz it más pequeña", "más pequeña", "haz it más pequeño", "achica it"),
        fixed=(("percent", 50),),
    ),
    Lexicon(language="es", frames=("haz it más grande", "más grande", "agranda"), fixed=(("percent", 200),)),
    Lexicon(
        language="zh",
        frames=("缩小一半", "把it缩小一半", "缩小到一半", "把it缩小到一半", "尺寸减半"),
        fixed=(("percent", 50),),
    ),
    Lexicon(
        language="fr",
        verbs=("redimensionne", "redimensionner", "réduis", "agrandis", "mets"),
        frames=(
            "{verb} en {width}x{height}",
            "{verb} it en {width}x{height}",
            "{verb} it à {width} pixels de large",
            "{verb} de moitié",
        ),
    ),
    Lexicon(
        verbs=(
            "resize",
            "scale",
            "shrink",
            "make",
            "reduce",
            "enlarge",
            "downscale",
            "set",
            "rescale",
            "downsize",
        ),
        nouns=_LONGEST,
        frames=(
            *(
                f"{{verb}} it{so} the {{noun}} {is_} {{longest_side}}{unit}"
                for so in (" so", " so that", " until", " with")
                for is_ in ("is", "at", "measures", "to")
                for unit in ("", " pixels")
            ),
            "{verb} the {noun} to {longest_side}",
            "{verb} the {noun} to {longest_side} pixels",
            "{verb} it to {longest_side} pixels on the {noun}",
            "{verb} it to {longest_side} on the {noun}",
            "{verb} its {noun} to {longest_side} pixels",
        ),
    ),
    Lexicon(
        verbs=(
            "at most",
            "max",
            "maximum",
            "no larger than",
            "no bigger than",
            "not larger than",
            "fit it into",
        ),
        frames=(
            "{verb} {longest_side} pixels",
            "make it {verb} {longest_side} pixels",
            "{verb} {width}x{height}",
        ),
    ),
    Lexicon(
        frames=(
            *(
                "{width} pixels wide",
                "{height} pixels tall",
                "{height} pixels high",
                "width {width}",
                "height {height}",
            ),
            *(
                "width of {width} pixels",
                "height of {height} pixels",
                "{longest_side} pixels",
                "it {width} pixels wide",
            ),
        ),
    ),
    *(
        Lexicon(
            verbs=("make", "resize", "scale", "shrink", "reduce", "enlarge", "blow"),
            nouns=nouns,
            frames=(
                "{verb} it {noun}",
                "{verb} it to {noun}",
                "{verb} it up {noun}",
                "{verb} it down to {noun}",
            ),
            fixed=(("percent", percent),),
        )
        for percent, nouns in (
            (
                25,
                (
                    "a quarter of the size",
                    "a quarter of its size",
                    "a quarter the size",
                    "one quarter of its size",
                ),
            ),
            (33, ("a third of the size", "a third of its size", "a third the size", "one third of its size")),
            (
                50,
                (
                    "half size",
                    "half of its size",
                    "half the original size",
                    "half as big",
                    "half its current size",
                ),
            ),
            (50, ("half the size it is now", "half of the size", "half the dimensions", "half the width")),
            (150, ("one and a half times as big", "50% bigger", "50% larger", "half as big again")),
            (
                200,
                (
                    "double its size",
                    "double size",
                    "twice its size",
                    "twice the current size",
                    "two times bigger",
                ),
            ),
            (300, ("three times as big", "three times as large", "three times the size", "triple the size")),
        )
    ),
    Lexicon(
        verbs=(
            "resize",
            "scale",
            "rescale",
            "make",
            "shrink",
            "enlarge",
            "set",
            "downscale",
            "upscale",
            "resized",
        ),
        frames=(
            "{verb} it to {width}x{height}",
            "{verb} to {width}x{height}",
            "{verb} it {width}x{height}",
            "{verb} {width}x{height}",
            "{verb} it to {width}x{height} pixels",
            "{verb} it {width}x{height} pixels",
            "{verb} the size to {width}x{height}",
            "{verb} it to {width} pixels wide",
            "{verb} it {width} pixels wide",
            "{verb} to {width} pixels wide",
            "{verb} it to {width} pixels in width",
            "{verb} it to a width of {width}",
            "{verb} it to a width of {width} pixels",
            "{verb} the width {width} pixels",
            "{verb} the height {height} pixels",
            "{verb} the width to {width}",
            "{verb} the width to {width} pixels",
            "{verb} it to {height} pixels tall",
            "{verb} it {height} pixels tall",
            "{verb} it {height} pixels high",
            "{verb} it to {height} pixels high",
            "{verb} to {height} pixels high",
            "{verb} to {height} pixels tall",
            "{verb} it to a height of {height}",
            "{verb} it to a height of {height} pixels",
            "{verb} the height to {height}",
            "{verb} the height to {height} pixels",
        ),
    ),
    Lexicon(
        verbs=(
            "resize",
            "scale",
            "rescale",
            "shrink",
            "reduce",
            "enlarge",
            "upscale",
            "downscale",
            "scale down",
            "scale up",
            "resize down",
        ),
        frames=(
            "{verb} it to {percent}%",
            "{verb} to {percent}%",
            "{verb} it {percent}%",
            "{verb} {percent}%",
            "{verb} the size to {percent}%",
            "{verb} its size to {percent}%",
            "{verb} it to {percent}% of its size",
            "{verb} it down to {percent}%",
            "{verb} it up to {percent}%",
            "{verb} it to {longest_side} pixels",
            "{verb} to {longest_side} pixels",
            "{verb} it down to {longest_side} pixels",
            "{verb} it up to {longest_side} pixels",
        ),
    ),
    Lexicon(frames=("{width}x{height}", "{width}x{height} pixels")),
    Lexicon(
        frames=(
            "shrink it by 50%",
            "reduce the size by 50%",
            "reduce it by 50%",
            "make it half as large",
            "make it half its size",
            "halve it",
            "halve the size",
            "halve its size",
            "scale it by 50%",
            "cut the size in half",
            "half the size",
            "make it half the size",
        ),
        fixed=(("percent", 50),),
    ),
    Lexicon(
        frames=(
            "make it smaller",
            "smaller",
            "shrink it",
            "shrink",
            "scale it down",
            "downscale it",
            "reduce it",
            "reduce the size",
            "reduce its size",
            "downsize it",
            "decrease the size",
            "make it less big",
        ),
        fixed=(("percent", 50),),
    ),
    Lexicon(
        frames=(
            "make it bigger",
            "make it larger",
            "bigger",
            "larger",
            "enlarge it",
            "enlarge",
            "scale it up",
            "upscale it",
            "upscale",
            "double the size of it",
            "double it",
            "double its size",
            "double the size",
            "make it twice as large",
            "make it twice as big",
            "make it double the size",
            "increase the size",
            "increase its size",
            "blow it up",
            "make it twice the size",
        ),
        fixed=(("percent", 200),),
    ),
    *(
        lexicon
        for language, verbs, to, smaller, bigger in (
            (
                "de",
                ("skaliere", "verkleinere", "vergrößere", "ändere größe von", "ändere größe"),
                "auf",
                ("verkleinere it", "mach it kleiner", "kleiner"),
                ("vergrößere it", "mach it größer", "größer"),
            ),
            (
                "es",
                ("redimensiona", "escala", "reduce", "amplía", "agranda"),
                "a",
                ("reduce it", "hazlo más pequeño", "hazla más pequeña", "más pequeño"),
                ("agranda it", "amplía it", "hazlo más grande", "hazla más grande", "más grande"),
            ),
            (
                "fr",
                ("redimensionne", "réduis", "agrandis", "redimensionnez"),
                "à",
                ("réduis it", "rapetisse it", "plus petit"),
                ("agrandis it", "plus grand"),
            ),
        )
        for lexicon in (
            Lexicon(
                language=language,
                verbs=verbs,
                frames=(
                    f"{{verb}} it {to} {{percent}}%",
                    f"{{verb}} it {to} {{width}}x{{height}}",
                    "{verb} it {percent}%",
                    f"{{verb}} {to} {{percent}}%",
                    f"{{verb}} {to} {{width}}x{{height}}",
                ),
            ),
            Lexicon(language=language, frames=_compared(language, smaller), fixed=(("percent", 50),)),
            Lexicon(language=language, frames=_compared(language, bigger), fixed=(("percent", 200),)),
        )
    ),
    Lexicon(
        language="zh",
        verbs=("缩放到", "缩小到", "放大到", "调整到"),
        frames=("{verb}{percent}%", "把it{verb}{percent}%", "{verb}{width}x{height}"),
    ),
    Lexicon(language="zh", frames=("缩小", "缩小it", "把it缩小", "变小"), fixed=(("percent", 50),)),
    Lexicon(
        language="zh",
        frames=("放大", "放大it", "把it放大", "变大", "放大两倍", "放大一倍", "把it放大两倍", "把it放大一倍"),
        fixed=(("percent", 200),),
    ),
)


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
            Lexicon(language=language, frames=_compared(language, brighter), fixed=(("brightness", 1.3),)),
            Lexicon(language=language, frames=_compared(language, darker), fixed=(("brightness", 0.7),)),
            Lexicon(language=language, frames=contrast, fixed=(("contrast", 1.4),)),
            Lexicon(language=language, frames=_compared(language, sharper), fixed=(("sharpness", 2.0),)),
            Lexicon(language=language, frames=sepia, fixed=(("sepia", True),)),
            Lexicon(language=language, frames=invert, fixed=(("invert", True),)),
        )
    ),
)

_KEPT = (("keep_target", True),)
_BLURS = ("blur", "blur out", "defocus", "unfocus", "obscure", "make blurry")
_PIXELS = ("pixelate", "pixellate", "anonymize", "anonymise", "censor", "mosaic", "pixelize", "pixelise")

BLUR = (
    Lexicon(
        verbs=tuple(f"i {do} {want}" for do in ("do not", "don't") for want in ("want", "like")),
        nouns=(
            "visible",
            "readable",
            "legible",
            "recognizable",
            "recognisable",
            "recognized",
            "recognised",
            "identifiable",
            "seen",
        ),
        frames=("{verb} {target} to be {noun}", "{verb} {target} {noun}", "{verb} {target} being {noun}"),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=("protect", "respect", "preserve", "keep", "guard"),
        nouns=("privacy", "the privacy", "the identity", "identity", "anonymity", "the anonymity"),
        frames=("{verb} {noun} of {target}",),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=("add", "give it", "apply", "use", "make", "do", "with", "some", "a"),
        nouns=(
            "depth of field",
            "a depth of field",
            "shallow depth of field",
            "bokeh",
            "a bokeh effect",
            "depth of field effect",
        ),
        frames=("{verb} {noun}", "{noun}", "{verb} {noun} to it"),
        fixed=(("target", "background"),),
    ),
    Lexicon(
        verbs=("keep", "leave", "have"),
        nouns=("sharp", "in focus", "clear", "crisp", "focused"),
        frames=tuple(
            f"{{verb}} {{target}} {{noun}}{join} {blur}"
            for join in (" and", ",", ", but", " but", ", and")
            for blur in (
                "blur everything else",
                "blur the rest",
                "blur the background",
                "blur all else",
                "blur the others",
            )
        ),
        fixed=_KEPT,
    ),
    Lexicon(
        verbs=("only", "just"),
        nouns=("sharp", "in focus", "clear"),
        frames=("{verb} {target} should be {noun}", "{verb} {target} {noun}", "{verb} {target} stays {noun}"),
        fixed=_KEPT,
    ),
    Lexicon(
        verbs=tuple(
            f"{who} {may}"
            for who in ("nobody", "no one", "no-one", "they")
            for may in (
                ("should be able to", "can", "must", "should")
                if who.startswith("no")
                else ("should not be able to", "should not", "can not", "must not")
            )
        ),
        nouns=("read", "recognize", "recognise", "identify", "see", "make out"),
        frames=("{verb} {noun} {target}",),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=(
            "soft focus",
            "blurry",
            "blurred",
            "soft",
            "out of focus",
            "fuzzy",
            "defocused",
            "bokeh",
            "unsharp",
            "a blurry",
            "a blurred",
        ),
        nouns=("background", "backdrop"),
        frames=("{verb} {noun}", "with {verb} {noun}", "give it {verb} {noun}", "make {verb} {noun}"),
        fixed=(("target", "background"),),
    ),
    *(
        Lexicon(
            nouns=nouns,
            frames=(
                "{noun} over {target}",
                "put {noun} over {target}",
                "{noun} on {target}",
                "use {noun} over {target}",
            ),
            fixed=(("style", style),),
        )
        for style, nouns in (
            (
                "solid",
                ("black boxes", "a black box", "black bars", "a black bar", "black rectangles", "black box"),
            ),
            ("pixelate", ("pixels", "square pixels", "a mosaic", "mosaic", "big pixels", "pixelation")),
        )
    ),
    Lexicon(
        verbs=("blank", "block", "blot"),
        frames=("{verb} {target} out", "{verb} out {target}"),
        fixed=(("style", "solid"),),
    ),
    Lexicon(
        nouns=(
            *("unsharp", "fuzzy", "out of focus", "defocused", "hazy", "less sharp", "soft and blurry"),
            *("blurry", "blurred", "look blurry", "look blurred", "soft", "softer"),
        ),
        frames=("make {target} {noun}", "get {target} {noun}", "have {target} {noun}"),
    ),
    Lexicon(
        verbs=("make", "get", "have"),
        nouns=(
            "anonymized",
            "anonymised",
            "censored",
            "hidden",
            "pixelated",
            "unidentifiable",
            "not legible",
        ),
        frames=("{verb} {target} {noun}",),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=("get", "have"),
        nouns=("blacked out", "covered", "redacted", "covered up"),
        frames=("{verb} {target} {noun}",),
        fixed=(("style", "solid"),),
    ),
    Lexicon(
        verbs=("hide", "cover", "block", "mask", "cover up", "obscure", "censor", "conceal"),
        nouns=(
            "with a black box",
            "with a black bar",
            "with a black rectangle",
            "with black",
            "behind a black box",
        ),
        frames=("{verb} {target} {noun}",),
        fixed=(("style", "solid"),),
    ),
    Lexicon(
        verbs=(
            "smudge out",
            "smear",
            "smear out",
            "fuzz",
            "blur over",
            "make a blur over",
            "put a blur over",
            "put a blur on",
        ),
        frames=("{verb} {target}", "{verb} {target} in it"),
    ),
    Lexicon(
        language="de",
        frames=(
            "{target} unscharf",
            "{target} unscharf machen",
            "{target} verschwommen",
            "weichzeichne {target}",
        ),
    ),
    Lexicon(
        language="de",
        frames=(
            "{target} verpixeln",
            "{target} unkenntlich machen",
            "{target} zensieren",
            "mach {target} unkenntlich",
        ),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        language="fr",
        frames=(
            "flouter {target}",
            "mets du flou sur {target}",
            "mets flou sur {target}",
            "rends flou {target}",
        ),
    ),
    Lexicon(
        language="es",
        frames=("haz borroso {target}", "desenfoque {target}", "emborrona {target}", "pon borrosa {target}"),
    ),
    Lexicon(
        verbs=("add", "apply", "give it", "put", "use"),
        nouns=(
            "blur",
            "some blur",
            "a blur",
            "a blur effect",
            "blurring",
            "a soft blur",
            "gaussian blur",
            "a gaussian blur",
        ),
        frames=("{verb} {noun}", "{verb} {noun} to it", "{verb} {noun} on it"),
    ),
    Lexicon(
        verbs=(
            "blur",
            "add blur to",
            "add a blur to",
            "apply a blur to",
            "soften",
            "smudge",
            "fuzz out",
            "blur away",
        ),
        frames=("{verb} {target}",),
    ),
    Lexicon(
        frames=(
            *(
                "make {target} anonymous",
                "make {target} unreadable",
                "make {target} illegible",
                "make {target} unidentifiable",
            ),
            *(
                "protect {target}",
                "make sure nobody recognises {target}",
                "disguise {target}",
                "mask the identity of {target}",
            ),
            *(
                "hide the identity of {target}",
                "make {target} unrecognisable",
                "make {target} not recognizable",
            ),
            *(
                "make {target} incognito",
                "put pixels over {target}",
                "put a mosaic over {target}",
                "turn {target} into pixels",
            ),
        ),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=(
            "put a black bar over",
            "put black bars over",
            "put a black box over",
            "draw a black box over",
            "black-out",
        ),
        frames=("{verb} {target}",),
        fixed=(("style", "solid"),),
    ),
    Lexicon(verbs=("blur", "defocus"), frames=("{verb} it", "{verb}", "make it blurry", "make it blurred")),
    Lexicon(verbs=_BLURS, frames=("{verb} {target}", "{verb} {target} in it")),
    Lexicon(
        frames=(
            "make {target} blurry",
            "make {target} blurred",
            "put {target} out of focus",
        ),
    ),
    Lexicon(
        verbs=("pixelate", "pixellate", "anonymize", "anonymise", "censor"),
        frames=("{verb} it", "{verb}", "{verb} everything", "{verb} the whole thing"),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=_PIXELS,
        frames=("{verb} {target}", "{verb} {target} in it", "{verb} out {target}"),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        frames=(
            "make {target} unrecognizable",
            "make {target} unrecognisable",
            "hide {target}",
            "make {target} pixelated",
        ),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        verbs=("black out", "redact", "cover up", "block out", "cover"),
        frames=("{verb} {target}", "{verb} {target} in it", "{verb} {target} with a black box"),
        fixed=(("style", "solid"),),
    ),
    Lexicon(
        verbs=("blur", "blur out", "defocus"),
        nouns=("everything", "all", "the rest", "everything else"),
        frames=(
            "{verb} {noun} except {target}",
            "{verb} {noun} but {target}",
            "{verb} {noun} except for {target}",
            "{verb} {noun} apart from {target}",
            "{verb} {noun} around {target}",
            "{verb} {noun} other than {target}",
            "{verb} it except {target}",
            "{verb} it except for {target}",
        ),
        fixed=_KEPT,
    ),
    Lexicon(
        frames=(
            "blur the background behind {target}",
            "blur the background around {target}",
            "blur what is behind {target}",
        ),
        fixed=_KEPT,
    ),
    Lexicon(
        language="de",
        frames=(
            "mach {target} unscharf",
            "mache {target} unscharf",
            "verwische {target}",
            "zeichne {target} weich",
        ),
    ),
    Lexicon(
        language="de",
        frames=(
            "mach {target} unkenntlich",
            "mache {target} unkenntlich",
            "verdecke {target}",
            "verberge {target}",
        ),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        language="es",
        verbs=("oculta", "tapa", "esconde"),
        frames=("{verb} {target}",),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(
        language="fr",
        frames=("rends {target} méconnaissable", "rends {target} flou", "cache {target}", "masque {target}"),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(language="es", frames=("difumina {target}", "pon {target} borroso", "haz {target} borroso")),
    Lexicon(language="de", frames=("mach it unscharf", "mache it unscharf", "verwische it", "weichzeichnen")),
    Lexicon(
        language="de",
        verbs=("verpixel", "verpixle", "verpixele", "anonymisiere", "zensiere", "zensier"),
        frames=("{verb} {target}", "{verb} {target} auf it"),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(language="de", verbs=("schwärze",), frames=("{verb} {target}",), fixed=(("style", "solid"),)),
    Lexicon(
        language="es",
        verbs=("desenfoca", "difumina", "desenfocar"),
        frames=("{verb} {target}", "{verb} {target} en it"),
    ),
    Lexicon(language="es", verbs=("desenfoca", "difumina", "desenfocar"), frames=("{verb} it", "{verb}")),
    Lexicon(
        language="es",
        verbs=("pixela", "pixeliza", "censura", "anonimiza"),
        frames=("{verb} {target}",),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(language="es", verbs=("tacha",), frames=("{verb} {target}",), fixed=(("style", "solid"),)),
    Lexicon(
        language="fr",
        verbs=("floute", "floutez", "flouter", "brouille"),
        frames=("{verb} {target}", "{verb} {target} sur it"),
    ),
    Lexicon(language="fr", verbs=("floute", "floutez", "flouter"), frames=("{verb} it", "{verb}")),
    Lexicon(
        language="fr",
        verbs=("pixellise", "pixelise", "anonymise", "censure"),
        frames=("{verb} {target}", "{verb} {target} sur it"),
        fixed=(("style", "pixelate"),),
    ),
    Lexicon(language="fr", verbs=("noircis",), frames=("{verb} {target}",), fixed=(("style", "solid"),)),
    Lexicon(
        language="zh",
        verbs=("模糊", "虚化", "模糊掉"),
        frames=("{verb}{target}", "把{target}{verb}", "{verb}it中的{target}"),
    ),
    Lexicon(language="zh", verbs=("模糊", "虚化"), frames=("{verb}it", "{verb}", "把it{verb}")),
    Lexicon(
        language="zh",
        verbs=("打码", "马赛克", "打马赛克"),
        frames=("给{target}{verb}", "把{target}{verb}", "{target}{verb}", "对{target}{verb}"),
        fixed=(("style", "pixelate"),),
    ),
)

_PLACES = {
    "top": ("top",),
    "bottom": ("bottom",),
    "center": ("center", "centre", "middle"),
    "left": ("left", "left side"),
    "right": ("right", "right side"),
    "top left": ("top left", "top left corner", "upper left corner", "upper left"),
    "top right": ("top right", "top right corner", "upper right corner", "upper right"),
    "bottom left": ("bottom left", "bottom left corner", "lower left corner", "lower left"),
    "bottom right": ("bottom right", "bottom right corner", "lower right corner", "lower right"),
}
_WRITES: tuple[str, ...] = (
    *(
        f"{verb} my {what}"
        for verb in ("put", "add", "write", "place", "stamp")
        for what in (
            "blog name",
            "shop name",
            "website",
            "company name",
            "initials",
            "url",
            "handle",
            "copyright",
        )
    ),
    "write",
    *(
        f"{verb} {what}"
        for verb in ("make it", "have it", "let it", "it should", "it must")
        for what in ("say", "read")
    ),
    *("slap", "splash", "text"),
    *(f"{ask} it to {say}" for ask in ("i want", "i need", "i would like") for say in ("say", "read")),
    *(
        "stamp",
        "print",
        "stamp the text",
        "label",
        "letter",
        "add the date",
        "put the date",
        "write the date",
    ),
    *(
        "add the name",
        "put the name",
        "stamp the date",
        "add the line",
        "add the headline",
        "add the heading",
    ),
    "write the text",
    "write the words",
    "add the text",
    "add the words",
    "put the text",
    "put the words",
    "stick the words",
    "add the caption",
    "put the caption",
    "add a caption saying",
    "add a caption that says",
    "add a watermark saying",
    "add a watermark that says",
    "add text that says",
    "add a text that says",
    "add text saying",
    "insert the text",
    "overlay the text",
    "print the text",
    "place the text",
    "add the title",
    "put the title",
    "add a title that says",
    "type",
    "add my name",
    "put my name",
    "write my name",
    "sign it with",
    "label it",
    "title it",
    "caption it",
    "add the word",
    "put the word",
    "write the word",
    "print the words",
)

_WRITTEN_ABROAD: tuple[tuple[str, tuple[str, ...], dict[str, tuple[str, ...]]], ...] = (
    (
        "de",
        ("schreib", "schreibe", "setze text", "füge text", "ergänze text"),
        {
            "top": ("oben", "nach oben", "oben drauf", "an oberen rand"),
            "bottom": ("unten", "nach unten", "darunter", "an unteren rand"),
            "center": ("in mitte", "mittig", "in die mitte"),
            "top left": ("oben links", "links oben", "in obere linke ecke"),
            "top right": ("oben rechts", "rechts oben", "in obere rechte ecke"),
            "bottom left": ("unten links", "links unten", "in untere linke ecke"),
            "bottom right": ("unten rechts", "rechts unten", "in untere rechte ecke"),
        },
    ),
    (
        "es",
        ("escribe", "pon texto", "añade texto", "agrega texto"),
        {
            "top": ("arriba", "en parte superior"),
            "bottom": ("abajo", "en parte inferior"),
            "center": ("en centro", "en el centro"),
            "top left": ("arriba a izquierda", "en esquina superior izquierda"),
            "top right": ("arriba a derecha", "en esquina superior derecha"),
            "bottom left": ("abajo a izquierda", "en esquina inferior izquierda"),
            "bottom right": ("abajo a derecha", "en esquina inferior derecha"),
        },
    ),
    (
        "fr",
        ("écris", "ajoute texte", "mets texte", "inscris", "écrivez"),
        {
            "top": ("en haut", "tout en haut"),
            "bottom": ("en bas", "tout en bas"),
            "center": ("au centre", "au milieu"),
            "top left": ("en haut à gauche",),
            "top right": ("en haut à droite",),
            "bottom left": ("en bas à gauche",),
            "bottom right": ("en bas à droite",),
        },
    ),
    (
        "zh",
        ("写上", "写", "加上文字", "添加文字", "加文字"),
        {"top": ("在上方", "在顶部"), "bottom": ("在下方", "在底部"), "center": ("在中间",)},
    ),
)
"""Verbs that write, and names of places, by language."""

DRAW_TEXT = (
    Lexicon(
        verbs=tuple(
            f"{ask} the {what}"
            for ask in ("i want", "i would like", "i need")
            for what in ("caption", "text", "words", "title")
        ),
        frames=(
            "{verb} {text}",
            "{verb} {text} on it",
            "{verb} {text} at the {place}",
            "{verb} {text} in {color}",
        ),
    ),
    Lexicon(
        verbs=tuple(
            f"{ask} the {what}" for ask in ("i want", "i would like") for what in ("caption", "text", "words")
        ),
        frames=(
            "{verb} {text} underneath",
            "{verb} {text} below",
            "{verb} {text} under it",
            "{verb} {text} below it",
        ),
        fixed=(("place", "bottom"),),
    ),
    Lexicon(
        verbs=(
            "write",
            "write the text",
            "add the text",
            "put the text",
            "add the words",
            "add the caption",
            "place the text",
        ),
        frames=(
            *(
                f"{{verb}} {{text}} {on} the {{place}}{of}{end}"
                for on in ("at", "in", "on", "across", "along", "near", "into", "to")
                for of in ("", " corner", " of it")
                for end in ("", " in {color}")
            ),
            *(
                f"{{verb}} {{text}} in {{color}} {on} the {{place}}"
                for on in ("at", "in", "across", "on", "along")
            ),
            "{verb} {text} in {color} letters",
            "{verb} {text} on it in {color} letters",
            "{verb} {text} in the {place} in {color} letters",
            "{verb} {text} on it in the {place}",
            "{verb} {text} on it in the {place} corner",
        ),
    ),
    Lexicon(
        verbs=_WRITES,
        frames=(
            "{verb} {text} on it",
            "{verb} {text} onto it",
            "{verb} {text} across it",
            "{verb} {text} over it",
        ),
    ),
    Lexicon(
        verbs=tuple(verb for verb in _WRITES if " " in verb),
        frames=("{verb} {text}", "{verb} {text} to it"),
    ),
    Lexicon(
        verbs=_WRITES,
        frames=(
            "{verb} {text} in {color}",
            "{verb} {text} on it in {color}",
            "{verb} {text} in {color} on it",
        ),
    ),
    *(
        Lexicon(
            verbs=_WRITES,
            nouns=nouns,
            frames=(
                "{verb} {text} at the {noun}",
                "{verb} {text} in the {noun}",
                "{verb} {text} on the {noun}",
                "{verb} {text} at the {noun} of it",
                "{verb} {text} in the {noun} of it",
                "{verb} {text} on it at the {noun}",
                "{verb} {text} in {color} at the {noun}",
                "{verb} {text} in {color} in the {noun}",
            ),
            fixed=(("place", place),),
        )
        for place, nouns in _PLACES.items()
    ),
    *(
        Lexicon(
            language=language,
            verbs=verbs,
            nouns=nouns,
            frames=(
                "{verb} {text} {noun}",
                "{verb} {text} {noun} hin",
                "{verb} {noun} {text}",
                "{verb} {text} auf it {noun}",
            ),
            fixed=(("place", place),),
        )
        for language, verbs, places in _WRITTEN_ABROAD
        for place, nouns in places.items()
    ),
    Lexicon(
        language="zh",
        frames=(
            "给it加上文字{text}",
            "给it加文字{text}",
            "加上文字{text}",
            "在it上加上{text}",
            "给it写上{text}",
            "加字{text}",
        ),
    ),
    *(
        Lexicon(
            language="de",
            nouns=nouns,
            frames=("füge {noun} text {text} hinzu", "füge text {text} {noun} hinzu"),
            fixed=(("place", place),),
        )
        for place, nouns in _WRITTEN_ABROAD[0][2].items()
    ),
    *(
        Lexicon(language=language, verbs=verbs, frames=("{verb} {text}", "{verb} text {text}"))
        for language, verbs, _ in _WRITTEN_ABROAD
    ),
    *(
        Lexicon(language=language, verbs=verbs, frames=(f"{{verb}} {{text}} {on} it",))
        for language, verbs, on in (
            ("de", ("schreibe", "schreib", "füge text", "setze text"), "auf"),
            ("es", ("escribe", "pon texto", "añade texto", "agrega texto"), "en"),
            ("es", ("escribe", "pon texto"), "sobre"),
            ("fr", ("écris", "écrivez", "ajoute texte", "mets texte", "inscris"), "sur"),
        )
    ),
    Lexicon(
        language="zh",
        frames=("在it上写{text}", "在it上写上{text}", "写上{text}", "添加文字{text}", "在it上添加文字{text}"),
    ),
)

_STACKED, _GRID, _PASTED = (("layout", "stacked"),), (("layout", "grid"),), (("layout", "paste"),)
_BESIDE = (("layout", "side by side"),)

COMBINE = (
    Lexicon(
        verbs=(
            "combine",
            "merge",
            "join",
            "put together",
            "montage",
            "concatenate",
            "stitch",
            "stitch together",
        ),
        frames=(
            "{verb} {others}",
            "{verb} {others} together",
            "{verb} {others} into one",
            "{verb} {others} in one",
        ),
    ),
    Lexicon(
        verbs=(
            "put",
            "place",
            "set",
            "combine",
            "merge",
            "join",
            "show",
            "show me",
            "arrange",
            "lay",
            "line up",
        ),
        frames=(
            "{verb} {others} side by side",
            "{verb} {others} next to each other",
            "{verb} {others} in a row",
        ),
        fixed=_BESIDE,
    ),
    Lexicon(
        verbs=("put", "place", "set", "show"),
        frames=("{verb} {others} next to {image_url}", "{verb} {others} beside {image_url}"),
        fixed=_BESIDE,
    ),
    Lexicon(
        verbs=("stack", "pile", "put", "place", "combine", "arrange"),
        frames=(
            "{verb} {others} on top of each other",
            "{verb} {others} vertically",
            "{verb} {others} in a column",
            "{verb} {others} one above the other",
        ),
        fixed=_STACKED,
    ),
    Lexicon(frames=("stack {others}",), fixed=_STACKED),
    Lexicon(
        verbs=("stack", "put", "place"),
        frames=("{verb} {image_url} above {others}", "{verb} {others} below {image_url}"),
        fixed=_STACKED,
    ),
    Lexicon(frames=("stack {image_url} on top of {others}",), fixed=_STACKED),
    Lexicon(
        verbs=("make", "create", "build", "give me"),
        nouns=("a collage", "a grid", "a contact sheet", "a mosaic", "a montage"),
        frames=("{verb} {noun} of {others}", "{verb} {noun} from {others}", "{verb} {noun} out of {others}"),
        fixed=_GRID,
    ),
    Lexicon(
        verbs=("combine", "arrange", "put", "merge", "lay out"),
        frames=(
            "{verb} {others} into a grid",
            "{verb} {others} in a grid",
            "{verb} {others} as a grid",
            "{verb} {others} into a collage",
            "{verb} {others} in a collage",
        ),
        fixed=_GRID,
    ),
    Lexicon(
        verbs=("paste", "overlay", "superimpose", "insert", "put", "place", "stick", "copy"),
        frames=(
            "{verb} {others} onto {image_url}",
            "{verb} {others} on {image_url}",
            "{verb} {others} over {image_url}",
            "{verb} {others} into {image_url}",
        ),
        fixed=_PASTED,
    ),
    Lexicon(
        verbs=("paste", "put", "place", "insert", "stick", "overlay"),
        frames=(
            "{verb} {others} in the {place} of {image_url}",
            "{verb} {others} in the {place} corner of {image_url}",
            "{verb} {others} at the {place} of {image_url}",
            "{verb} {others} into the {place} corner of {image_url}",
            "{verb} {others} onto the {place} corner of {image_url}",
        ),
        fixed=_PASTED,
    ),
    Lexicon(
        language="de",
        verbs=("kombiniere", "verbinde", "vereine", "füge zusammen"),
        frames=("{verb} {others}", "{verb} {others} zu einem it"),
    ),
    Lexicon(
        language="de", frames=("setze {others} nebeneinander", "stelle {others} nebeneinander"), fixed=_BESIDE
    ),
    Lexicon(language="es", verbs=("combina", "une", "junta"), frames=("{verb} {others}",)),
    Lexicon(
        language="fr", verbs=("combine", "combinez", "assemble", "fusionne"), frames=("{verb} {others}",)
    ),
    Lexicon(language="zh", frames=("合并{others}", "把{others}合并", "把{others}拼在一起", "将{others}合并")),
)

_ASKED: tuple[str, ...] = (
    "size",
    "dimensions",
    "resolution",
    "width",
    "height",
    "width and height",
    "format",
    "file format",
    "pixel size",
    "image size",
    "aspect ratio",
    "main colors",
    "main colours",
    "dominant color",
    "dominant colour",
    "dominant colors",
    "dominant colours",
    "color palette",
    "palette",
    "file type",
    "colors",
    "colours",
)

INFO = (
    Lexicon(
        verbs=(
            "how heavy",
            "how big",
            "how large",
            "how many bytes",
            "how many kilobytes",
            "how many megabytes",
        ),
        nouns=(
            "is the file",
            "is this file",
            "is the image file",
            "does it have",
            "is the file size",
            "does the file have",
        ),
        frames=("{verb} {noun}",),
    ),
    Lexicon(
        verbs=("is it", "is it actually", "is it really", "is the file"),
        nouns=("png", "jpeg", "jpg", "webp", "tiff", "avif"),
        frames=(
            *(
                "{verb} a {noun}",
                "{verb} {noun}",
                "{verb} a {noun} file",
                "{verb} an {noun}",
                "{verb} a {noun} or {_}",
            ),
            *("{verb} a {noun} or a {_}", "{verb} {noun} or {_}"),
        ),
    ),
    Lexicon(
        verbs=(
            "what resolution",
            "what dimensions",
            "what file format",
            "what aspect ratio",
            "how many megapixels",
        ),
        frames=("{verb} {_}",),
        is_fallback=True,
    ),
    Lexicon(
        verbs=("what are the", "which are the", "tell me the", "give me the", "list the", "name the"),
        nouns=(
            "three",
            "two",
            "four",
            "five",
            "3",
            "5",
            "most common",
            "most important",
            "strongest",
            "dominant",
        ),
        frames=(
            "{verb} {noun} main colors",
            "{verb} {noun} main colours",
            "{verb} {noun} colors",
            "{verb} {noun} dominant colors",
        ),
    ),
    Lexicon(
        frames=(
            "tell me the colors in hex",
            "hex colors",
            "hex codes of the colors",
            "what are the hex codes",
            "colors as hex",
        )
    ),
    Lexicon(
        language="fr",
        nouns=("taille", "dimensions", "résolution", "format", "couleurs"),
        frames=(
            "combien mesure it",
            "donne {noun} de it",
            "donne {noun}",
            "{noun} de it",
            "quelles sont {noun}",
            "quelle est {noun}",
            "{noun}",
        ),
    ),
    Lexicon(
        verbs=("which", "what"),
        nouns=("colors", "colours"),
        frames=(
            *(
                "{verb} {noun} dominate it",
                "{verb} {noun} dominate",
                "{verb} {noun} are dominant",
                "{verb} {noun} prevail",
            ),
            *(
                "{verb} {noun} does it have",
                "{verb} {noun} are in it",
                "{verb} {noun} are used",
                "{verb} {noun} make up it",
            ),
            *(
                "{verb} {noun} are there",
                "{verb} {noun} can you see",
                "{verb} {noun} do you see",
                "{verb} are the main {noun}",
            ),
        ),
    ),
    Lexicon(
        frames=(
            *(
                "how big is it in pixels",
                "how many megapixels",
                "how many pixels wide is it",
                "how many pixels tall is it",
            ),
            *(
                "is it landscape or portrait",
                "what is the ratio of it",
                "what are the pixel dimensions",
                "image dimensions",
            ),
            *(
                "how large is it in pixels",
                "what size is it",
                "what resolution is it",
                "what is the pixel count",
            ),
        ),
    ),
    Lexicon(
        verbs=(
            "what is",
            "what are",
            "tell me",
            "show me",
            "give me",
            "get",
            "find out",
            "i need",
            "i need to know",
            "check",
        ),
        nouns=_ASKED,
        frames=(
            "{verb} the {noun}",
            "{verb} the {noun} of it",
            "{verb} its {noun}",
            "{verb} the {noun} here",
        ),
    ),
    Lexicon(
        nouns=_ASKED,
        frames=(
            "{noun}",
            "{noun} of it",
            "what {noun} is it",
            "what {noun} does it have",
            "what {noun} are in it",
        ),
    ),
    Lexicon(
        frames=(
            "how big is it",
            "tell me how big it is",
            "how large is it",
            "how wide is it",
            "how high is it",
            "how tall is it",
            "how many pixels does it have",
            "how many megapixels does it have",
            "how many pixels is it",
            "how many pixels",
            "what is this format",
            "what format is this file",
            "what kind of file is it",
            "what kind of file is this",
            "what type of file is it",
            "what format does it have",
            "info",
            "image info",
            "tell me the metadata",
            "what is the main color of it",
        ),
    ),
    Lexicon(
        language="de",
        frames=(
            "wie groß ist it",
            "welche größe hat it",
            "welche auflösung hat it",
            "was ist größe von it",
            "wie breit ist it",
            "welches format hat it",
            "welche farben hat it",
            "größe",
            "auflösung",
        ),
    ),
    Lexicon(
        language="es",
        frames=(
            "qué tamaño tiene it",
            "qué tamaño tiene",
            "cuál es tamaño de it",
            "de qué tamaño es it",
            "qué resolución tiene it",
            "qué dimensiones tiene it",
            "qué formato tiene it",
            "qué colores tiene it",
            "tamaño",
            "cuál es tamaño",
            "cuáles son dimensiones de it",
            "cómo de grande es it",
        ),
    ),
    Lexicon(
        language="fr",
        frames=(
            "quelle est taille de it",
            "quelle taille fait it",
            "quelles sont dimensions de it",
            "quelle est résolution de it",
            "quel est format de it",
            "taille",
            "dimensions",
        ),
    ),
    Lexicon(
        language="zh",
        frames=(
            "it多大",
            "it有多大",
            "it的尺寸",
            "it的大小",
            "it的尺寸是多少",
            "多大",
            "尺寸",
            "分辨率",
            "it的分辨率是多少",
            "it是什么格式",
        ),
    ),
)


CONVERT = (
    Lexicon(
        verbs=("convert", "change", "turn", "switch", "go"),
        nouns=("png", "jpg", "jpeg", "webp", "tiff", "gif", "bmp", "heic", "avif"),
        frames=(
            *("{verb} {noun} to {format}", "{verb} {noun} into {format}", "{verb} from {noun} to {format}"),
            *(
                "{verb} it from {noun} to {format}",
                "{verb} the {noun} to {format}",
                "{verb} the {noun} into a {format}",
            ),
        ),
    ),
    Lexicon(
        verbs=(
            "export",
            "what about",
            "how about",
            "get",
            "give me",
            "send",
            "better",
            "rather",
            "prefer",
            "i prefer",
        ),
        frames=("{verb} {format}", "{verb} a {format}", "{verb} an {format}"),
    ),
    Lexicon(
        verbs=(
            *(
                "convert it",
                "change it",
                "turn it",
                "transform it",
                "export it",
                "save it",
                "store it",
                "make it",
            ),
            *(
                "switch it",
                "re-save it",
                "resave it",
                "write it",
                "put it",
                "download it",
                "get it",
                "have it",
            ),
            *(
                "give it to me",
                "i want it",
                "i need it",
                "i would like it",
                "output it",
                "send it",
                "keep it",
                "deliver it",
            ),
        ),
        nouns=tuple(f"{to}{article}" for to in ("to ", "into ", "as ", "in ", "") for article in ("", "a ")),
        frames=tuple(
            f"{{verb}} {{noun}}{{format}}{end}"
            for end in (
                "",
                " file",
                " image",
                " format",
                " version",
                " quality {quality}",
                " with quality {quality}",
            )
        ),
    ),
    Lexicon(
        verbs=("change", "switch", "set", "convert"),
        nouns=(
            "the format",
            "the file format",
            "the file type",
            "file type",
            "format",
            "the type",
            "the image format",
        ),
        frames=(
            "{verb} {noun} to {format}",
            "{verb} {noun} into {format}",
            "{verb} {noun} of it to {format}",
        ),
    ),
    Lexicon(
        verbs=(
            "give me",
            "i need",
            "i want",
            "can i have",
            "can i get",
            "get me",
            "make",
            "make me",
            "create",
            "send me",
        ),
        nouns=(
            "version",
            "file",
            "copy",
            "image",
            "of it",
            "out of it",
            "from it",
            "version of it",
            "copy of it",
        ),
        frames=(
            "{verb} a {format} {noun}",
            "{verb} an {format} {noun}",
            "{verb} the {format} {noun}",
            "{verb} a {format}",
        ),
    ),
    Lexicon(
        verbs=("save it as", "export it as", "convert it to", "save as", "give me"),
        frames=(
            "{verb} a high quality {format}",
            "{verb} high quality {format}",
            "{verb} a high-quality {format}",
            "{verb} best quality {format}",
        ),
    ),
    Lexicon(
        verbs=("save it as", "convert it to", "export it as", "as", "give me", "i need", "make it"),
        frames=(
            *(
                "{verb} a {format}",
                "{verb} {format}",
                "{verb} {format} quality {quality}",
                "{verb} {format} at {quality}%",
            ),
            *("{verb} {format} with quality {quality}", "{verb} {format} with {quality}% quality"),
        ),
    ),
    Lexicon(
        frames=(
            "{format} quality {quality}",
            "{format} please",
            "{format} {quality}% quality",
            "{format} version",
            "{format} format",
        )
    ),
    Lexicon(
        language="es",
        verbs=("guarda", "exporta", "convierte", "guardar"),
        frames=("{verb} como {format}", "{verb} en {format}"),
    ),
    Lexicon(
        language="de",
        verbs=("speichere", "speicher", "exportiere", "speichern"),
        frames=("{verb} als {format}", "als {format} {verb}"),
    ),
    Lexicon(
        language="fr",
        verbs=("enregistre", "exporte", "sauvegarde"),
        frames=("{verb} en {format}", "{verb} au format {format}"),
    ),
    Lexicon(
        verbs=("convert", "change", "turn", "transform", "export", "re-encode"),
        frames=(
            "{verb} it to {format}",
            "{verb} it into {format}",
            "{verb} it to a {format}",
            "{verb} it into a {format}",
            "{verb} it to a {format} file",
            "{verb} it to {format} format",
            "{verb} to {format}",
            "{verb} it to {format} with a quality of {quality}",
        ),
    ),
    Lexicon(
        verbs=("save", "export", "store", "download", "give me", "output", "i want", "i need", "send me"),
        frames=(
            "{verb} it as {format}",
            "{verb} it as a {format}",
            "{verb} it as a {format} file",
            "{verb} it in {format}",
            "{verb} it in {format} format",
            "{verb} as {format}",
            "{verb} it as {format} with a quality of {quality}",
        ),
    ),
    Lexicon(frames=("make it a {format}", "make it a {format} file", "as {format}", "to {format}")),
    Lexicon(
        language="de",
        verbs=("konvertiere", "wandle", "exportiere", "speichere", "ändere"),
        frames=(
            "{verb} it in {format}",
            "{verb} it in {format} um",
            "{verb} it nach {format}",
            "{verb} it zu {format}",
            "{verb} it als {format}",
        ),
    ),
    Lexicon(
        language="es",
        verbs=("convierte", "convertir", "guarda", "exporta", "cambia", "pasa"),
        frames=("{verb} it a {format}", "{verb} it en {format}", "{verb} it como {format}"),
    ),
    Lexicon(
        language="fr",
        verbs=("convertis", "convertir", "enregistre", "exporte", "sauvegarde", "transforme"),
        frames=("{verb} it en {format}", "{verb} it au format {format}", "{verb} en {format}"),
    ),
    Lexicon(
        language="zh",
        verbs=("转换", "转", "保存", "导出", "存"),
        frames=("把it{verb}成{format}", "把it{verb}为{format}", "{verb}成{format}", "{verb}为{format}"),
    ),
)
