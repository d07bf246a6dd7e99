"""Find the fields of argument and result models that connect tools, by their types."""

from __future__ import annotations

import sys
import types
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from promptvision.types import ImageRef, Target

__all__ = [
    "MissingArgument",
    "field_names",
    "image_fields",
    "link_types",
    "linkable",
    "missing_arguments",
    "plain_type",
    "target_field",
]


class MissingArgument(ValueError):
    """Raise in a validator of an argument model when an optional argument is needed.

    If the argument has a linkable type, the core runs the operation that produces it and calls again: with a
    ``target``, a tool may ask for its boxes, its mask, or neither.

    Args:
        name: the argument.
        reason: why it is needed, for the planner.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


def missing_arguments(error: BaseException | None) -> set[str]:
    """Names of the arguments whose absence made a validation fail.

    Args:
        error: the exception of the validation; only pydantic's ``ValidationError`` names arguments.
    """
    if not isinstance(error, ValidationError):
        return set()
    names = set()
    for problem in error.errors():
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, MissingArgument):
            names.add(cause.name)
        elif problem["type"] == "missing":
            names.add(str(problem["loc"][0]))
    return names


def plain_type(annotation: Any) -> Any:
    """A type without its ``| None`` and without ``Annotated``: ``MaskRef | None`` gives ``MaskRef``."""
    if hasattr(annotation, "__metadata__"):
        return plain_type(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        return plain_type(parts[0]) if len(parts) == 1 else annotation
    return annotation


def linkable(kind: Any) -> bool:
    """Whether values of this type are passed from tool to tool.

    True for types of promptvision and of plugins and lists of them (``MaskRef``, ``list[Box]``, a plugin's
    ``Skeleton``); false for plain numbers, texts, choices and containers, and for ``ImageRef`` and
    ``Target``, which every tool has.
    """
    item = get_args(kind)[0] if get_origin(kind) is list and get_args(kind) else kind
    if not isinstance(item, type) or item in (ImageRef, Target) or get_origin(item) is not None:
        return False
    is_plain = item.__module__.partition(".")[0] in sys.stdlib_module_names
    return not is_plain and not issubclass(item, Enum)


@cache
def field_names(model: type[BaseModel]) -> frozenset[str]:
    """Names of all fields."""
    return frozenset(model.model_fields)


@cache
def link_types(model: type[BaseModel], *, required: bool = False) -> dict[str, Any]:
    """Fields of linkable types: name to type. ``required`` omits those with a default."""
    return {
        name: plain_type(field.annotation)
        for name, field in model.model_fields.items()
        if linkable(plain_type(field.annotation)) and (field.is_required() or not required)
    }


@cache
def image_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """Names of the fields that hold exactly one image (not a mask)."""
    return tuple(
        name for name, field in model.model_fields.items() if plain_type(field.annotation) is ImageRef
    )


@cache
def target_field(model: type[BaseModel]) -> str | None:
    """Name of the field that holds the target, if any."""
    for name, field in model.model_fields.items():
        if plain_type(field.annotation) is Target:
            return name
    return None
