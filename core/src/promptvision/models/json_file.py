"""Small JSON files that are replaced as a whole, so that a crash leaves the old or the new one."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from promptvision.atomic import replace_text

__all__ = ["read_json", "write_json"]

T = TypeVar("T")
logger = logging.getLogger(__name__)

_MAX_BYTES = 2 * 2**20


def read_json(path: Path, kind: TypeAdapter[T], empty: T, what: str) -> T:
    """The value in a file; ``empty``, and a warning, if it is damaged or too large.

    Args:
        path: the file; it need not exist.
        kind: the type of the value.
        empty: the value of a file that does not exist.
        what: description of the values, for the warning.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise OSError(f"it has more than {_MAX_BYTES} bytes")
        return kind.validate_json(path.read_bytes())
    except FileNotFoundError:
        return empty
    except (OSError, ValidationError) as exc:
        logger.warning("%s: %s cannot be read and are measured again: %s", path, what, exc)
        return empty


def write_json(path: Path, value: Any, what: str) -> None:
    """Replace a file; a failure is a warning.

    Args:
        path: the file, in a folder that is made if needed.
        value: what to write.
        what: description of the values, for the warning.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, json.dumps(value))
    except OSError as exc:
        logger.warning("%s: %s cannot be stored: %s", path, what, exc)
