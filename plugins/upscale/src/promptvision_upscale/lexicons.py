"""Words that ask for more pixels, in English, German, Spanish, French and Chinese."""

from __future__ import annotations

from promptvision.plugin import Lexicon

__all__ = ["UPSCALE"]

UPSCALE = (
    *(
        Lexicon(
            verbs=("enlarge", "scale up", "blow up", "upscale", "scale", "make"),
            nouns=(
                f"it {factor}00%",
                f"it to {factor}00%",
                f"it by {factor}00%",
                f"it {factor} times bigger",
            ),
            frames=(
                *("{verb} {noun} without losing {_}", "{verb} {noun} without making it {_}"),
                *("{verb} {noun} without loss of {_}", "{verb} {noun} without it getting {_}"),
            ),
            fixed=(("factor", factor),),
        )
        for factor in (2, 4)
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
