"""Wordings of the operation that combines images."""

from __future__ import annotations

from promptvision.plugin import Lexicon

__all__ = ["COMBINE"]

_STACKED, _GRID, _PASTED = (("layout", "stacked"),), (("layout", "grid"),), (("layout", "paste"),)

_BESIDE = (("layout", "side by side"),)

COMBINE = (
    Lexicon(
        verbs=(
            "combine",
            "merge",
            "join",
            "put together",
            "montage",
            "concatenate",
            "stitch",
            "stitch together",
        ),
        frames=(
            "{verb} {others}",
            "{verb} {others} together",
            "{verb} {others} into one",
            "{verb} {others} in one",
        ),
    ),
    Lexicon(
        verbs=(
            "put",
            "place",
            "set",
            "combine",
            "merge",
            "join",
            "show",
            "show me",
            "arrange",
            "lay",
            "line up",
        ),
        frames=(
            "{verb} {others} side by side",
            "{verb} {others} next to each other",
            "{verb} {others} in a row",
        ),
        fixed=_BESIDE,
    ),
    Lexicon(
        verbs=("put", "place", "set", "show"),
        frames=("{verb} {others} next to {image_url}", "{verb} {others} beside {image_url}"),
        fixed=_BESIDE,
    ),
    Lexicon(
        verbs=("stack", "pile", "put", "place", "combine", "arrange"),
        frames=(
            "{verb} {others} on top of each other",
            "{verb} {others} vertically",
            "{verb} {others} in a column",
            "{verb} {others} one above the other",
        ),
        fixed=_STACKED,
    ),
    Lexicon(frames=("stack {others}",), fixed=_STACKED),
    Lexicon(
        verbs=("stack", "put", "place"),
        frames=("{verb} {image_url} above {others}", "{verb} {others} below {image_url}"),
        fixed=_STACKED,
    ),
    Lexicon(frames=("stack {image_url} on top of {others}",), fixed=_STACKED),
    Lexicon(
        verbs=("make", "create", "build", "give me"),
        nouns=("a collage", "a grid", "a contact sheet", "a mosaic", "a montage"),
        frames=("{verb} {noun} of {others}", "{verb} {noun} from {others}", "{verb} {noun} out of {others}"),
        fixed=_GRID,
    ),
    Lexicon(
        verbs=("combine", "arrange", "put", "merge", "lay out"),
        frames=(
            "{verb} {others} into a grid",
            "{verb} {others} in a grid",
            "{verb} {others} as a grid",
            "{verb} {others} into a collage",
            "{verb} {others} in a collage",
        ),
        fixed=_GRID,
    ),
    Lexicon(
        verbs=("paste", "overlay", "superimpose", "insert", "put", "place", "stick", "copy"),
        frames=(
            "{verb} {others} onto {image_url}",
            "{verb} {others} on {image_url}",
            "{verb} {others} over {image_url}",
            "{verb} {others} into {image_url}",
        ),
        fixed=_PASTED,
    ),
    Lexicon(
        verbs=("paste", "put", "place", "insert", "stick", "overlay"),
        frames=(
            "{verb} {others} in the {place} of {image_url}",
            "{verb} {others} in the {place} corner of {image_url}",
            "{verb} {others} at the {place} of {image_url}",
            "{verb} {others} into the {place} corner of {image_url}",
            "{verb} {others} onto the {place} corner of {image_url}",
        ),
        fixed=_PASTED,
    ),
    Lexicon(
        language="de",
        verbs=("kombiniere", "verbinde", "vereine", "füge zusammen"),
        frames=("{verb} {others}", "{verb} {others} zu einem it"),
    ),
    Lexicon(
        language="de", frames=("setze {others} nebeneinander", "stelle {others} nebeneinander"), fixed=_BESIDE
    ),
    Lexicon(language="es", verbs=("combina", "une", "junta"), frames=("{verb} {others}",)),
    Lexicon(
        language="fr", verbs=("combine", "combinez", "assemble", "fusionne"), frames=("{verb} {others}",)
    ),
    Lexicon(language="zh", frames=("合并{others}", "把{others}合并", "把{others}拼在一起", "将{others}合并")),
)
