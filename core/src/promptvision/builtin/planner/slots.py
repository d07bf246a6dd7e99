"""Check values of slots against the schema of their argument."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promptvision.llm.planner import PlannerFunction
from promptvision.tools.target_grammar import NUMBERS
from promptvision.tools.targets import is_colour_word

__all__ = ["MISFIT", "Fit", "fitted", "is_list", "schema_of"]

_UNIT = re.compile(r"\s*(?:%|percent|pixels?|px|degrees?|\u00b0)$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_PLACES = (
    ("upper", "top"),
    ("lower", "bottom"),
    ("middle", "center"),
    ("centre", "center"),
    (" corner", ""),
    (" side", ""),
)
"""Other names of places in an image, where an argument has a list of places."""
MAX_COLOUR_WORDS = 3
_COLOUR_NAMES = ("color", "colour")
_GROUNDS = ("transparent", "blur")
"""Backgrounds that are no colour."""
_LEADS = re.compile(r"^(?:by|about|around|exactly)\s+", re.IGNORECASE)


@dataclass(frozen=True)
class Fit:
    """A value for an argument, and whether the argument certainly accepts it."""

    value: str
    is_sure: bool = True


MISFIT = Fit("", is_sure=False)
"""Marks a value that does not fit the argument: another phrase is meant."""


def fitted(function: PlannerFunction, name: str, value: str) -> Fit:
    """Convert a value to the type of the argument.

    A word in place of a number is passed on when no other phrase matches, so that the answer names the field.
    """
    schema = schema_of(function.parameters, name)
    kind = schema.get("type")
    if kind in ("number", "integer"):
        return _number(value)
    if kind == "array":
        return MISFIT
    if name == "background" and value.lower() not in _GROUNDS and not _is_colour(value):
        return MISFIT
    if name in _COLOUR_NAMES and not _is_colour(value):
        return MISFIT
    if "enum" in schema and value not in schema["enum"]:
        value = value.lower()  # "JPEG"
        for word, option in _PLACES:
            value = value.replace(word, option) if value not in schema["enum"] else value
        if value not in schema["enum"]:
            return MISFIT
    if "pattern" in schema:
        value = value.removesuffix(" ratio").strip()
        if not re.search(schema["pattern"], value):
            return MISFIT
    return Fit(value)


def is_list(function: PlannerFunction, name: str) -> bool:
    """Whether an argument is a list."""
    return schema_of(function.parameters, name).get("type") == "array"


def schema_of(parameters: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The schema of an argument; of one that may be null, the other part."""
    schema: Mapping[str, Any] = parameters.get("properties", {}).get(name, {})
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return options[0] if options else schema


def _number(value: str) -> Fit:
    bare = _UNIT.sub("", _LEADS.sub("", value))
    if _NUMBER.fullmatch(bare):
        return Fit(bare.replace(",", "."))
    if bare.lower() in NUMBERS:
        return Fit(str(NUMBERS[bare.lower()]))
    return Fit(value, is_sure=False) if " " not in value else MISFIT


def _is_colour(value: str) -> bool:
    is_short = len(value.split()) < MAX_COLOUR_WORDS
    return value.startswith("#") or (is_short and is_colour_word(value.lower().rpartition(" ")[2]))
