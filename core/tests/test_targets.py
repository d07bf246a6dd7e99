from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.tools.target_grammar import Relation, Shade, Side
from promptvision.tools.targets import is_complement, kept_part, read_target, read_targets, singular


@pytest.mark.parametrize(
    ("phrase", "head", "modifiers", "is_plural"),
    [
        ("the red ball", "ball", ("red",), False),
        ("two Red  Balls!", "ball", ("red",), True),
        ("a black and white cat", "cat", ("black", "and", "white"), False),
        ("light bulb", "bulb", ("light",), False),
        ("face mask", "mask", ("face",), False),
        ("all the people", "people", (), True),
        ("the boxes", "box", (), True),
        ("red", "red", (), False),
        ("orange", "orange", (), False),
        ("the ball that is red", "ball", ("red",), False),
        ("everything blue", "thing", ("blue",), True),
        ("anything that's red", "thing", ("red",), True),
        ("the colour of the wooden chair", "chair", ("wooden",), False),
        ("the cat in this picture", "cat", (), False),
        ("glasses", "glasses", (), False),
    ],
)
def test_head_noun_and_modifiers(phrase: str, head: str, modifiers: tuple[str, ...], is_plural: bool) -> None:
    read = read_target(phrase)
    assert (read.head, read.modifiers, read.is_plural) == (head, modifiers, is_plural)
    assert not read.clause
    assert not read.possessor


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("the left red ball", {"sides": (Side.LEFT,)}),
        ("leftmost ball", {"sides": (Side.LEFT,)}),
        ("the red ball on the right", {"sides": (Side.RIGHT,)}),
        ("the upper left ball", {"sides": (Side.TOP, Side.LEFT)}),
        ("the ball in the bottom right corner", {"sides": (Side.BOTTOM, Side.RIGHT)}),
        ("the ball in the middle of the image", {"sides": (Side.MIDDLE,)}),
        ("the second ball from the left", {"sides": (Side.LEFT,), "order": 2}),
        ("3rd ball from the top", {"sides": (Side.TOP,), "order": 3}),
        ("the last ball", {"order": -1}),
        ("the biggest ball", {"size": 1, "is_superlative": True}),
        ("the small ball", {"size": -1, "is_superlative": False}),
        ("the second largest ball", {"size": 2, "is_superlative": True, "order": None}),
        ("one of the balls", {"count": 1, "is_singular": True}),
        ("two of the three balls", {"count": 2}),
        ("the larger of the two balls", {"count": 1, "size": 1, "is_singular": True}),
        ("the left of the three balls", {"count": 1, "sides": (Side.LEFT,)}),
        ("all of the two balls", {"count": 2, "is_all": True}),
        ("the ball furthest to the right", {"sides": (Side.RIGHT,)}),
        ("3 balls", {"count": 3}),
        ("both balls", {"count": 2, "is_all": True}),
        ("every ball", {"is_all": True, "is_singular": False}),
        ("all of the balls", {"is_all": True, "count": None}),
        ("any ball", {"is_all": True}),
        ("a ball", {"count": None, "is_singular": True}),
        ("the dark blue ball", {"shade": Shade.DARK, "modifiers": ("blue",)}),
        ("pale green ball", {"shade": Shade.LIGHT, "modifiers": ("green",)}),
        ("the left one of the two red balls", {"count": 1, "sides": (Side.LEFT,), "head": "ball"}),
        ("the biggest of the balls", {"size": 1, "count": 1}),
    ],
)
def test_words_that_choose(phrase: str, expected: dict[str, Any]) -> None:
    read = read_target(phrase)
    assert {name: getattr(read, name) for name in expected} == expected
    assert read.head == "ball"
    assert not any(word in read.description for word in ("left", "second", "big", "two", "of"))


@pytest.mark.parametrize("phrase", ["second from the left", "the biggest", "the left one", "the last one"])
def test_choice_without_a_noun_has_no_head(phrase: str) -> None:
    read = read_target(phrase)
    assert (read.head, read.description) == ("", "")
    assert read.has_selection


@pytest.mark.parametrize(
    ("phrase", "relation", "anchor"),
    [
        ("red ball next to the blue box", Relation.NEAR, "blue box"),
        ("the ball that is nearest to the left cone", Relation.NEAR, "cone"),
        ("ball to the left of the cone", Relation.LEFT_OF, "cone"),
        ("ball right of a box", Relation.RIGHT_OF, "box"),
        ("ball above the box", Relation.ABOVE, "box"),
        ("ball under the box", Relation.BELOW, "box"),
        ("ball inside the box", Relation.INSIDE, "box"),
    ],
)
def test_relations(phrase: str, relation: Relation, anchor: str) -> None:
    read = read_target(phrase)
    assert read.head == "ball"
    assert read.relation is not None
    assert (read.relation[0], read.relation[1].description) == (relation, anchor)


@pytest.mark.parametrize(
    ("phrase", "head", "possessor", "clause"),
    [
        ("the woman's hat", "hat", "woman", ""),
        ("blue box's shadow", "shadow", "blue box", ""),
        ("the boys' shoes", "shoe", "boys", ""),
        ("her hair", "hair", "her", ""),
        ("the hat of the woman", "hat", "", "of the woman"),
        ("people in the background", "people", "", "in the background"),
        ("man in a red shirt", "man", "", "in a red shirt"),
        ("the dog that sleeps", "dog", "", "that sleeps"),
        ("the ball with white dots", "ball", "", "with white dots"),
    ],
)
def test_owners_and_clauses_are_kept_apart(phrase: str, head: str, possessor: str, clause: str) -> None:
    read = read_target(phrase)
    assert (read.head, read.possessor, read.clause) == (head, possessor, clause)


@pytest.mark.parametrize(
    "phrase",
    [
        "everything except the blue box",
        "everything but the blue box",
        "all but the blue box",
        "everything other than the blue box",
        "all things apart from the blue box",
        "anything that is not the blue box",
        "everything that isn't the blue box",
        "everything else but the blue box",
        "everything excluding the blue box",
        "the whole picture except for the blue box",
        "everything with the exception of the blue box",
        "the area outside the blue box",
        "everything around the blue box",
        "everything outside of the blue box",
    ],
)
def test_complements(phrase: str) -> None:
    read = read_target(phrase)
    assert read.is_complement
    assert [part.description for part in read.exceptions] == ["blue box"]
    assert is_complement(phrase)
    assert read_target(kept_part(phrase) or "").description == "blue box"


@pytest.mark.parametrize(
    ("phrase", "base", "exceptions"),
    [
        ("the balls that are not red", "balls", ["red balls"]),
        ("balls which aren't red", "balls", ["red balls"]),
        ("non-red balls", "balls", ["red balls"]),
        ("all balls except the red one", "balls", ["red ball"]),
        ("the red ball but not the blue box", "red ball", ["blue box"]),
        ("the blue box, not the red balls", "blue box", ["red balls"]),
        ("blue things other than the box", "blue things", ["box"]),
        ("all balls except the left one", "balls", ["ball"]),
        ("red balls except the small ones", "red balls", ["red balls"]),
        ("blue boxes but not the dark one", "blue boxes", ["dark blue box"]),
    ],
)
def test_exceptions(phrase: str, base: str, exceptions: list[str]) -> None:
    read = read_target(phrase)
    assert not read.is_complement
    assert read.description == base
    assert [part.description for part in read.exceptions] == exceptions
    assert kept_part(phrase) is None


def test_several_exceptions_belong_to_one_phrase() -> None:
    (read,) = read_targets("everything except the ball and the blue box")
    assert [part.description for part in read.exceptions] == ["ball", "blue box"]
    assert kept_part("everything except the ball and the blue box") == "ball. blue box"


@pytest.mark.parametrize(
    ("prompt", "heads"),
    [
        ("red ball. blue box and the lion; cone", ["ball", "box", "lion", "cone"]),
        ("faces, people", ["face", "people"]),
        ("black and white cat", ["cat"]),
        ("ball. ball.", ["ball"]),
        ("...", []),
    ],
)
def test_prompts_are_split_into_phrases(prompt: str, heads: list[str]) -> None:
    assert [phrase.head for phrase in read_targets(prompt)] == heads


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        *[("balls", "ball"), ("boxes", "box"), ("discs", "disc"), ("box", "box"), ("women", "woman")],
        *[
            ("berries", "berry"),
            ("glass", "glass"),
            ("bus", "bus"),
            ("watches", "watch"),
            ("people", "people"),
        ],
    ],
)
def test_singular(plural: str, one: str) -> None:
    assert singular(plural) == one


VOCABULARY = (
    "the a left red ball balls not except but everything of two that is on from second 's next to biggest "
    "and , . dark blue in other than"
)
WORDS = st.sampled_from(VOCABULARY.split())


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=25).map(" ".join)))
def test_any_text_can_be_read(text: str) -> None:
    for phrase in read_targets(text):
        assert phrase.text
        assert not (phrase.is_complement and not phrase.exceptions)
    is_complement(text)
    kept_part(text)
