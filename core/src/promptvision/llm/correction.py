"""The corrective note that is added to a request after an invalid reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from promptvision.errors import ProviderError
from promptvision.llm.failures import one_line
from promptvision.llm.messages import ChatRequest, Function, Message

__all__ = ["corrected_request", "signature"]

_MAX_SIGNATURES = 3

RequestT = TypeVar("RequestT", bound=ChatRequest)


def corrected_request(request: RequestT, error: ProviderError) -> RequestT:
    """The request with a corrective note at its end and at temperature 0.

    The note holds the host's objection and the signatures of the functions that the model tried to call. It
    is part of this request only and never enters the history.
    """
    note = Message(role="system", content=_note(request, error))
    return replace(request, messages=(*request.messages, note), temperature=0.0)


def signature(function: Function) -> str:
    """A function in one line: ``detect_objects(image_url: string, box_threshold?: number)``."""
    required = function.parameters.get("required", ())
    fields = [
        f"{name}{'' if name in required else '?'}: {_kind(field)}"
        for name, field in function.parameters.get("properties", {}).items()
    ]
    return f"{function.name}({', '.join(fields)})"


def _note(request: ChatRequest, error: ProviderError) -> str:
    wrong = f"Your last reply could not be used: {one_line(error.message, 200)}"
    if request.tool_choice == "none":
        return f"{wrong}\nAnswer in words now; call no function."
    lines = "\n".join(signature(function) for function in _concerned(request, error))
    return f"{wrong}\nCall a function with one JSON object of these fields, or answer in words:\n{lines}"


def _concerned(request: ChatRequest, error: ProviderError) -> list[Function]:
    """The functions named in the error; all of them when none is named."""
    tried = f"{error.message} {error.rejected}"
    named = [function for function in request.functions if function.name in tried]
    return named[:_MAX_SIGNATURES] or list(request.functions)


def _kind(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return " | ".join(str(value) for value in field["enum"])
    parts = [_kind(part) for part in field.get("anyOf", ())]
    declared = field.get("type", "any")
    return " | ".join(parts) or (declared if isinstance(declared, str) else " | ".join(declared))
