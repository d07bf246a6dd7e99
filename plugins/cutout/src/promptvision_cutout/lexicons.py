"""Words that ask for the subject without its background, in English, German, Spanish, French and Chinese."""

from __future__ import annotations

from promptvision.plugin import Lexicon

__all__ = ["REMOVE_BACKGROUND"]

REMOVE_BACKGROUND = (
    Lexicon(
        verbs=(
            "remove",
            "delete",
            "erase",
            "get rid of",
            "cut out",
            "cut away",
            "strip",
            "drop",
            "take away",
        ),
        nouns=("background", "backdrop"),
        frames=("{verb} the {noun}", "{verb} {noun}", "{verb} its {noun}", "{verb} the {noun} of it"),
    ),
    Lexicon(
        verbs=("remove", "delete", "erase", "cut out"),
        nouns=("background", "backdrop"),
        frames=("{verb} the {noun} behind {target}", "{verb} the {noun} around {target}"),
    ),
    Lexicon(verbs=("isolate", "extract", "cut out"), frames=("{verb} the subject", "{verb} {target}")),
    Lexicon(
        frames=(
            "make the background transparent",
            "make it transparent",
            "transparent background",
            "no background",
            "without background",
            "give it a transparent background",
        ),
    ),
    Lexicon(
        verbs=("put it on", "place it on", "set it on", "give it"),
        frames=("{verb} a {background} background", "{verb} {background} background"),
    ),
    Lexicon(
        language="de",
        frames=(
            "entferne hintergrund",
            "entferne hintergrund von it",
            "lösche hintergrund",
            "stelle it frei",
            "stelle {target} frei",
            "mache hintergrund transparent",
        ),
    ),
    Lexicon(
        language="es",
        frames=(
            "quita fondo",
            "elimina fondo",
            "borra fondo",
            "quita fondo de it",
            "haz fondo transparente",
            "recorta {target}",
        ),
    ),
    Lexicon(
        language="fr",
        frames=(
            "enlève fond",
            "supprime fond",
            "efface fond",
            "supprime arrière-plan",
            "enlève arrière-plan",
            "rends fond transparent",
            "détoure {target}",
            "détoure it",
        ),
    ),
    Lexicon(
        language="zh",
        frames=(
            "去掉背景",
            "去除背景",
            "删除背景",
            "移除背景",
            "把背景去掉",
            "抠图",
            "抠出{target}",
            "把背景变透明",
        ),
    ),
)
