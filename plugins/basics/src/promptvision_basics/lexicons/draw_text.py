"""Wordings of the operation that writes text on images."""

from __future__ import annotations

from promptvision.plugin import Lexicon

__all__ = ["DRAW_TEXT"]

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
