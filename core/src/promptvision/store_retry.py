"""Retry the calls of remote stores after transient failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from promptvision.errors import StoreError

__all__ = ["retry_store_call"]

T = TypeVar("T")


def retry_store_call(work: Callable[[], T], *, pauses_s: Sequence[float], patience_s: float) -> T:
    """Call a function, again after each retryable ``StoreError``.

    Args:
        work: called without arguments; must be repeatable.
        pauses_s: seconds before the second try, the third one, and so on.
        patience_s: no try starts later than this many seconds after the first one.

    Raises:
        StoreError: it is not retryable, or it is the error of the last try.
    """
    from tenacity import (
        Retrying,
        retry_if_exception,
        stop_after_attempt,
        stop_before_delay,
        wait_chain,
        wait_fixed,
    )

    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, StoreError) and error.retryable),
        wait=wait_chain(*map(wait_fixed, pauses_s)),
        stop=stop_after_attempt(len(pauses_s) + 1) | stop_before_delay(patience_s),
        reraise=True,
    )
    return retrying(work)
