"""What tests need of the machine: there, or a reason to skip them."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

import pytest

from promptvision.errors import SetupError

__all__ = ["enter_or_skip"]

T = TypeVar("T")


def enter_or_skip(stack: ExitStack, context: AbstractContextManager[T]) -> T:
    """Enter what needs an installed program, or skip the tests that use it where that is missing.

    Args:
        stack: leaves it again.
        context: such as :func:`~promptvision.testing.postgres.postgres_server`.

    Raises:
        SetupError: it is missing and ``PROMPTVISION_STRICT_PLUGINS`` is set, as where nothing may be skipped.
    """
    try:
        return stack.enter_context(context)
    except SetupError as exc:
        if os.environ.get("PROMPTVISION_STRICT_PLUGINS"):
            raise
        pytest.skip(str(exc))
