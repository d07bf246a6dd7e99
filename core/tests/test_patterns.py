"""Phrase books keep what does not depend on the request."""

from __future__ import annotations

from promptvision.builtin.planner.patterns import phrase_book
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.tool import Tool

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
