"""Trying again, within one deadline; and not trying at all while a host is down."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from promptvision.errors import ProviderError, ProviderErrorKind

__all__ = ["MAX_RETRIES", "Breaker", "Deadline", "Retry"]

T = TypeVar("T")

MAX_RETRIES = 2

_FIRST_WAIT_S = 0.5
_JITTER_S = 0.1
_OUTAGE = ("connection", "timeout", "server")


class Deadline:
    """The moment by which something must be done.

    Args:
        timeout_s: seconds from now.
        clock: monotonic seconds.
    """

    def __init__(self, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + timeout_s

    def remaining_s(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self._end - self._clock())


class Breaker:
    """Remembers that a host is down, so that nobody waits for it.

    After ``failures`` failures in a row that speak of an outage it opens for ``cool_s`` seconds, and at once
    for as long as a host asks with ``Retry-After``. Then one probe goes through: it closes the breaker or
    opens it again. Safe across threads.

    Args:
        name: whose breaker it is, for the message.
        failures: how many it takes to open.
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
        """Guard one request, and learn from how it ends.

        Raises:
            ProviderError: the breaker is open; ``retry_after_s`` says how long.
        """
        is_probe = self._enter()
        try:
            yield
        except BaseException as error:
            self._leave(error, is_probe)
            raise
        self._leave(None, is_probe)

    def wait_s(self) -> float:
        """Seconds until a request may go through; 0 when it is closed."""
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
            f"{self._name}: not asked, because of its last failure ({kind}); next try in {wait_s:.1f} s",
            kind=kind,
            retryable=kind == "rate_limit",  # an outage is not waited for
            retry_after_s=wait_s,
        )

    def _leave(self, error: BaseException | None, is_probe: bool) -> None:
        with self._lock:
            self._is_probing = self._is_probing and not is_probe
            if error is not None and not isinstance(error, ProviderError):
                return  # a cancellation says nothing about the host
            wait_s = self._wait_after(error, is_probe)
            if error is not None and wait_s is not None:
                self._open_until, self._kind = self._clock() + wait_s, error.kind
            elif self._count == 0:
                self._open_until = None

    def _wait_after(self, error: ProviderError | None, is_probe: bool) -> float | None:
        """Seconds to stay open, or None; counts failures in a row."""
        if error is not None and error.retry_after_s:
            return error.retry_after_s
        if error is None or error.kind not in _OUTAGE:
            self._count = 0
            return None
        self._count += 1
        return self._cool_s if is_probe or self._count >= self._failures else None


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How to try again: at most twice, never past the deadline.

    What the host asks for in ``Retry-After`` is waited for if it fits, and otherwise the error is passed on
    at once, with it. Without it the wait doubles from half a second; both are jittered, so that many clients
    do not come back together.

    Args:
        sleep: waits seconds.
        random: a number from 0 to 1.
        on_note: told of each retry in one line.
    """

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    on_note: Callable[[str], None] = field(default=lambda note: None)

    async def run(
        self, attempt: Callable[[float], Awaitable[T]], *, name: str, deadline: Deadline, breaker: Breaker
    ) -> T:
        """Run ``attempt(seconds_left)`` until it works.

        Raises:
            ProviderError: of the last attempt; ``timeout`` when the deadline came first.
        """
        for retry in range(MAX_RETRIES + 1):
            try:
                return await self._try(attempt, name, deadline, breaker)
            except ProviderError as error:
                wait_s = self._wait_s(error, retry)
                is_pointless = not error.retryable or retry == MAX_RETRIES or breaker.wait_s() > wait_s
                if is_pointless or wait_s >= deadline.remaining_s():
                    raise
                self.on_note(f"{error.message}; retry {retry + 1} of {MAX_RETRIES} in {wait_s:.1f} s")
            await self.sleep(wait_s)
        raise AssertionError("unreachable")

    def _wait_s(self, error: ProviderError, retry: int) -> float:
        if error.retry_after_s is not None:
            return error.retry_after_s + _JITTER_S * (1 + self.random())
        return float(_FIRST_WAIT_S * 2**retry * (0.5 + self.random() / 2))

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
