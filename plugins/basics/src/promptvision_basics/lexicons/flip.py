"""Wordings of the operation that mirrors images."""

from __future__ import annotations

from promptvision.plugin import Lexicon

__all__ = ["FLIP"]

_HORIZONTAL, _VERTICAL = ("direction", "horizontal"), ("direction", "vertical")

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
