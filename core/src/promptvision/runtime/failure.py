"""Errors of calls as JSON, for other processes."""

from __future__ import annotations

import builtins
import json
import traceback
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from promptvision import errors
from promptvision.errors import PromptvisionError, ToolFailed
from promptvision.models.placement import is_out_of_memory

__all__ = ["Failure"]

_MAX_TEXT = 4_000
_MAX_TRACEBACK = 20_000


class Failure(BaseModel):
    """An error as JSON, for another process.

    Args:
        type: name of a class of :mod:`promptvision.errors`, or of any other exception.
        message: its text.
        hint: how to fix it, for an error of promptvision.
        details: other attributes of an error of promptvision, such as ``retry_after_s``.
        is_out_of_memory: whether memory ran out.
        traceback: its traceback, for the log.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    message: str
    hint: str | None = None
    details: dict[str, Any] = {}
    is_out_of_memory: bool = False
    traceback: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """The error as data."""
        lines = "".join(traceback.format_exception(error))[-_MAX_TRACEBACK:]
        no_memory = is_out_of_memory(error)
        if not isinstance(error, PromptvisionError):
            text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
            name = type(error).__name__
            return cls(type=name, message=text[:_MAX_TEXT], is_out_of_memory=no_memory, traceback=lines)
        state = {name: value for name, value in vars(error).items() if name not in ("message", "hint")}
        return cls(
            type=_public_class(error).__name__,
            message=error.message[:_MAX_TEXT],
            hint=error.hint,
            details={name: value for name, value in state.items() if _is_json(value)},
            is_out_of_memory=no_memory,
            traceback=lines,
        )

    def to_error(self, owner: str) -> Exception:
        """The error to raise in this process.

        Errors of promptvision and built-in exceptions keep their class. Any other exception becomes
        :class:`ToolFailed` with its class name and its text.

        Args:
            owner: the source of the failure, such as ``sam: tool 'sam'``.
        """
        error = self._rebuilt() or ToolFailed(f"{owner}: {self.type}: {self.message}")
        if self.is_out_of_memory and not is_out_of_memory(error):
            error.__cause__ = MemoryError(self.message)
        return error

    def _rebuilt(self) -> Exception | None:
        known = getattr(errors, self.type, None) if self.type in errors.__all__ else None
        if known is not None:
            made: PromptvisionError = known.__new__(known, self.message)
            vars(made).update(self.details, message=self.message, hint=self.hint)
            return made
        builtin = getattr(builtins, self.type, None)
        if isinstance(builtin, type) and issubclass(builtin, Exception):
            try:
                return builtin(self.message)
            except TypeError:  # such as UnicodeDecodeError, which needs further arguments
                return None
        return None


def _public_class(error: PromptvisionError) -> type:
    return next(kind for kind in type(error).__mro__ if kind.__name__ in errors.__all__)


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
