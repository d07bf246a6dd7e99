from __future__ import annotations

from collections.abc import Sequence

import pytest
from PIL import Image

from promptvision.errors import ArgumentsError
from promptvision.tools.choices import (
    Candidate,
    Choice,
    measure_lightness,
    phrases_to_find,
    select_by_labels,
    select_candidates,
)
from promptvision.tools.targets import TargetPhrase, read_target
from promptvision.types import Box

SIZE = (640, 360)
BIG = Candidate(Box(60, 150, 180, 270), "red ball", 0.97, 0.4)
SMALL = Candidate(Box(420, 200, 480, 260), "red ball", 0.99, 0.4)
LIGHT = Candidate(Box(240, 140, 340, 240), "blue box", 0.99, 0.5)
DARK = Candidate(Box(520, 60, 600, 140), "blue box", 1.0, 0.15)
CONE = Candidate(Box(380, 210, 440, 290), "green cone", 0.98, 0.55)
SCENE = {"ball": [SMALL, BIG], "box": [DARK, LIGHT], "cone": [CONE]}


def find(phrase: TargetPhrase) -> Sequence[Candidate]:
    colours = set(phrase.modifiers) & {"red", "blue", "green"}
    kinds = list(SCENE) if phrase.head == "thing" else [phrase.head]
    found = [each for kind in kinds for each in SCENE.get(kind, [])]
    return [each for each in found if all(colour in each.label for colour in colours)]


def choose(words: str, *, strict: bool = True) -> Choice:
    return select_candidates(read_target(words), find, SIZE, strict=strict)


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ("left red ball", [BIG]),
        ("red ball on the right", [SMALL]),
        ("biggest red ball", [BIG]),
        ("small red ball", [SMALL]),
        ("second largest ball", [SMALL]),
        ("second red ball from the left", [SMALL]),
        ("second red ball from the right", [BIG]),
        ("first ball", [BIG]),
        ("last ball", [SMALL]),
        ("dark blue box", [DARK]),
        ("light blue box", [LIGHT]),
        ("upper box", [DARK]),
        ("top right box", [DARK]),
        ("ball next to the cone", [SMALL]),
        ("ball next to the light blue box", [BIG]),
        ("ball left of the cone", [BIG]),
        ("box above the cone", [LIGHT, DARK]),
        ("ball to the right of the light blue box", [SMALL]),
        ("balls except the left one", [SMALL]),
        ("red things that are not big", [SMALL]),
        ("boxes other than the dark blue box", [LIGHT]),
        ("red balls", [SMALL, BIG]),
        ("both red balls", [SMALL, BIG]),
        ("every red ball", [SMALL, BIG]),
        ("two red balls", [SMALL, BIG]),
        ("red balls on the left", [BIG]),
        ("green cone", [CONE]),
        ("cone in the middle", [CONE]),
    ],
)
def test_what_is_meant(words: str, chosen: list[Candidate]) -> None:
    found = choose(words)
    if words.startswith("box above"):
        assert found.chosen[0] in chosen
    else:
        assert set(found.chosen) == set(chosen)
    assert found.is_exact


def test_singular_takes_one_before_an_edit_and_says_so() -> None:
    found = choose("red ball")
    assert found.chosen == (BIG,)
    assert "2 red balls found; took the largest" in found.note


def test_singular_shows_all_where_nothing_is_edited() -> None:
    found = choose("red ball", strict=False)
    assert set(found.chosen) == {BIG, SMALL}
    assert not found.is_exact


def test_one_of_takes_one() -> None:
    assert len(choose("one of the red balls").chosen) == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("three red balls", "2 red balls found, not 3"),
        ("third ball from the left", "no number 3 from the left"),
        ("cone on the left", "No cone at the left found"),
        ("dark green cone", "No dark green cone found"),
        ("ball next to the lion", "Cannot tell what lies next to lion: No lion found"),
        ("ball inside the cone", "No ball inside cone found"),
        ("ball that is not red", "is one of the exceptions"),
        ("purple ball on the left of the cone in a hat", "No purple ball found"),
    ],
)
def test_what_cannot_be_fulfilled_gives_nothing_and_the_reason(words: str, reason: str) -> None:
    if words.startswith("purple"):
        found = select_candidates(read_target("purple ball"), lambda _: [], SIZE, strict=True)
    else:
        found = choose(words)
    assert found.chosen == ()
    assert reason in found.note


def test_things_of_similar_size_are_not_distinguished_by_a_plain_adjective() -> None:
    pair = [BIG, Candidate(Box(300, 150, 420, 272), "red ball", 0.9)]
    found = select_candidates(read_target("the big ball"), lambda _: pair, SIZE, strict=True)
    assert found.chosen == ()
    assert "about the same size" in found.note
    largest = select_candidates(read_target("the biggest ball"), lambda _: pair, SIZE, strict=True)
    assert largest.chosen == (pair[1],)


def test_detector_is_asked_for_referred_things_too() -> None:
    phrase = read_target("balls next to the box except the red ball")
    assert {each.head for each in phrases_to_find(phrase)} == {"ball", "box"}
    complement = phrases_to_find(read_target("everything but the cone"))
    assert [each.head for each in complement] == ["cone"]


@pytest.mark.parametrize(("grey", "lightness"), [(0, 0.0), (128, 0.5), (255, 1.0)])
def test_lightness(grey: int, lightness: float) -> None:
    image = Image.new("RGB", (40, 40), (grey, grey, grey))
    assert measure_lightness(image, Box(5, 5, 30, 30)) == pytest.approx(lightness, abs=0.02)


def by_label(labels: list[str]) -> list[Candidate]:
    assert labels == list(dict.fromkeys(labels))
    everything = [each for kind in SCENE.values() for each in kind]
    return [each for each in everything if each.label in labels]


@pytest.mark.parametrize(
    ("prompt", "chosen"),
    [
        ("red ball", {BIG}),
        ("red balls. green cone", {CONE}),
        ("the left red ball", {BIG}),
        ("red ball next to the green cone. dark blue box", {SMALL}),
        ("red ball left of the blue box", {BIG}),
    ],
)
def test_detector_of_any_words_is_asked_once(prompt: str, chosen: set[Candidate]) -> None:
    found = select_by_labels(prompt, by_label, SIZE, strict=True)
    assert set(found.chosen) == chosen


@pytest.mark.parametrize("prompt", [".", "the left one", "everything but the red ball"])
def test_prompt_without_anything_to_find_is_refused(prompt: str) -> None:
    with pytest.raises(ArgumentsError, match="prompt: "):
        select_by_labels(prompt, by_label, SIZE, strict=False)
