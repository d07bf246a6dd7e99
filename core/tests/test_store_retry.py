"""Calls of remote stores: which failures are retried, and until when."""

from __future__ import annotations

import pytest

from promptvision.errors import StoreError
from promptvision.store_retry import retry_store_call


class Store:
    """Fails a number of times, then answers."""

    def __init__(self, failures: int, *, retryable: bool = True) -> None:
        self.calls, self._failures, self._retryable = 0, failures, retryable

    def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self._failures:
            raise StoreError(f"failure {self.calls}", retryable=self._retryable)
        return self.calls


def test_transient_failures_are_retried() -> None:
    store = Store(2)
    assert retry_store_call(store, pauses_s=(0, 0), patience_s=10) == 3


def test_error_of_the_last_try_is_raised() -> None:
    store = Store(9)
    with pytest.raises(StoreError, match="failure 3"):
        retry_store_call(store, pauses_s=(0, 0), patience_s=10)
    assert store.calls == 3


def test_other_errors_are_not_retried() -> None:
    store = Store(1, retryable=False)
    with pytest.raises(StoreError, match="failure 1"):
        retry_store_call(store, pauses_s=(0, 0), patience_s=10)
    assert store.calls == 1
    missing: dict[str, int] = {}
    with pytest.raises(KeyError):
        retry_store_call(lambda: missing["a"], pauses_s=(0,), patience_s=10)


def test_no_try_starts_after_the_time_limit() -> None:
    store = Store(9)
    with pytest.raises(StoreError, match="failure 1"):
        retry_store_call(store, pauses_s=(60,), patience_s=1)
    assert store.calls == 1
