from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.errors import ProviderError
from promptvision.llm.retry import MAX_RETRIES, Breaker, Deadline, Retry


@dataclass
class Clock:
    """A clock that only ``sleep`` advances."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def server_error(retry_after_s: float | None = None) -> ProviderError:
    return ProviderError("host: 503", kind="server", retryable=True, retry_after_s=retry_after_s)


def limited(retry_after_s: float | None = None) -> ProviderError:
    return ProviderError("host: 429", kind="rate_limit", retryable=True, retry_after_s=retry_after_s)


@dataclass
class Host:
    """Fails as configured, then answers."""

    failures: list[ProviderError]
    asked: int = 0

    async def __call__(self, left_s: float) -> str:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def run(host: Host, clock: Clock, timeout_s: float = 60, breaker: Breaker | None = None) -> str:
    retry = Retry(sleep=clock.sleep, random=lambda: 0.5)
    guard = breaker or Breaker("host", clock=clock)
    return asyncio.run(retry.run(host, name="host", deadline=Deadline(timeout_s, clock), breaker=guard))


def test_two_failures_are_retried_with_growing_jittered_waits() -> None:
    clock, host = Clock(), Host([server_error(), server_error()])
    assert run(host, clock) == "answer"
    assert host.asked == 3
    assert clock.slept == [0.375, 0.75]


def test_third_failure_is_passed_on() -> None:
    clock, host = Clock(), Host([server_error()] * 5)
    with pytest.raises(ProviderError, match="503"):
        run(host, clock)
    assert host.asked == MAX_RETRIES + 1


def test_what_is_not_retryable_is_passed_on_at_once() -> None:
    clock, host = Clock(), Host([ProviderError("host: 401", kind="auth")])
    with pytest.raises(ProviderError, match="401"):
        run(host, clock)
    assert clock.slept == []


def test_retry_after_within_the_deadline_is_waited_for() -> None:
    clock, host = Clock(), Host([limited(4)])
    assert run(host, clock) == "answer"
    assert 4 < clock.slept[0] <= 4.2


def test_retry_after_past_the_deadline_is_passed_on_unslept() -> None:
    clock, host = Clock(), Host([limited(90)])
    with pytest.raises(ProviderError) as caught:
        run(host, clock)
    assert caught.value.retry_after_s == 90
    assert (clock.slept, host.asked) == ([], 1)


def test_hanging_attempt_ends_at_the_deadline() -> None:
    async def hang(left_s: float) -> str:
        await asyncio.Event().wait()
        return "never"

    with pytest.raises(ProviderError) as caught:
        asyncio.run(Retry().run(hang, name="host", deadline=Deadline(0.05), breaker=Breaker("host")))
    assert caught.value.kind == "timeout"


def test_breaker_opens_after_three_outages_and_lets_one_probe_through() -> None:
    clock = Clock()
    breaker = Breaker("host", failures=3, cool_s=10, clock=clock)
    down = Host([server_error()] * 4)
    with pytest.raises(ProviderError, match="503"):
        run(down, clock, breaker=breaker)
    with pytest.raises(ProviderError, match="skipped for") as caught:
        run(down, clock, breaker=breaker)
    assert (caught.value.retryable, caught.value.retry_after_s) == (False, 10)
    assert down.asked == 3
    clock.now += 10
    with pytest.raises(ProviderError, match="503"):  # the probe fails and opens it again
        run(down, clock, breaker=breaker)
    assert down.asked == 4
    clock.now += 10
    assert run(down, clock, breaker=breaker) == "answer"
    assert run(down, clock, breaker=breaker) == "answer"


def test_only_one_of_many_probes() -> None:
    clock = Clock()
    breaker = Breaker("host", failures=1, cool_s=10, clock=clock)
    with pytest.raises(ProviderError), breaker.guard():
        raise server_error()
    clock.now += 10
    with breaker.guard(), pytest.raises(ProviderError, match="skipped for"), breaker.guard():
        pytest.fail("a second probe went through")
    with breaker.guard():
        pass


def test_cancelled_probe_does_not_count() -> None:
    clock = Clock()
    breaker = Breaker("host", failures=1, cool_s=10, clock=clock)
    with pytest.raises(ProviderError), breaker.guard():
        raise server_error()
    clock.now += 10
    with pytest.raises(asyncio.CancelledError), breaker.guard():
        raise asyncio.CancelledError
    with breaker.guard():
        pass


def test_rate_limit_delays_other_requests_for_retry_after() -> None:
    clock = Clock()
    breaker = Breaker("host", clock=clock)
    with pytest.raises(ProviderError), breaker.guard():
        raise limited(5)
    host = Host([])
    with pytest.raises(ProviderError) as caught:
        run(host, clock, timeout_s=3, breaker=breaker)
    assert (caught.value.kind, host.asked) == ("rate_limit", 0)
    assert run(host, clock, timeout_s=60, breaker=breaker) == "answer"
    assert (len(clock.slept), host.asked) == (1, 1)


def test_client_errors_do_not_open_the_breaker() -> None:
    breaker = Breaker("host", failures=1)
    for kind in ("bad_request", "auth", "invalid_call", "model_gone"):
        with pytest.raises(ProviderError), breaker.guard():
            raise ProviderError("host: no", kind=kind)
    with breaker.guard():
        pass


WAITS = st.none() | st.floats(0, 120)


@given(st.lists(WAITS.map(server_error) | WAITS.map(limited), max_size=6), st.floats(0.1, 60))
def test_no_sequence_of_failures_sleeps_past_the_deadline(
    failures: list[ProviderError], timeout_s: float
) -> None:
    clock, host = Clock(), Host(failures)
    with suppress(ProviderError):
        assert run(host, clock, timeout_s) == "answer"
    assert clock.now - 1000 <= timeout_s
    assert host.asked <= MAX_RETRIES + 1
