"""The request to run one operation."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from promptvision.agent.calls.request import OperationRequest


def test_request_of_a_prerequisite_answers_no_call() -> None:
    request = OperationRequest(operation="detect_objects", values={"prompt": "lion"})
    assert (request.call_id, request.notes, request.after, request.messages) == ("", (), None, [])


def test_messages_of_one_request_are_not_those_of_another() -> None:
    first, second = (OperationRequest(operation="detect_objects", values={}) for _ in range(2))
    first.messages.append("found two lions")
    assert second.messages == []


def test_request_with_other_values_keeps_call_and_collected_messages() -> None:
    request = OperationRequest(operation="segment_objects", values={}, call_id="c1", notes=["scaled"])
    request.messages.append("found two lions")
    completed = replace(request, values={"bounding_boxes": [[1, 2, 3, 4]]})
    assert (completed.call_id, completed.notes, completed.messages) == ("c1", ["scaled"], request.messages)
    assert completed.messages is request.messages
    assert request.values == {}


def test_fields_are_named_and_cannot_be_replaced_in_place() -> None:
    positional: Any = OperationRequest
    with pytest.raises(TypeError, match="positional"):
        positional("detect_objects", {})
    request: Any = OperationRequest(operation="detect_objects", values={})
    with pytest.raises(FrozenInstanceError):
        request.operation = "segment_objects"
