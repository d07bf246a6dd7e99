"""Indirect requests, and the limit on the work for a request."""

from __future__ import annotations

from typing import Any

import pytest

from promptvision.builtin.planner import books
from promptvision.builtin.planner.bags import MAX_BAGS
from promptvision.builtin.planner.books import Effort
from promptvision.builtin.planner.english import MAX_READ_OF_REQUEST
from promptvision.builtin.planner.phrases import MAX_CHARS, MAX_WORK, PART_WORK
from promptvision.builtin.planner.reading import read_request
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.tool import Tool

FUNCTIONS = make_registry(
    [Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in operations.ALL]
).functions()


def calls(words: str) -> list[tuple[str, dict[str, Any]]]:
    return [(match.function.name, dict(match.arguments)) for match in read_request(words, FUNCTIONS).matches]


@pytest.mark.parametrize(
    ("words", "target", "prompt"),
    [
        ("that lamp post ruins the view", "lamp post", ""),
        ("could the two vans be taken out?", "two vans", ""),
        ("this would look better without the bin", "bin", ""),
        ("I'd rather have a yellow boat", "boat", "yellow"),
        ("there's a stain on the carpet, wipe it away", "stain", ""),
        ("I'm not a fan of the curtains, make them beige", "curtains", "beige"),
        ("everything but the swan should disappear", "everything except swan", ""),
        ("not the door, the gate should be black", "gate", "black"),
        ("the ship should stay, but the crane has to go", "crane except ship", ""),
        ("put a fountain where the bench is", "bench", "fountain"),
    ],
)
def test_a_statement_is_the_request_that_it_stands_for(words: str, target: str, prompt: str) -> None:
    assert calls(words) == [("inpaint_image", {"target": target, "prompt": prompt})]


@pytest.mark.parametrize(
    "words",
    ["delete my account", "make the dog bark", "hmm, I liked the old colour better", "my dog is so funny"],
)
def test_what_no_image_shows_is_not_done(words: str) -> None:
    assert calls(words) == []


@pytest.mark.parametrize(
    "piece",
    [
        "it ",
        "make the ball red and ",
        "the, ",
        "remvoe teh ",
        "mach das bild ",
        "the walls are red, I need them ",
    ],
)
@pytest.mark.parametrize("length", [MAX_CHARS, 4000])
def test_the_work_for_a_request_is_bounded(piece: str, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from promptvision.builtin.planner import phrases

    matched: list[int] = []
    best = phrases._best_match

    def counted(clause: str, *rest: Any) -> Any:
        matched.append(PART_WORK + len(clause))
        return best(clause, *rest)

    monkeypatch.setattr(phrases, "_best_match", counted)
    read_request((piece * length)[:length], FUNCTIONS)
    books = 5  # English and four other languages, each with its own budget
    assert sum(matched) < books * (MAX_WORK + PART_WORK + MAX_CHARS)
    assert bool(matched) == (length <= MAX_CHARS)


@pytest.mark.parametrize(
    "words",
    [
        "the walls are red, I need them " * 8,
        "it有点模糊, turn it mirrored, who painted it, black background, sketch a blue, " * 3,
        "make it razor sharp, pon texto abajo a derecha, flip it, mach das bild heller, " * 7,
        "remvoe teh bol and brigten it, " * 9,
    ],
)
def test_the_effort_for_a_request_is_bounded_in_all_languages_together(
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    efforts: list[Effort] = []

    def started() -> Effort:
        efforts.append(Effort())
        return efforts[-1]

    monkeypatch.setattr(books, "Effort", started)
    read_request(words[:MAX_CHARS], FUNCTIONS)
    assert len(efforts) == 1, "the books of all languages share it"
    assert 0 < efforts[0].work <= MAX_WORK + PART_WORK + MAX_CHARS
    assert 0 < efforts[0].read <= MAX_READ_OF_REQUEST + MAX_CHARS
    assert efforts[0].bags <= MAX_BAGS
