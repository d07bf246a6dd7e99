from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from promptvision.llm.budget import estimate_tokens, fit_request, shorten
from promptvision.llm.messages import ChatRequest, Function, Message
from promptvision.testing.llm_wire import call

FIND = Function(name="find", description="Find.", parameters={"type": "object", "properties": {}})


def turn(words: str, *results: str, answer: str = "") -> list[Message]:
    """A user's words, one call per result, and an answer if the turn has ended."""
    messages = [Message(role="user", content=words)]
    for index, result in enumerate(results):
        made = replace(call("find", {"q": words}), id=f"{words[:8]}-{index}")
        messages.append(Message(role="assistant", tool_calls=(made,)))
        messages.append(Message(role="tool", content=result, tool_call_id=made.id, name="find"))
    return [*messages, Message(role="assistant", content=answer)] if answer else messages


def request(*turns: list[Message]) -> ChatRequest:
    system = Message(role="system", content="You find things.")
    return ChatRequest(messages=(system, *(m for messages in turns for m in messages)), functions=(FIND,))


LONG = json.dumps({"success": True, "boxes": [[1, 2, 3, 4]] * 50, "text": {"untrusted_text": "x" * 900}})


def test_request_that_fits_is_unchanged() -> None:
    asked = request(turn("one", LONG, answer="There."), turn("two"))
    assert fit_request(asked, 10_000) is asked


def test_oldest_turns_go_first_and_as_a_whole() -> None:
    turns = [turn(f"turn {number}", LONG, answer="There.") for number in range(5)]
    asked = request(*turns, turn("now"))
    fitted = fit_request(asked, estimate_tokens(request(*turns[3:], turn("now")).messages, (FIND,)))
    assert fitted.messages == request(*turns[3:], turn("now")).messages


def test_results_of_the_running_turn_are_shortened_oldest_first() -> None:
    asked = request(turn("now", LONG, LONG))
    fitted = fit_request(asked, estimate_tokens(asked.messages, asked.functions) - 1)
    first, second = [message.content for message in fitted.messages if message.role == "tool"]
    assert (first, second) == (shorten(LONG), LONG)


def test_required_messages_are_kept_even_if_they_do_not_fit() -> None:
    asked = request(turn("old", answer="Yes."), turn("now", LONG))
    fitted = fit_request(asked, 0)
    assert [message.role for message in fitted.messages] == ["system", "user", "assistant", "tool"]
    assert fitted.messages[1].content == "now"


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 2000)), max_size=6),
    st.integers(0, 3),
    st.integers(0, 3000),
)
def test_pairs_are_never_split(past: list[tuple[int, int]], open_calls: int, budget: int) -> None:
    turns = [turn(f"turn {n}", *["y" * size] * calls, answer="a") for n, (calls, size) in enumerate(past)]
    asked = request(*turns, turn("now", *["z" * 800] * open_calls))
    fitted = fit_request(asked, budget)
    assert fitted.messages[0] == asked.messages[0]
    assert fitted == fit_request(asked, budget)
    due: list[str] = []
    for message in fitted.messages:
        if message.role == "tool":
            assert message.tool_call_id == due.pop(0)
        else:
            assert not due
            due = [made.id for made in message.tool_calls]
    assert not due
    before, after = (estimate_tokens(r.messages, r.functions) for r in (asked, fitted))
    assert after <= before


def test_shortened_result_keeps_the_label_of_untrusted_text() -> None:
    shortened = json.loads(shorten(LONG))
    assert shortened["boxes"] == "(50 items)"
    assert set(shortened["text"]) == {"untrusted_text"}
    assert len(shortened["text"]["untrusted_text"]) < 80


@given(st.text())
def test_any_text_can_be_shortened(text: str) -> None:
    assert len(shorten(text)) <= max(len(text), 600)
