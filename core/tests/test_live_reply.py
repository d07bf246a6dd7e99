"""The streaming reply: stored once, published at a bounded rate, and closed with its stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest

from promptvision.agent.turns.live_reply import INTERVAL_S, LiveReply, SentPrefix, Throttle
from promptvision.errors import ProviderError
from promptvision.llm.messages import ChatDelta, ChatReply


@pytest.mark.parametrize("text", ["", "a", "The lion is", "\ud83d half a letter", "\U0001f981"])
def test_sent_prefix_accepts_texts_that_start_with_it(text: str) -> None:
    given = SentPrefix.whole(text)
    assert given.begins(text)
    assert given.begins(text + " in the grass")
    assert not given.begins(text[:-1]) or text == ""
    assert not given.begins("x" + text[1:] + " in the grass") or text == ""


def hear(live_reply: LiveReply, *deltas: ChatDelta) -> tuple[ChatReply, list[str]]:
    """The reply, and the text at each notification."""
    received: list[str] = []
    live_reply.subscribers.append(lambda: received.append(live_reply.text))

    async def stream() -> AsyncGenerator[ChatDelta, None]:
        for delta in deltas:
            yield delta

    return asyncio.run(live_reply.receive(1, stream())), received


def test_text_grows_and_restarts_with_the_reply() -> None:
    live_reply, reply = LiveReply(), ChatReply(text="Two")
    pieces = [ChatDelta(text="On"), ChatDelta(text="e"), ChatDelta(text="Two", restarted=True)]
    assert hear(live_reply, *pieces, ChatDelta(reply=reply)) == (reply, ["On", "One", "Two"])
    assert live_reply.is_whole


def test_stream_without_an_end_is_a_failure() -> None:
    live_reply = LiveReply()
    with pytest.raises(ProviderError, match="ended without a reply"):
        hear(live_reply, ChatDelta(text="On"))
    assert live_reply.is_whole


def test_stream_that_is_left_is_closed() -> None:
    closed = []

    async def stream() -> AsyncGenerator[ChatDelta, None]:
        try:
            yield ChatDelta(text="On")
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def leave() -> None:
        async with asyncio.timeout(0.02):
            await LiveReply().receive(1, stream())

    with pytest.raises(TimeoutError):
        asyncio.run(leave())
    assert closed == [True]


def test_throttled_listener_is_called_rarely_and_at_the_end() -> None:
    said, notified = 0, []

    async def speak() -> None:
        nonlocal said
        throttle = Throttle(lambda: notified.append(said))
        ends_at = time.monotonic() + 0.3
        while time.monotonic() < ends_at:
            said += 1
            throttle()
            await asyncio.sleep(0)
        await asyncio.sleep(2 * INTERVAL_S)

    asyncio.run(speak())
    assert notified[0] == 1, "the first piece does not wait"
    assert notified[-1] == said, "the last one is not lost"
    assert 3 <= len(notified) <= 8


def test_throttle_listener_is_not_called_after_the_end() -> None:
    notified: list[int] = []

    async def speak() -> None:
        throttle = Throttle(lambda: notified.append(1))
        throttle()
        throttle()
        throttle.close()
        await asyncio.sleep(2 * INTERVAL_S)

    asyncio.run(speak())
    assert notified == [1]
