"""Wordings of the operation that rotates images."""

from __future__ import annotations

from promptvision.plugin import Lexicon

__all__ = ["ROTATE"]

_RIGHT, _LEFT = ("direction", "clockwise"), ("direction", "counterclockwise")

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
