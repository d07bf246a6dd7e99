"""Wordings of the operation that outlines objects."""

from __future__ import annotations

from promptvision.tools.tool import Lexicon

__all__ = ["SEGMENT"]

SEGMENT = (
    Lexicon(
        verbs=(
            "get",
            "get me",
            "give me",
            "make",
            "make me",
            "create",
            "draw",
            "show",
            "show me",
            "produce",
            "i need",
        ),
        nouns=(
            "outline",
            "mask",
            "silhouette",
            "selection",
            "contour",
            "segmentation",
            "segmentation mask",
            "shape",
        ),
        frames=tuple(
            f"{{verb}} {article} {{noun}} {of} {{target}}"
            for article in ("a", "an", "the")
            for of in ("of", "for", "around")
        ),
    ),
    Lexicon(
        verbs=("draw", "put", "trace"), frames=("{verb} a line around {target}", "{verb} around {target}")
    ),
    Lexicon(
        verbs=(
            "segment",
            "segment out",
            "mask",
            "mask out",
            "outline",
            "select",
            "trace",
            "isolate",
            "make a mask of",
            "make a mask for",
            "create a mask for",
            "create a mask of",
            "get a mask of",
            "give me a mask of",
            "give me a mask for",
            "generate a mask of",
            "generate a mask for",
            "draw a mask of",
            "trace the outline of",
            "draw the outline of",
            "extract the mask of",
        ),
        frames=("{verb} {target}", "{verb} {target} in it", "{verb} {target} from it"),
    ),
    Lexicon(
        language="de",
        verbs=(
            "segmentiere",
            "maskiere",
            "wähle",
            "umrande",
            "erstelle maske von",
            "mach maske von",
            "stelle",
            "stell",
        ),
        frames=("{verb} {target}", "{verb} {target} auf it", "{verb} {target} in it", "{verb} {target} aus"),
    ),
    Lexicon(language="de", frames=("{target} freistellen", "stelle {target} frei", "stell {target} frei")),
    Lexicon(
        language="es",
        verbs=("segmenta", "selecciona", "enmascara", "haz una máscara de", "crea una máscara de"),
        frames=("{verb} {target}", "{verb} {target} en it"),
    ),
    Lexicon(
        language="fr",
        verbs=(
            "segmente",
            "segmentez",
            "sélectionne",
            "masque",
            "détoure",
            "fais un masque de",
            "crée un masque de",
        ),
        frames=("{verb} {target}", "{verb} {target} sur it", "{verb} {target} dans it"),
    ),
    Lexicon(
        language="zh",
        verbs=("分割出", "分割", "选中", "选择", "抠出", "圈出"),
        frames=("{verb}{target}",),
    ),
)
