"""Words that ask for more pixels, in English, German, Spanish, French and Chinese."""

from __future__ import annotations

from promptvision.plugin import Lexicon

__all__ = ["UPSCALE"]

_ENLARGES = (
    "enlarge",
    "scale up",
    "blow up",
    "scale",
    "upscale",
    "resize",
    "increase",
    "make",
    "blow",
    "zoom",
    "magnify",
)
_LOSSLESS = (
    *(
        "without losing {_}",
        "without making it {_}",
        "without it getting {_}",
        "without loss of {_}",
        "without blurring {_}",
    ),
    *(
        "without it becoming {_}",
        "without it looking {_}",
        "without pixelation",
        "without quality loss",
        "without any loss",
        "without loss of quality",
        "in good quality",
        "without blur",
        "without loss",
        "but keep it sharp",
    ),
    *(
        "and keep it sharp",
        "and keep the quality",
        "but keep the quality",
        "while keeping the quality",
        "while keeping it sharp",
    ),
)
_QUALITIES = ("quality", "image quality", "resolution", "detail", "details", "definition")

UPSCALE = (
    Lexicon(
        verbs=("bigger", "larger", "enlarged", "make it bigger", "make it larger", "a bigger version"),
        frames=(
            "{verb} but still sharp",
            "{verb} but sharp",
            "{verb} and sharp",
            "{verb} and still sharp",
            "{verb} without blur",
        ),
    ),
    Lexicon(
        verbs=("low", "poor", "bad", "small", "weak", "terrible", "awful"),
        nouns=("resolution", "quality", "image quality"),
        frames=(
            "the {noun} is too {verb}",
            "the {noun} is {verb}",
            "the {noun} is so {verb}",
            "the {noun} is very {verb}",
        ),
    ),
    *(
        Lexicon(
            verbs=_ENLARGES,
            nouns=(f"{factor}00%", f"to {factor}00%", f"by {factor}00%", f"{factor} times bigger"),
            frames=tuple(f"{{verb}} it {{noun}} {lossless}" for lossless in _LOSSLESS),
            fixed=(("factor", factor),),
        )
        for factor in (2, 4)
    ),
    Lexicon(
        verbs=_ENLARGES,
        frames=tuple(
            f"{{verb}}{it} {lossless}" for it in ("", " it", " it up", " it bigger") for lossless in _LOSSLESS
        ),
    ),
    Lexicon(
        verbs=(
            "improve",
            "enhance",
            "increase",
            "boost",
            "raise",
            "better",
            "up",
            "upgrade",
            "restore",
            "recover",
            "bring out",
        ),
        nouns=_QUALITIES,
        frames=(
            "{verb} the {noun}",
            "{verb} {noun}",
            "{verb} its {noun}",
            "{verb} the {noun} of it",
            "{verb} the {noun} in it",
        ),
    ),
    Lexicon(
        verbs=(
            "make it",
            "give it",
            "i want",
            "i need",
            "get it",
            "it needs",
            "a",
            "i need a",
            "give me a",
            "i want a",
            "in",
        ),
        nouns=(
            *(
                "higher resolution",
                "a higher resolution",
                "better resolution",
                "better quality",
                "higher quality",
                "more detail",
            ),
            *(
                "more details",
                "high resolution",
                "high quality",
                "hd",
                "hd quality",
                "more pixels",
                "higher res",
                "hi-res",
            ),
            *("super resolution", "higher definition", "better quality version", "higher resolution version"),
        ),
        frames=("{verb} {noun}", "{noun}"),
    ),
    Lexicon(
        verbs=(
            "it is",
            "it looks",
            "too",
            "it is too",
            "it is so",
            "it looks too",
            "it is very",
            "it looks so",
            "it came out",
        ),
        nouns=(
            "low res",
            "low-res",
            "low resolution",
            "lowres",
            "pixelated",
            "pixelly",
            "blocky",
            "low quality",
            "pixely",
        ),
        frames=(
            "{verb} {noun}",
            "low resolution",
            "the resolution is too low",
            "the quality is too low",
            "the quality is bad",
        ),
    ),
    Lexicon(
        verbs=("enlarge", "scale up", "blow up", "make", "scale", "upscale", "resize", "increase"),
        nouns=(
            "it",
            "it bigger",
            "it larger",
            "it up",
            "it 200%",
            "it to 200%",
            "the size of it",
            "its size",
        ),
        frames=(
            *("{verb} {noun} without losing {_}", "{verb} {noun} without making it {_}"),
            *("{verb} {noun} without loss of {_}", "{verb} {noun} without it getting {_}"),
            "{verb} {noun} without blurring {_}",
        ),
    ),
    Lexicon(
        verbs=("upscale", "super-resolve", "upsample"),
        frames=(
            "{verb}",
            "{verb} it",
            "{verb} it {factor}x",
            "{verb} it {factor} times",
            "{verb} it by {factor}",
            "{verb} by {factor}",
            "{verb} {factor}x",
            "{verb} it by {factor}x",
            "{verb} it by a factor of {factor}",
        ),
    ),
    *(
        Lexicon(
            verbs=("upscale", "super-resolve", "upsample"),
            frames=tuple(
                f"{{verb}} {it}{by}{factor}00%" for it in ("it ", "") for by in ("", "by ", "to ", "up to ")
            ),
            fixed=(("factor", factor),),
        )
        for factor in (2, 4)
    ),
    Lexicon(
        verbs=("increase", "improve", "enhance", "raise", "boost", "double"),
        nouns=("resolution",),
        frames=("{verb} the {noun}", "{verb} its {noun}", "{verb} the {noun} of it"),
    ),
    Lexicon(frames=("make it high resolution", "make it high-res", "make it hd", "give it more resolution")),
    Lexicon(frames=("make it 4k", "upscale it to 4x"), fixed=(("factor", 4),)),
    Lexicon(
        language="de",
        frames=(
            "skaliere it hoch",
            "rechne it hoch",
            "erhöhe auflösung",
            "erhöhe auflösung von it",
            "verbessere auflösung",
            "verdopple auflösung",
        ),
    ),
    Lexicon(
        language="es",
        frames=("aumenta resolución", "aumenta resolución de it", "mejora resolución", "escala it"),
    ),
    Lexicon(
        language="fr",
        frames=(
            "augmente résolution",
            "augmente résolution de it",
            "améliore résolution",
            "double résolution",
        ),
    ),
    Lexicon(
        language="zh", frames=("提高分辨率", "提高it的分辨率", "把it放大{factor}倍", "提升清晰度", "超分辨率")
    ),
)
