from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from promptvision.plugin import (
    ChatDelta,
    ChatRequest,
    Message,
    ModelPool,
    ProviderError,
    Settings,
    SetupError,
)
from promptvision.testing import FallbackProvider, ScriptedPlanner
from promptvision_transformers_llm.plugin import MODEL
from promptvision_transformers_llm.provider import TransformersLLM, create

REQUEST = ChatRequest(messages=(Message(role="user", content="hello"),), timeout_s=60)


def until(is_so: Any, limit_s: float = 30) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.01)


def leases(pool: ModelPool) -> int:
    return sum(model.leases for model in pool.loaded())


@pytest.fixture(autouse=True)
def length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies of an untrained model do not end by themselves."""
    monkeypatch.setattr("promptvision_transformers_llm.generation.MAX_TOKENS", 80)


@pytest.fixture
def planner(pool: ModelPool) -> Iterator[TransformersLLM]:
    made = create(Settings.from_mapping({}), pool)
    yield made
    asyncio.run(made.close())


def stream(planner: TransformersLLM, request: ChatRequest) -> list[ChatDelta]:
    async def read() -> list[ChatDelta]:
        return [delta async for delta in planner.stream(request)]

    return asyncio.run(read())


def test_text_is_streamed_and_is_that_of_the_whole_reply(planner: TransformersLLM, pool: ModelPool) -> None:
    deltas = stream(planner, REQUEST)
    reply = deltas[-1].reply
    assert reply is not None
    assert len(deltas) > 10
    assert "".join(delta.text for delta in deltas).rstrip() == reply.text
    assert reply.planner == "transformers_llm"
    assert reply.usage.output_tokens >= len(deltas) - 1
    assert reply.usage.input_tokens > 0
    assert asyncio.run(planner.complete(REQUEST)).text == reply.text, "the same request, the same reply"
    until(lambda: leases(pool) == 0)


def test_cached_prompt_is_not_read_again(planner: TransformersLLM, pool: ModelPool) -> None:
    asyncio.run(planner.complete(REQUEST))
    with pool.lease(MODEL.id) as (chat,):
        known = chat.template.encode(REQUEST)
        assert chat.cache.tokens[: len(known)] == known
        longer = replace(REQUEST, messages=(*REQUEST.messages, Message(role="user", content="more")))
        prompt = chat.template.encode(longer)
        unread = chat.cache.reuse(prompt)
    assert 0 < len(unread) < len(prompt)


def test_closing_the_stream_stops_the_generation(planner: TransformersLLM, pool: ModelPool) -> None:
    async def leave() -> None:
        async with aclosing(planner.stream(REQUEST)) as deltas:
            async for _ in deltas:
                return

    asyncio.run(leave())
    until(lambda: leases(pool) == 0)
    with pool.lease(MODEL.id) as (chat,):
        written = len(chat.cache.tokens) - len(chat.template.encode(REQUEST))
    assert written < 60, "the whole reply has more"


def test_cancelled_task_stops_the_generation(planner: TransformersLLM, pool: ModelPool) -> None:
    async def cancel() -> None:
        task = asyncio.create_task(planner.complete(REQUEST))
        await asyncio.to_thread(until, lambda: leases(pool) > 0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    until(lambda: leases(pool) == 0)


def test_cancellation_is_not_lost_when_text_comes_at_the_same_time(planner: TransformersLLM) -> None:
    """The reader is cancelled a few iterations of the event loop after the next text has been put."""

    async def cancel_at_text(iterations: int) -> None:
        seen = asyncio.Event()

        async def read() -> None:
            async for _ in planner.stream(REQUEST):
                seen.set()

        task = asyncio.create_task(read())
        await seen.wait()
        time.sleep(0.05)  # noqa: ASYNC251  # no iteration happens before there is more text
        for _ in range(iterations):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for iterations in range(6):
        asyncio.run(cancel_at_text(iterations))


def test_reply_that_takes_too_long_is_a_timeout_and_stops(planner: TransformersLLM, pool: ModelPool) -> None:
    with pool.lease(MODEL.id):  # loaded already
        pass
    with pytest.raises(ProviderError, match=r"no reply within 0\.05 s") as caught:
        asyncio.run(planner.complete(replace(REQUEST, timeout_s=0.05)))
    assert caught.value.kind == "timeout"
    until(lambda: leases(pool) == 0)


def test_requests_run_one_at_a_time_and_can_time_out_while_waiting(
    planner: TransformersLLM, pool: ModelPool
) -> None:
    async def race() -> None:
        first = asyncio.create_task(planner.complete(REQUEST))
        await asyncio.to_thread(until, lambda: leases(pool) > 0)
        with pytest.raises(ProviderError, match="no reply within"):
            await planner.complete(replace(REQUEST, timeout_s=0.01))
        second = asyncio.create_task(planner.complete(REQUEST))
        assert (await first).text == (await second).text

    asyncio.run(race())


def test_close_stops_what_runs(pool: ModelPool) -> None:
    planner = create(Settings.from_mapping({}), pool)

    async def close() -> None:
        task = asyncio.create_task(planner.complete(REQUEST))
        await asyncio.to_thread(until, lambda: leases(pool) > 0)
        await planner.close()
        with pytest.raises(ProviderError, match="no longer wanted"):
            await task

    asyncio.run(close())
    assert leases(pool) == 0
    assert not [each for each in threading.enumerate() if each.name.startswith("transformers_llm")]


def test_next_planner_is_used_if_the_model_does_not_fit(checkpoint: Path) -> None:
    settings = Settings.from_mapping(
        {"PROMPTVISION_MODEL_QWEN3_0_6B": str(checkpoint), "PROMPTVISION_MODEL_MEMORY": "1000"}
    )
    planner = create(settings, ModelPool({MODEL.id: MODEL}, settings))
    chain = FallbackProvider([planner, ScriptedPlanner(["There."], name="offline")])  # type: ignore[list-item]
    with pytest.raises(ProviderError, match="raise PROMPTVISION_MODEL_MEMORY") as caught:
        asyncio.run(planner.complete(REQUEST))
    assert not caught.value.retryable
    asyncio.run(chain.close())


def test_missing_weights_are_named_with_their_command(tmp_path: Path) -> None:
    settings = Settings.from_mapping({"PROMPTVISION_HOME": str(tmp_path)})
    planner = create(settings, ModelPool({MODEL.id: MODEL}, settings))
    with pytest.raises(ProviderError, match=r"promptvision models pull qwen3-0\.6b") as caught:
        asyncio.run(planner.complete(REQUEST))
    assert caught.value.kind == "model_gone"
    asyncio.run(planner.close())


def test_history_that_does_not_fit_is_left_out(planner: TransformersLLM, pool: ModelPool) -> None:
    long = Message(role="user", content="a very long story about nothing. " * 400)
    answer = Message(role="assistant", content="I see.")
    messages = (Message(role="system", content="Be short."), *[long, answer] * 4, REQUEST.messages[0])
    reply = asyncio.run(planner.complete(replace(REQUEST, messages=messages)))
    assert reply.text
    assert reply.usage.input_tokens < 7168


def test_request_that_cannot_fit_is_refused(planner: TransformersLLM) -> None:
    words = Message(role="user", content="\u4f60\u597d" * 10_000)
    with pytest.raises(ProviderError, match="use a model with a longer context") as caught:
        asyncio.run(planner.complete(replace(REQUEST, messages=(words,))))
    assert caught.value.kind == "bad_request"


def test_memory_that_runs_out_once_is_freed(
    planner: TransformersLLM, pool: ModelPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from promptvision_transformers_llm import generation

    whole, failures = generation.generate, [MemoryError()]

    def fail_once(*args: Any) -> Any:
        if failures:
            raise failures.pop()
        return whole(*args)

    monkeypatch.setattr(generation, "generate", fail_once)
    assert asyncio.run(planner.complete(REQUEST)).text


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PROMPTVISION_LLM_TEMPERATURE", "hot"), ("PROMPTVISION_LLM_CONTEXT_TOKENS", "7")],
)
def test_invalid_setting_is_named(pool: ModelPool, variable: str, value: str) -> None:
    with pytest.raises(SetupError, match=variable):
        create(Settings.from_mapping({variable: value}), pool)
