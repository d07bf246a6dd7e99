"""The messages of a turn, with a running estimate that equals the estimate of a whole request."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from promptvision.agent.planning.transcript import Transcript
from promptvision.llm.budget import estimate_tokens
from promptvision.llm.messages import Function, Message, ToolCall

FIND = Function(name="find", description="Find.", parameters={"type": "object", "properties": {}})


@given(st.lists(st.tuples(st.text(max_size=80), st.lists(st.text(max_size=40), max_size=3)), max_size=12))
def test_estimate_is_that_of_the_whole_request(contents: list[tuple[str, list[str]]]) -> None:
    messages = [
        Message(
            role="assistant",
            content=text,
            tool_calls=tuple(ToolCall(id="c", name="find", arguments=call) for call in calls),
        )
        for text, calls in contents
    ]
    transcript = Transcript((FIND,))
    transcript.extend(messages[:1])
    for message in messages[1:]:
        transcript.add(message)
    assert transcript.messages == tuple(messages)
    assert transcript.tokens == estimate_tokens(messages, (FIND,))


def test_request_keeps_its_messages_when_more_are_added() -> None:
    transcript = Transcript(())
    transcript.add(Message(role="user", content="hello"))
    sent = transcript.messages
    transcript.add(Message(role="assistant", content="hello"))
    assert len(sent) == 1
