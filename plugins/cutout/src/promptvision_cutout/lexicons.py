"""Words that ask for the subject without its background, in English, German, Spanish, French and Chinese."""

from __future__ import annotations

from promptvision.plugin import Lexicon

__all__ = ["REMOVE_BACKGROUND"]

_PLAIN = ("", "plain ", "solid ", "clean ", "pure ", "simple ")

_COLOURS = ("white", "black", "grey", "gray", "blue", "green", "red", "yellow", "pink", "orange", "beige")

REMOVE_BACKGROUND = (
    *(
        Lexicon(
            language=language, verbs=(word,), nouns=(ground,), frames=frames, fixed=(("background", colour),)
        )
        for language, ground, frames, white, black in (
            (
                "de",
                "hintergrund",
                ("{verb} {noun}", "vor {verb} {noun}", "mit {verb} {noun}"),
                "weißer",
                "schwarzer",
            ),
            ("es", "fondo", ("{noun} {verb}", "con {noun} {verb}", "sobre {noun} {verb}"), "blanco", "negro"),
            ("fr", "fond", ("{noun} {verb}", "avec {noun} {verb}", "sur {noun} {verb}"), "blanc", "noir"),
            ("zh", "背景", ("{verb}{noun}", "{verb}的{noun}"), "白色", "黑色"),
        )
        for colour, word in (("white", white), ("black", black))
    ),
    Lexicon(
        language="de",
        frames=(
            "hintergrund weg",
            "hintergrund entfernen",
            "hintergrund raus",
            "ohne hintergrund",
            "mach hintergrund weg",
            "kein hintergrund",
        ),
    ),
    Lexicon(
        language="es",
        frames=("sin fondo", "fondo transparente", "fuera fondo", "quítale fondo", "elimina fondo de it"),
    ),
    Lexicon(
        language="fr",
        frames=("sans fond", "fond transparent", "sans arrière-plan", "retire fond", "vire fond", "ôte fond"),
    ),
    Lexicon(language="zh", frames=("透明背景", "背景透明", "不要背景", "去背景", "把背景去除", "把背景删掉")),
    Lexicon(
        verbs=("take", "get", "cut", "strip", "throw", "pull", "clear", "wipe", "lift"),
        nouns=("away", "off", "out", "out of it", "from it", "away from it"),
        frames=("{verb} the background {noun}", "{verb} background {noun}"),
    ),
    Lexicon(
        verbs=("take", "cut", "strip", "lift"),
        frames=("{verb} off the background", "{verb} out the background"),
    ),
    Lexicon(
        verbs=("make", "turn", "have", "get", "set"),
        nouns=("transparent", "see-through", "invisible", "clear", "to transparent"),
        frames=(
            "{verb} background {noun}",
            "{verb} the bg {noun}",
            "{verb} bg {noun}",
            "{verb} the backdrop {noun}",
        ),
    ),
    Lexicon(
        verbs=(
            *(
                "give me",
                "i need",
                "i want",
                "make",
                "make it",
                "make me",
                "save it as",
                "get me",
                "export it as",
                "create",
            ),
            *("can i have", "can i get", "i would like", "turn it into", "as", "it as", "send me", "produce"),
        ),
        nouns=tuple(
            f"{article}{kind}"
            for article in ("a ", "")
            for kind in ("png", "image", "version", "copy", "file")
        ),
        frames=tuple(
            f"{{verb}} {{noun}} {end}"
            for end in (
                *(
                    "with a transparent background",
                    "with transparent background",
                    "with no background",
                    "without background",
                ),
                *(
                    "without a background",
                    "without the background",
                    "on a transparent background",
                ),
            )
        ),
    ),
    *(
        Lexicon(
            nouns=tuple(f"{plain}{colour}" for plain in _PLAIN),
            frames=("{noun} background", "{noun} backdrop", "a {noun} background", "a {noun} backdrop"),
            fixed=(("background", colour),),
        )
        for colour in _COLOURS
    ),
    Lexicon(
        verbs=("with", "on", "use", "i want", "i need", "make it", "give it", "put it on", "i would like"),
        nouns=tuple(f"{article}{plain}" for article in ("", "a ") for plain in _PLAIN),
        frames=("{verb} {noun}{background} background", "{verb} {noun}{background} backdrop"),
    ),
    Lexicon(
        verbs=(
            "just",
            "only",
            "give me just",
            "give me only",
            "i only want",
            "i just want",
            "i only need",
            "keep only",
            "leave only",
        ),
        nouns=(
            *(
                "nothing behind it",
                "nothing else",
                "no background",
                "nothing around it",
                "nothing behind them",
                "without background",
            ),
            *(
                "without the background",
                "without anything behind it",
                "on its own",
                "by itself",
                "without a background",
            ),
        ),
        frames=(
            "{verb} {target}, {noun}",
            "{verb} {target} please, {noun}",
            "{verb} {target} {noun}",
            "{verb} {target} and {noun}",
            "{verb} {target} with {noun}",
        ),
    ),
    Lexicon(
        verbs=(
            "make a sticker out of",
            "make a sticker from",
            "turn into a sticker",
            "a cutout of",
            "make a cutout from",
            "a sticker of",
        ),
        frames=("{verb} {target}",),
    ),
    Lexicon(
        verbs=(
            "clear",
            "clean",
            "wipe",
            "knock out",
            "lift off",
            "throw away",
            "take out",
            "kill",
            "cut off",
            "erase",
            "clear out",
        ),
        nouns=("the background", "its background", "the backdrop", "background"),
        frames=("{verb} {noun}", "{verb} {noun} of it", "{verb} {noun} from it"),
    ),
    *(
        Lexicon(
            verbs=("put", "place", "set", "show", "have", "i need", "i want", "need", "isolate", "cut out"),
            nouns=tuple(f"{plain}{colour}" for plain in _PLAIN),
            frames=(
                "{noun} background",
                "a {noun} background",
                "{verb} {target} on {noun}",
                "{verb} it on {noun}",
                "{verb} {target} against {noun}",
            ),
            fixed=(("background", colour),),
        )
        for colour in _COLOURS
    ),
    Lexicon(
        language="de",
        verbs=("schneide", "schneid", "stelle", "stell"),
        frames=("{verb} {target} frei",),
    ),
    Lexicon(
        verbs=("cut", "free", "release", "set"),
        frames=(
            *(
                "{verb} {target} free",
                "{verb} {target} free from the background",
                "{verb} {target} from the background",
            ),
            *("{verb} {target} free from its background", "{verb} {target} from its background"),
        ),
    ),
    Lexicon(
        verbs=("lift", "extract", "pull", "separate", "isolate"),
        frames=(
            "{verb} {target} out of it",
            "{verb} {target} from it",
            "{verb} {target} from the background",
        ),
    ),
    Lexicon(
        verbs=("cut", "snip", "clip"),
        nouns=("him", "her", "them", "it"),
        frames=("{verb} {noun} out",),
    ),
    Lexicon(
        verbs=("make", "turn"),
        nouns=("transparent", "see-through", "invisible", "clear"),
        frames=(
            "{verb} the background {noun}",
            "{verb} its background {noun}",
            "{verb} everything else {noun}",
        ),
    ),
    Lexicon(frames=("background out", "background gone", "no background", "without background", "bg out")),
    Lexicon(
        frames=("{target} only, no background", "just {target}, no background", "{target} without background")
    ),
    Lexicon(
        verbs=(
            "give me",
            "i need",
            "i want",
            "make",
            "add",
            "give it",
            "get me",
            "with",
            "on",
            "i would like",
            "have",
        ),
        nouns=(
            "a transparent background",
            "transparent background",
            "a see-through background",
            "no background",
        ),
        frames=("{verb} {noun}", "{verb} it with {noun}", "{verb} it on {noun}", "{verb} it {noun}"),
    ),
    Lexicon(
        frames=(
            *("make the background see-through", "make the background invisible", "knock out the background"),
            *(
                "get the background removed",
                "have the background removed",
                "background removal",
                "background gone",
            ),
            *(
                "background off",
                "no bg",
                "remove bg",
                "remove the bg",
                "transparent bg",
                "cut out the main subject",
            ),
            *(
                "cut out the foreground",
                "keep only the foreground",
                "lose the background",
                "ditch the background",
            ),
            *(
                "make a cutout of it",
                "make a cutout",
                "cutout",
                "cut-out",
                "make it a sticker",
                "transparent",
            ),
        ),
    ),
    Lexicon(
        verbs=("cut out", "isolate", "extract", "put", "place", "show", "show me", "set", "cut"),
        frames=(
            "{verb} {target} on a transparent background",
            "{verb} {target} with a transparent background",
            "{verb} {target} onto a transparent background",
            "{verb} {target} out on a transparent background",
            "{verb} {target} without the background",
            "{verb} {target} without background",
        ),
    ),
    Lexicon(
        verbs=(
            "put",
            "place",
            "set",
            "show",
            "have",
            "leave",
            "isolate",
            "cut out",
            "i want",
            "i need",
            "give me",
        ),
        frames=(
            *(f"{{verb}} {{target}} on a {plain}{{background}} background" for plain in _PLAIN),
            "{verb} {target} against a {background} background",
        ),
    ),
    Lexicon(
        verbs=("isolate", "cut out", "put", "show"),
        frames=("{verb} {target} on transparent", "{verb} {target} transparently"),
    ),
    Lexicon(
        verbs=("extract", "export", "save", "give me"),
        frames=("{verb} {target} as a cutout", "{verb} {target} as a sticker"),
    ),
    Lexicon(
        frames=(
            "make a cutout of {target}",
            "make a sticker of {target}",
            "{target} on a transparent background",
        )
    ),
    Lexicon(
        frames=tuple(
            f"{lead} {plain}{{background}}"
            for lead in ("make the background", "turn the background", "set the background to", "background")
            for plain in _PLAIN[1:]
        )
        + tuple(
            f"{lead} a {plain}{{background}} background"
            for lead in (
                "put it on",
                "place it on",
                "give it",
                "use",
                "i want",
                "i need",
                "with",
                "add",
                "have it on",
                "on",
            )
            for plain in _PLAIN
        ),
    ),
    Lexicon(
        verbs=("blur", "defocus", "blur out"),
        nouns=("whatever is behind", "everything behind", "what is behind", "all behind", "anything behind"),
        frames=("{verb} {noun} {target}",),
        fixed=(("background", "blur"),),
    ),
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
