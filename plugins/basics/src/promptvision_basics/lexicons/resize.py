"""Wordings of the operation that changes the size."""

from __future__ import annotations

from promptvision.plugin import Lexicon
from promptvision_basics.lexicons.comparatives import compared

__all__ = ["FORMATTED", "RESIZE"]

FORMATTED = (
    *("make it", "turn it into", "format it to", "format it as", "fit it to", "fit it into", "frame it"),
    *("frame it to", "it should be", "it must be", "it has to be", "i need it in", "i need it", "it in"),
    *("i want it in", "get it in", "get it to", "have it", "it as", "go for", "use", "switch to"),
    *("can it be", "could it be", "can it be in", "could it be in", "can i have it in", "can i get it in"),
)
"""What is said before the ratio of the sides or the size that an image is to have."""

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
        verbs=FORMATTED,
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
            Lexicon(language=language, frames=compared(language, smaller), fixed=(("percent", 50),)),
            Lexicon(language=language, frames=compared(language, bigger), fixed=(("percent", 200),)),
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
