"""Groq's dialect of JSON Schema for function parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from promptvision.plugin import allow_types

__all__ = ["lenient"]


def lenient(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that accepts the typical output of Llama models.

    Groq validates calls itself and rejects, for example, a number written as a string. So every field also
    accepts a string, every optional field null, and unknown fields are allowed. The core repairs the
    arguments and validates them with pydantic.

    Args:
        parameters: JSON schema of a function's arguments.

    Returns:
        ``{"parameters": schema}``.
    """
    required = parameters.get("required", ())
    schema = {key: value for key, value in parameters.items() if key != "additionalProperties"}
    schema["properties"] = {
        name: allow_types(field, "string", *(() if name in required else ("null",)))
        for name, field in parameters.get("properties", {}).items()
    }
    return {"parameters": schema}
