"""Messages between processes: complete or an error, and limited in length."""

from __future__ import annotations

import contextlib
import io
import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.runtime.wire import MAX_MESSAGE_BYTES, read_message, write_message

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.text(), JSON), max_size=4))
def test_messages_arrive_in_order_and_unchanged(messages: list[dict[str, Any]]) -> None:
    pipe = io.BytesIO()
    for message in messages:
        write_message(pipe, message)
    pipe.seek(0)
    assert [read_message(pipe) for _ in messages] == messages
    with pytest.raises(EOFError):
        read_message(pipe)


@given(st.binary(max_size=64))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    with contextlib.suppress(EOFError, ValueError):
        assert isinstance(read_message(io.BytesIO(data)), dict)


@pytest.mark.parametrize("data", [b"[1]", b"3", b"{", b"\xff"])
def test_message_must_be_a_json_object(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_message(io.BytesIO(struct.pack(">I", len(data)) + data))


def test_message_over_the_limit_is_neither_read_nor_written() -> None:
    with pytest.raises(ValueError, match="over the limit"):
        read_message(io.BytesIO(struct.pack(">I", MAX_MESSAGE_BYTES + 1) + b"x"))
    with pytest.raises(ValueError, match="over the limit"):
        write_message(io.BytesIO(), {"text": "x" * MAX_MESSAGE_BYTES})


def test_number_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_message(io.BytesIO(), {"value": math.nan})
