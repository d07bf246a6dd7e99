from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.errors import ProviderError
from promptvision.llm.chat_completions import StreamReader, read_reply, request_body
from promptvision.llm.dialects import plain
from promptvision.llm.messages import ChatReply, Function, Message, ToolCall, Usage
from promptvision.llm.planner import CallOutcome, PlannerFunction, PlanRequest
from promptvision.testing.llm_wire import call, chunks, completion
from promptvision.tools.tool import Phrase

FIND = Function(name="find", description="", parameters={"type": "object", "properties": {}})


def body_of(*messages: Message, **further: Any) -> dict[str, Any]:
    return request_body(PlanRequest(messages=messages, **further), model="m", dialect=plain)


def read_stream(parts: list[Any]) -> ChatReply:
    reader = StreamReader("host")
    for part in parts:
        reader.feed(part)
    return reader.finish()


def test_request_without_functions_has_no_tool_fields() -> None:
    assert body_of(Message(role="user", content="Hi")) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
    }


def test_fields_for_planners_without_an_llm_are_never_sent() -> None:
    unavailable = (PlannerFunction(name="read", description="Read.", parameters={}, missing="apt-get it"),)
    find = PlannerFunction(
        name="find", description="", parameters={}, phrases=(Phrase("find {x}"),), image="x"
    )
    outcomes = (CallOutcome(name="find", arguments={}, summary="I found 1."),)
    message = Message(role="user", content="Hi")
    further: dict[str, Any] = {"unavailable": unavailable, "prompt": "Hello", "outcomes": outcomes}
    assert body_of(message, **further) == body_of(message)
    assert body_of(message, functions=(find,), **further) == body_of(
        message, functions=(Function(name="find", description="", parameters={}),)
    )


def test_function_always_has_a_description() -> None:
    body = body_of(functions=(FIND,), tool_choice="none", temperature=0.0)
    assert body["tools"][0]["function"]["description"] == "find"
    assert (body["tool_choice"], body["temperature"]) == ("none", 0.0)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ({"a": "é"}, '{"a": "é"}'),
        ("", "{}"),
        ('{"a": ', "{}"),
        ("[1]", "{}"),
        ({"a": float("nan")}, "{}"),
        ({"a": "\ud800"}, '{"a": "?"}'),
    ],
)
def test_arguments_of_the_past_are_always_an_object(written: Any, sent: str) -> None:
    message = Message(role="assistant", tool_calls=(ToolCall(id="1", name="find", arguments=written),))
    assert body_of(message)["messages"][0]["tool_calls"][0]["function"]["arguments"] == sent


@given(st.text(), st.text(), st.text(), st.text())
def test_invalid_past_calls_do_not_break_the_conversation(
    name: str, call_id: str, arguments: str, text: str
) -> None:
    made = ToolCall(id=call_id, name=name, arguments=arguments)
    body = body_of(
        Message(role="assistant", content=text, tool_calls=(made,)),
        Message(role="tool", content=text, tool_call_id=call_id, name=name),
    )
    json.dumps(body, ensure_ascii=False).encode("utf-8")
    asked, answered = body["messages"]
    wire = asked["tool_calls"][0]
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", wire["function"]["name"])
    assert isinstance(json.loads(wire["function"]["arguments"]), dict)
    assert wire["id"] == answered["tool_call_id"]
    assert len(wire["id"]) <= 40


CALLS = st.builds(
    call, st.from_regex(r"[a-z][a-z_]{0,20}", fullmatch=True), st.dictionaries(st.text(), st.integers())
)
REPLIES = st.builds(
    ChatReply,
    text=st.text().filter(str.strip),
    tool_calls=st.lists(CALLS, max_size=3).map(tuple),
    usage=st.builds(Usage, st.integers(0, 9999), st.integers(0, 9999)),
    planner=st.just("host"),
)


@given(REPLIES)
def test_whole_and_streamed_replies_read_the_same(reply: ChatReply) -> None:
    whole = read_reply(completion("m", reply), "host")
    assert whole == read_stream(chunks("m", reply))
    assert (whole.text, whole.tool_calls, whole.usage) == (reply.text, reply.tool_calls, reply.usage)
    assert whole.finish_reason == ("tool_calls" if reply.tool_calls else "stop")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": [{"type": "text", "text": "A "}, {"type": "text", "text": "lion."}]}, "A lion."),
        ({"content": None, "refusal": "I cannot."}, "I cannot."),
    ],
)
def test_text_in_other_places(message: dict[str, Any], text: str) -> None:
    assert read_reply({"choices": [{"message": message, "finish_reason": "stop"}]}, "host").text == text


@pytest.mark.parametrize("arguments", [{"q": 1}, '{"q": 1}', None, [1]])
def test_arguments_come_in_many_types(arguments: Any) -> None:
    item = {"id": "same", "function": {"name": "find", "arguments": arguments}}
    message = {"content": None, "tool_calls": [item, item, {**item, "id": None}]}
    reply = read_reply({"choices": [{"message": message, "finish_reason": "stop"}]}, "host")
    assert len({made.id for made in reply.tool_calls}) == 3
    assert reply.tool_calls[0].id == "same"
    assert reply.finish_reason == "tool_calls"


def test_finish_reason_length_is_kept() -> None:
    reply = ChatReply(text="The lion is", finish_reason="length")
    assert read_reply(completion("m", reply), "host").finish_reason == "length"


def choice(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"delta": delta, "finish_reason": None}]}


def fragment(index: int | None, call_id: str | None, name: str | None, arguments: Any) -> dict[str, Any]:
    made = {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
    return choice(tool_calls=[made])


END = {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}


@pytest.mark.parametrize(
    "parts",
    [
        [fragment(0, "a", "find", '{"q"'), fragment(1, "b", "show", ""), fragment(0, None, None, ": 1}")],
        [fragment(0, "a", "find", '{"q": 1}'), fragment(0, "b", "show", "")],  # both at index 0
        [
            fragment(None, "a", "find", '{"q"'),
            fragment(None, None, None, ": 1}"),
            fragment(None, "b", "show", None),
        ],
        [fragment(0, "a", "find", {"q": 1}), fragment(1, "b", "sh", ""), fragment(1, "b", "ow", "")],
        [fragment(0, "a", "find", '{"q"'), fragment(0, "a", "find", ": 1}"), fragment(1, "b", "show", "")],
    ],
)
def test_fragments_of_calls_are_put_together(parts: list[Any]) -> None:
    calls = read_stream([*parts, END]).tool_calls
    assert [(made.id, made.name, made.arguments) for made in calls] == [
        ("a", "find", '{"q": 1}'),
        ("b", "show", ""),
    ]


def test_tokens_of_a_stream_may_be_in_a_field_of_the_host() -> None:
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    usage = {"x_own": {"prompt_tokens": 5, "completion_tokens": 2}, "choices": []}
    reader = StreamReader("host", lambda chunk: chunk.get("x_own"))
    for chunk in (choice(content="Hi"), end, usage):
        reader.feed(chunk)
    assert reader.finish().usage == Usage(5, 2)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        ("<html>", "malformed"),
        (None, "malformed"),
        ([], "malformed"),
        ({}, "malformed"),
        ({"choices": None}, "malformed"),
        ({"choices": []}, "malformed"),
        ({"choices": "Hi"}, "malformed"),
        ({"choices": [None]}, "malformed"),
        ({"choices": [{"finish_reason": "stop"}]}, "malformed"),
        ({"choices": [{"message": {"content": 7}, "finish_reason": "stop"}]}, "malformed"),
        ({"choices": [{"message": {"content": " "}, "finish_reason": "stop"}]}, "malformed"),
        ({"choices": [{"message": {"tool_calls": [{"id": "a"}]}, "finish_reason": "stop"}]}, "malformed"),
        ({"choices": [{"message": {"content": "Hi"}, "finish_reason": None}]}, "cut"),
        ({"choices": [{"message": {"content": "Hi"}, "finish_reason": ""}]}, "cut"),
        ({"choices": [{"message": {"content": "Hi"}}]}, "cut"),
    ],
)
def test_invalid_reply_is_a_provider_error(response: Any, kind: str) -> None:
    with pytest.raises(ProviderError) as caught:
        read_reply(response, "host")
    assert (caught.value.kind, caught.value.retryable) == (kind, True)


def test_error_in_a_response_of_200_is_quoted() -> None:
    with pytest.raises(ProviderError, match="no choices: out of cheese"):
        read_reply({"error": {"message": "out of cheese"}}, "host")
    with pytest.raises(ProviderError, match="out of cheese"):
        StreamReader("host").feed({"error": "out of cheese"})


def test_stream_without_an_end_is_cut() -> None:
    with pytest.raises(ProviderError) as caught:
        read_stream([choice(content="The lion")])
    assert caught.value.kind == "cut"


def test_stream_that_never_stops_is_stopped() -> None:
    reader = StreamReader("host")
    for _ in range(10):
        reader.feed(choice(content="x" * 100_000))
    with pytest.raises(ProviderError, match="more than 1000000 characters"):
        reader.feed(choice(content="x"))
    with pytest.raises(ProviderError, match="more than 64 calls"):
        read_stream([fragment(index, str(index), "find", "") for index in range(100)])


KEYS = [
    "choices",
    "message",
    "delta",
    "finish_reason",
    "tool_calls",
    "function",
    "name",
    "arguments",
    "content",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "stop", "find", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*KEYS, "usage", "id", "index"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON, st.lists(JSON, max_size=4))
def test_anything_is_a_reply_or_a_provider_error(response: Any, parts: list[Any]) -> None:
    for read in (partial(read_reply, response, "host"), partial(read_stream, parts)):
        try:
            reply = read()
        except ProviderError:
            continue
        assert reply.text.strip() or reply.tool_calls
