"""Wordings of the operation that changes the file format."""

from __future__ import annotations

from promptvision.plugin import Lexicon

__all__ = ["CONVERT"]

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
