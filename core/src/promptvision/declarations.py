"""Check the declarations of plugin authors; errors name the object, the field, the value and the fix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["IMPORT_STRING", "check_callable", "check_mapping", "check_names", "check_type"]

IMPORT_STRING = re.compile(r"[\w.]+:\w+")
"""``package.module:callable``, imported on first use."""


def check_type(owner: str, field: str, value: object, kinds: type | tuple[type, ...], expected: str) -> None:
    """Raise TypeError unless a value is of one of some types.

    Args:
        owner: the declared object, such as ``tool 'sam'``.
        field: name of the field.
        value: the value.
        kinds: types that are accepted; ``bool`` is not accepted as ``int``.
        expected: description of the types, such as ``"an int"``.
    """
    accepted = kinds if isinstance(kinds, tuple) else (kinds,)
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        raise TypeError(f"{owner}: {field} must be {expected}, not {type(value).__name__} {value!r:.80}")


def check_callable(owner: str, field: str, value: object, expected: str) -> None:
    """Raise TypeError unless a value can be called; arguments as in :func:`check_type`."""
    if not callable(value):
        raise TypeError(f"{owner}: {field} must be {expected}, not {type(value).__name__} {value!r:.80}")


def check_names(owner: str, field: str, value: Any) -> tuple[str, ...]:
    """A sequence of strings as a tuple.

    Raises:
        TypeError: it is a single string, or something else.
    """
    if isinstance(value, str):
        raise TypeError(f"{owner}: {field} is one string; write {field}=({value!r},)")
    check_type(owner, field, value, (tuple, list), "a tuple of str")
    for name in value:
        check_type(owner, field, name, str, "a tuple of str")
    return tuple(value)


def check_mapping(owner: str, field: str, value: Any, example: str) -> None:
    """Raise TypeError unless a value maps strings to strings.

    Args:
        owner: as in :func:`check_type`.
        field: as in :func:`check_type`.
        value: the value.
        example: a correct value, shown in the message.
    """
    if not isinstance(value, Mapping) or not all(
        isinstance(key, str) and isinstance(text, str) for key, text in value.items()
    ):
        raise TypeError(
            f"{owner}: {field} must be a dict of str to str, not {type(value).__name__} {value!r:.80}; "
            f"write {field}={example}"
        )
