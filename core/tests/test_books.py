"""Phrase books keep what does not depend on the request."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from promptvision.builtin.planner import books, trees
from promptvision.builtin.planner.books import PhraseBook, phrase_book
from promptvision.builtin.planner.patterns import compiled
from promptvision.builtin.planner.reading import read_request
from promptvision.llm.planner import PlannerFunction
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.tool import Lexicon, Phrase, Tool

TOOLS = [Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in operations.ALL]
FUNCTIONS = make_registry(TOOLS).functions()


def test_words_of_a_book_are_found_once_for_all_requests() -> None:
    first, second = (phrase_book(FUNCTIONS).for_request() for _ in range(2))
    assert first is not second
    assert first.vocabulary
    assert first.vocabulary is second.vocabulary
    assert first.settings is second.settings


def test_what_is_read_of_a_request_is_not_shared() -> None:
    first, second = (phrase_book(FUNCTIONS).for_request() for _ in range(2))
    assert first.read is not second.read
    assert first.other("de") is first.other("de")
    assert first.other("de") is not second.other("de")


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "zh"])
def test_every_phrase_of_a_lexicon_is_found_by_its_words(language: str) -> None:
    book = PhraseBook(FUNCTIONS, language)
    lexicons = [
        (function, lexicon)
        for function in FUNCTIONS
        for lexicon in function.lexicons
        if lexicon.language == language and not lexicon.is_fallback
    ]
    checked = 0
    for function, lexicon in lexicons:
        for phrase in list(lexicon.phrases())[::61]:
            pattern = compiled(phrase.text)
            values = ["x" * len(group) for group in pattern.groups]
            sentence = "".join(
                part for pair in zip(pattern.literals, [*values, ""], strict=True) for part in pair
            )
            found = [(one.function, one.text) for one in book.phrases(sentence)]
            assert (function, phrase.text) in found, sentence
            checked += 1
    assert checked > 20


def test_a_book_over_more_functions_writes_out_no_phrase_again(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "make the red ball blue"
    assert read_request(words, FUNCTIONS[1:]).matches
    written: list[str] = []

    spelled = trees._spelled

    def counted(text: str, source: Phrase | Lexicon) -> Iterable[str]:
        if source not in (*FUNCTIONS[0].phrases, *FUNCTIONS[0].lexicons):
            written.append(text)
        return spelled(text, source)

    monkeypatch.setattr(trees, "_spelled", counted)
    monkeypatch.setattr(books, "_books", type(books._books)())
    assert read_request(words, FUNCTIONS).matches
    assert not written


def test_a_phrase_that_the_function_lists_is_declared() -> None:
    lexicon = Lexicon(frames=("{verb} {target}",), verbs=("turn",))
    function = PlannerFunction(
        name="turn_image",
        description="Turn.",
        parameters={},
        phrases=(Phrase("flip the {target}"),),
        lexicons=(lexicon,),
    )
    book = PhraseBook([function])
    (declared,), (spelled,) = book.phrases("flip the dog"), book.phrases("turn the dog")
    assert (declared.text, declared.is_declared) == ("flip the {target}", True)
    assert (spelled.text, spelled.is_declared) == ("turn {target}", False)
    assert declared.function is spelled.function is function
    assert spelled.source is lexicon
