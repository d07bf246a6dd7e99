"""Wordings of the operation that makes images from text."""

from __future__ import annotations

from promptvision.tools.tool import Lexicon

__all__ = ["GENERATE"]

_IMAGES = (
    "image",
    "picture",
    "photo",
    "photograph",
    "pic",
    "illustration",
    "drawing",
    "painting",
    "artwork",
    "portrait",
)

GENERATE = (
    Lexicon(
        nouns=tuple(
            f"{article} {noun}"
            for noun in ("image", "picture", "drawing", "painting", "illustration")
            for article in ("a", "an")
        ),
        frames=("{noun} of a {prompt}", "{noun} of an {prompt}"),
        is_fallback=True,
    ),
    Lexicon(
        verbs=(
            "make me",
            "create me",
            "design me",
            "draw me",
            "make",
            "create",
            "design",
            "generate",
            "i need",
            "i want",
        ),
        nouns=(
            "logo",
            "poster",
            "banner",
            "flyer",
            "wallpaper",
            "icon",
            "book cover",
            "postcard",
            "birthday card",
            "t-shirt design",
        ),
        frames=(
            *("{verb} a {noun} with {prompt}", "{verb} a {noun} of {prompt}", "{verb} a {noun} for {prompt}"),
            "{verb} a {noun} showing {prompt}",
        ),
    ),
    Lexicon(
        verbs=("invent", "dream up", "come up with", "invent me", "think up"),
        nouns=tuple(f"{article} {noun}" for noun in _IMAGES for article in ("a", "an")),
        frames=("{verb} {noun} of {prompt}", "{verb} {noun} with {prompt}"),
    ),
    Lexicon(
        verbs=tuple(
            f"{verb}{me}"
            for verb in (
                "generate",
                "create",
                "draw",
                "make",
                "paint",
                "render",
                "produce",
                "design",
                "imagine",
            )
            for me in ("", " me")
        ),
        nouns=tuple(f"{article} {noun}" for noun in _IMAGES for article in ("a", "an", "a new", "another")),
        frames=("{verb} {noun} of {prompt}", "{verb} {noun} showing {prompt}", "{verb} {noun} with {prompt}"),
    ),
    Lexicon(verbs=("generate", "imagine"), frames=("{verb} a {prompt}", "{verb} an {prompt}")),
    Lexicon(nouns=_IMAGES, frames=("a new {noun} of {prompt}",)),
    Lexicon(
        verbs=("draw me", "paint me", "sketch me", "generate me", "create me", "imagine me"),
        frames=("{verb} a {prompt}", "{verb} an {prompt}", "{verb} some {prompt}", "{verb} two {prompt}"),
    ),
    Lexicon(
        verbs=("draw", "paint", "sketch", "create", "design"),
        frames=("{verb} a {prompt}", "{verb} an {prompt}", "{verb} some {prompt}"),
        is_fallback=True,
    ),
    Lexicon(
        language="de",
        verbs=("generiere", "erzeuge", "erstelle", "male", "zeichne", "mal", "mach", "mache"),
        frames=("{verb} it von {prompt}", "{verb} mir it von {prompt}", "{verb} neues it von {prompt}"),
    ),
    Lexicon(
        language="es",
        verbs=("genera", "crea", "dibuja", "pinta", "haz", "créame", "dibújame", "hazme"),
        frames=("{verb} it de {prompt}", "{verb} nueva it de {prompt}", "{verb} dibujo de {prompt}"),
    ),
    Lexicon(
        language="fr",
        verbs=(
            "génère",
            "crée",
            "dessine",
            "peins",
            "fais",
            "génère-moi",
            "dessine-moi",
            "crée-moi",
            "fais-moi",
        ),
        frames=("{verb} it de {prompt}", "{verb} it d'{prompt}", "{verb} dessin de {prompt}"),
    ),
    Lexicon(
        language="zh",
        verbs=("生成", "画", "创建", "制作", "创作"),
        frames=(
            "{verb}一张{prompt}的it",
            "{verb}一幅{prompt}的it",
            "{verb}{prompt}的it",
            "{verb}一张{prompt}",
        ),
    ),
)
