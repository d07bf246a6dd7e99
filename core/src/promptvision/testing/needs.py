"""Skip tests whose programs are not installed on the machine."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

import pytest

from promptvision.errors import SetupError

__all__ = ["enter_or_skip"]

T = TypeVar("T")


def enter_or_skip(stack: ExitStack, context: AbstractContextManager[T]) -> T:
    """Enter a context that needs an installed program, or skip the test if it is missing.

    Args:
        stack: exits the context.
        context: such as :func:`~promptvision.testing.postgres.postgres_server`.

    Raises:
        SetupError: the program is missing and ``PROMPTVISION_STRICT_PLUGINS`` is set, which forbids skipping.
    """
    try:
        return stack.enter_context(context)
    except SetupError as exc:
        if os.environ.get("PROMPTVISION_STRICT_PLUGINS"):
            raise
        pytest.skip(str(exc))
