"""Requests about the whole image in any word order."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field

from promptvision.builtin.planner.bags import bag_match
from promptvision.builtin.planner.books import PhraseBook
from promptvision.builtin.planner.patterns import quoted
from promptvision.testing.agents import make_registry
from promptvision.tools.image_models import ImageArgs, ImageResult
from promptvision.tools.tool import Lexicon, Operation, Tool


class TuneArgs(ImageArgs):
    """Arguments of a made-up operation."""

    warmth: float = Field(1.0, description="Factor.")
    width: int | None = Field(None, description="Pixels.")
    height: int | None = Field(None, description="Pixels.")
    text: str = Field("", description="Words to write.")


class TuneResult(ImageResult):
    """Its result."""


TUNE = Operation(
    name="tune_image",
    description="Tune an image.",
    args=TuneArgs,
    result=TuneResult,
    lexicons=(
        Lexicon(
            verbs=("increase", "raise"),
            nouns=("warmth",),
            frames=("{verb} the {noun}",),
            fixed=(("warmth", 1.2),),
        ),
        Lexicon(nouns=("warmth",), frames=("lower the {noun}", "less {noun}"), fixed=(("warmth", 0.8),)),
        Lexicon(frames=("fit it to {width}x{height}", "stamp {text} on it")),
        Lexicon(language="fr", frames=("plus de chaleur",), fixed=(("warmth", 1.2),)),
    ),
)
FUNCTIONS = make_registry([Tool(name="tune", operation=TUNE, run="nowhere:run")]).functions()


def arguments(clause: str, language: str = "en") -> dict[str, Any] | None:
    match = bag_match(clause, PhraseBook(FUNCTIONS, language))
    return None if match is None else dict(match.arguments)


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("could the warmth of this shot be increased a bit", {"warmth": 1.2}),
        ("I would like to have less of the warmth please", {"warmth": 0.8}),
        ("to 640x480 please fit the photo", {"width": "640", "height": "480"}),
        (quoted('on the image please stamp "Ahoy, You"'), {"text": "Ahoy, You"}),
    ],
)
def test_word_order_does_not_matter(clause: str, expected: dict[str, Any]) -> None:
    assert arguments(clause) == expected


@pytest.mark.parametrize(
    "clause",
    [
        "increase the warmth of the sofa",  # a word that no phrase has
        "do not increase the warmth",
        "increase the warmth, less warmth",  # two calls that fit equally well
        "increase the warmth by 640x480",  # a number that no slot takes
        "the increase of the warmth is nice",  # a remark
    ],
)
def test_other_words_are_not_understood(clause: str) -> None:
    assert arguments(clause) is None


def test_other_languages_have_bags_of_their_own() -> None:
    assert arguments("de chaleur un peu plus", "fr") == {"warmth": 1.2}
    assert arguments("more chaleur", "fr") is None
