"""Retry with backoff within a deadline, and a circuit breaker for hosts that are down."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.stop import stop_base

from promptvision.errors import ProviderError, ProviderErrorKind

__all__ = ["MAX_RETRIES", "Breaker", "Deadline", "Retry"]

T = TypeVar("T")

MAX_RETRIES = 2

_FIRST_WAIT_S = 0.5
_JITTER_S = 0.1
_OUTAGE = ("connection", "timeout", "server")


class Deadline:
    """A point in time by which an operation must end.

    Args:
        timeout_s: seconds from now.
        clock: monotonic seconds.
    """

    def __init__(self, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + timeout_s

    def remaining_s(self) -> float:
        """Return the remaining seconds; never negative."""
        return max(0.0, self._end - self._clock())


class Breaker:
    """A circuit breaker: skips a host that is down.

    It opens for ``cool_s`` seconds after ``failures`` consecutive failures that indicate an outage, and at
    once for the time that a host asks for with ``Retry-After``. Then one probe is let through, which closes
    the breaker or opens it again. Safe across threads.

    Args:
        name: name of the provider, for the message.
        failures: consecutive failures that open it.
        cool_s: seconds until the next probe.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = 3,
        cool_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._failures = failures
        self._cool_s = cool_s
        self._clock = clock
        self._lock = threading.Lock()
        self._count = 0
        self._open_until: float | None = None
        self._is_probing = False
        self._kind: ProviderErrorKind = "connection"

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Guard one request and record how it ends.

        Raises:
            ProviderError: the breaker is open, for ``retry_after_s`` seconds.
        """
        is_probe = self._enter()
        try:
            yield
        except BaseException as error:
            self._leave(error, is_probe)
            raise
        self._leave(None, is_probe)

    def wait_s(self) -> float:
        """Return the seconds until a request is let through; 0 if the breaker is closed."""
        with self._lock:
            return 0.0 if self._open_until is None else max(self._open_until - self._clock(), 0.0)

    def _enter(self) -> bool:
        with self._lock:
            if self._open_until is None:
                return False
            wait_s = max(self._open_until - self._clock(), 0.0)
            if wait_s == 0 and not self._is_probing:
                self._is_probing = True
                return True
            kind = self._kind
        raise ProviderError(
            f"{self._name}: skipped for {wait_s:.1f} s (circuit breaker, last failure: {kind})",
            kind=kind,
            retryable=kind == "rate_limit",  # do not wait for an outage to end
            retry_after_s=wait_s,
        )

    def _leave(self, error: BaseException | None, is_probe: bool) -> None:
        with self._lock:
            self._is_probing = self._is_probing and not is_probe
            if error is not None and not isinstance(error, ProviderError):
                return  # a cancellation is not a failure of the host
            wait_s = self._wait_after(error, is_probe)
            if error is not None and wait_s is not None:
                self._open_until, self._kind = self._clock() + wait_s, error.kind
            elif self._count == 0:
                self._open_until = None

    def _wait_after(self, error: ProviderError | None, is_probe: bool) -> float | None:
        """Seconds to stay open, or None; counts consecutive failures."""
        if error is not None and error.retry_after_s:
            return error.retry_after_s
        if error is None or error.kind not in _OUTAGE:
            self._count = 0
            return None
        self._count += 1
        return self._cool_s if is_probe or self._count >= self._failures else None


class _StopBeforeWait(stop_base):
    """Stops if the next attempt would come after the deadline, or while the breaker is open."""

    def __init__(self, deadline: Deadline, breaker: Breaker) -> None:
        self._deadline = deadline
        self._breaker = breaker

    def __call__(self, retry_state: RetryCallState) -> bool:
        wait_s = retry_state.upcoming_sleep
        return self._breaker.wait_s() > wait_s or wait_s >= self._deadline.remaining_s()


@dataclass(frozen=True, kw_only=True)
class Retry:
    """The retry policy: at most two retries, never past the deadline.

    A wait that the host asks for in ``Retry-After`` is kept if it fits; otherwise the error is raised at once
    with ``retry_after_s`` set. Without it the wait doubles from half a second. Both have jitter, so that many
    clients do not return at the same time.

    Args:
        sleep: waits for a number of seconds.
        random: returns a number from 0 to 1.
        on_note: called with one line about each retry.
    """

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    on_note: Callable[[str], None] = field(default=lambda note: None)

    async def run(
        self, attempt: Callable[[float], Awaitable[T]], *, name: str, deadline: Deadline, breaker: Breaker
    ) -> T:
        """Run ``attempt(seconds_left)`` until it succeeds.

        Raises:
            ProviderError: of the last attempt; its kind is ``timeout`` if the deadline has passed.
        """
        retrying = AsyncRetrying(
            sleep=self.sleep,
            retry=retry_if_exception(lambda error: isinstance(error, ProviderError) and error.retryable),
            wait=self._wait_s,
            stop=stop_after_attempt(MAX_RETRIES + 1) | _StopBeforeWait(deadline, breaker),
            before_sleep=self._report,
            reraise=True,
        )
        return await retrying(self._try, attempt, name, deadline, breaker)

    def _wait_s(self, state: RetryCallState) -> float:
        error = _error_of(state)
        if error.retry_after_s is not None:
            return error.retry_after_s + _JITTER_S * (1 + self.random())
        return float(_FIRST_WAIT_S * 2 ** (state.attempt_number - 1) * (0.5 + self.random() / 2))

    def _report(self, state: RetryCallState) -> None:
        wait_s, retry = state.upcoming_sleep, state.attempt_number
        self.on_note(f"{_error_of(state).message}; retry {retry} of {MAX_RETRIES} in {wait_s:.1f} s")

    async def _try(
        self, attempt: Callable[[float], Awaitable[T]], name: str, deadline: Deadline, breaker: Breaker
    ) -> T:
        left_s = deadline.remaining_s()
        with breaker.guard():
            try:
                async with asyncio.timeout(left_s):
                    return await attempt(left_s)
            except TimeoutError as exc:
                message = f"{name}: no answer within {left_s:.1f} s"
                raise ProviderError(message, kind="timeout", retryable=True) from exc


def _error_of(state: RetryCallState) -> ProviderError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, ProviderError)
    return error
