from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from promptvision.errors import ProviderError, ProviderErrorKind
from promptvision.llm.correction import signature
from promptvision.llm.fallback import FallbackProvider
from promptvision.llm.messages import ChatDelta, ChatReply, ChatRequest, Message, PlannerFallback
from promptvision.llm.planner import PlannerFunction, PlanRequest
from promptvision.llm.retry import Retry
from promptvision.testing import Stopwatch
from promptvision.testing.llm_faults import FAILED_GENERATIONS, failed_generation
from promptvision.testing.llm_wire import call
from promptvision.testing.planner import ScriptedPlanner, ScriptedReply

DETECT = PlannerFunction(
    name="detect_objects",
    description="Find things.",
    parameters={
        "type": "object",
        "properties": {
            "image_url": {"type": "string"},
            "box_threshold": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "detail": {"enum": ["brief", "long"]},
        },
        "required": ["image_url"],
    },
)
CAPTION = PlannerFunction(
    name="caption_image", description="Describe.", parameters={"type": "object", "properties": {}}
)
ASK = PlanRequest(
    messages=(Message(role="user", content="Where is it?"),), functions=(DETECT, CAPTION), timeout_s=5
)
ARGUMENTS = {"image_url": "img_1"}


async def no_sleep(seconds: float) -> None:
    """Do not wait."""


QUICK = Retry(sleep=no_sleep)


def error(
    kind: ProviderErrorKind, *, retryable: bool = False, retry_after_s: float | None = None
) -> ProviderError:
    return ProviderError(f"first: {kind}", kind=kind, retryable=retryable, retry_after_s=retry_after_s)


def refused(generation: str | None) -> ProviderError:
    return ProviderError("first: bad call", kind="invalid_call", rejected=generation or "")


class Chain:
    """A fallback provider of ``first`` and ``offline``, and its notes."""

    def __init__(self, *replies: ScriptedReply, offline: tuple[ScriptedReply, ...] = ()) -> None:
        self.first = ScriptedPlanner(replies, name="first", context_tokens=6000)
        self.offline = ScriptedPlanner(offline, name="offline")
        self.notes: list[str] = []
        self.fallbacks: list[PlannerFallback] = []
        self.provider = FallbackProvider([self.first, self.offline], retry=QUICK)

    def complete(self, request: PlanRequest = ASK) -> ChatReply:
        reply = asyncio.run(self.provider.complete(request))
        self.notes, self.fallbacks = list(reply.notes), list(reply.fallbacks)
        reply = replace(reply, notes=(), fallbacks=())
        self.first.assert_used_up()
        self.offline.assert_used_up()
        return reply

    def stream(self, request: PlanRequest = ASK) -> list[ChatDelta]:
        async def collect() -> list[ChatDelta]:
            return [delta async for delta in self.provider.stream(request)]

        return asyncio.run(collect())


class Breaking(ScriptedPlanner):
    """Streams some text before each failure."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        for piece in ("The lion", " is"):
            yield ChatDelta(text=piece)
        async for delta in super().stream(request):
            yield delta


class Hanging(ScriptedPlanner):
    """Never answers."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.requests.append(request)
        await asyncio.Event().wait()
        raise AssertionError


def shown(deltas: list[ChatDelta]) -> str:
    """The text that a reader has at the end."""
    text = ""
    for delta in deltas:
        text = delta.text if delta.restarted else text + delta.text
    return text


def test_provider_takes_name_and_budget_after_its_first_provider() -> None:
    provider = Chain().provider
    assert (provider.name, provider.context_tokens) == ("first", 100_000)


def test_chain_needs_a_provider() -> None:
    with pytest.raises(ValueError, match="at least one provider"):
        FallbackProvider([])


def test_good_reply_passes_and_names_its_planner() -> None:
    chain = Chain(ChatReply(text="There."))
    assert chain.complete() == ChatReply(text="There.", planner="first")
    assert chain.notes == []


def test_retryable_failure_is_tried_again() -> None:
    chain = Chain(
        error("server", retryable=True), error("connection", retryable=True), ChatReply(text="There.")
    )
    assert chain.complete().planner == "first"
    assert ["retry" in note for note in chain.notes] == [True, True]


@pytest.mark.parametrize("kind", ["auth", "bad_request", "model_gone"])
def test_lasting_failure_goes_to_the_next_provider_at_once(kind: ProviderErrorKind) -> None:
    chain = Chain(error(kind), offline=(ChatReply(text="There."),))
    assert chain.complete().planner == "offline"
    assert chain.notes == [f"first: {kind}; asking offline instead"]
    assert chain.fallbacks == [
        {"planner": "first", "kind": kind, "message": chain.notes[0], "instead": "offline"}
    ]


def test_long_retry_after_is_not_slept_but_handed_over() -> None:
    chain = Chain(error("rate_limit", retryable=True, retry_after_s=90), offline=(ChatReply(text="There."),))
    assert chain.complete().planner == "offline"


@pytest.mark.parametrize("shape", [shape for shape in FAILED_GENERATIONS if shape not in ("prose", "absent")])
def test_failed_generation_of_every_shape_becomes_its_call(shape: str) -> None:
    chain = Chain(refused(failed_generation(shape, "detect_objects", ARGUMENTS)))
    reply = chain.complete()
    assert [made.name for made in reply.tool_calls] == ["detect_objects"]
    assert (reply.finish_reason, reply.planner) == ("tool_calls", "first")


def test_failed_generation_in_prose_is_the_answer() -> None:
    assert Chain(refused("Two lions.")).complete().text == "Two lions."


def test_what_cannot_be_read_is_corrected_at_temperature_0() -> None:
    chain = Chain(
        refused('<function=detect_objects>{"image'), ChatReply(tool_calls=(call("detect_objects"),))
    )
    chain.complete()
    before, corrected = chain.first.requests
    assert before.messages == ASK.messages
    assert corrected.messages[:-1] == ASK.messages
    assert corrected.temperature == 0
    note = corrected.messages[-1].content
    assert "first: bad call" in note
    assert signature(DETECT) in note
    assert "caption_image" not in note


def test_two_corrections_then_the_next_provider_which_sees_no_note() -> None:
    chain = Chain(refused(None), refused(""), refused("<function=x"), offline=(ChatReply(text="There."),))
    assert chain.complete().planner == "offline"
    assert [len(request.messages) for request in chain.first.requests] == [1, 2, 2]
    assert chain.offline.requests[0].messages == ASK.messages


def test_signature_is_one_line() -> None:
    assert (
        signature(DETECT)
        == "detect_objects(image_url: string, box_threshold?: number | null, detail?: brief | long)"
    )


def test_call_written_as_text_is_made() -> None:
    chain = Chain(ChatReply(text='<function=detect_objects>{"image_url": "img_1"}</function>'))
    reply = chain.complete()
    assert [(made.name, made.arguments) for made in reply.tool_calls] == [("detect_objects", ARGUMENTS)]
    assert reply.text == ""


def test_call_where_an_answer_was_due_is_dropped_or_corrected() -> None:
    request = replace(ASK, tool_choice="none")
    calls = (call("detect_objects", ARGUMENTS),)
    with_text = Chain(ChatReply(text="There.", tool_calls=calls, finish_reason="tool_calls")).complete(
        request
    )
    assert (with_text.text, with_text.tool_calls, with_text.finish_reason) == ("There.", (), "stop")
    chain = Chain(
        ChatReply(tool_calls=calls), refused("<function=detect_objects>{}"), ChatReply(text="There.")
    )
    assert chain.complete(request).text == "There."
    assert "call no function" in chain.first.requests[1].messages[-1].content


def test_bug_in_a_provider_is_its_failure_alone() -> None:
    chain = Chain(KeyError("choices"), offline=(ChatReply(text="There."),))
    assert chain.complete().planner == "offline"
    assert "KeyError" in chain.notes[0]


def test_when_all_fail_the_error_names_all() -> None:
    chain = Chain(error("auth"), offline=(ProviderError("offline: no match", kind="bad_request"),))
    with pytest.raises(ProviderError, match="first: auth; offline: no match") as caught:
        chain.complete()
    assert caught.value.kind == "auth"


@pytest.mark.parametrize("hanging", [1, 2, 3])
def test_hanging_providers_end_within_the_deadline(hanging: int) -> None:
    offline = ScriptedPlanner([ChatReply(text="There.")], name="offline")
    providers = [Hanging([], name=f"llm{index}") for index in range(hanging)]
    watch = Stopwatch()
    reply = asyncio.run(FallbackProvider([*providers, offline]).complete(replace(ASK, timeout_s=0.3)))
    assert watch.seconds < 0.3 + 0.5
    assert reply.planner == "offline"
    assert all(provider.requests for provider in providers)


def test_hanging_last_provider_ends_too() -> None:
    watch = Stopwatch()
    with pytest.raises(ProviderError) as caught:
        asyncio.run(FallbackProvider([Hanging([]), Hanging([])]).complete(replace(ASK, timeout_s=0.2)))
    assert watch.seconds < 0.2 + 0.5
    assert caught.value.kind == "timeout"


def test_circuit_breaker_skips_a_host_that_is_down() -> None:
    down = ScriptedPlanner([error("connection", retryable=True)] * 9, name="first")
    offline = ScriptedPlanner([ChatReply(text="There.")] * 5, name="offline")
    provider = FallbackProvider([down, offline], retry=QUICK)
    for _ in range(5):
        assert asyncio.run(provider.complete(ASK)).planner == "offline"
    assert len(down.requests) == 3


def test_stream_gives_text_as_it_comes_and_the_reply_at_the_end() -> None:
    deltas = Chain(ChatReply(text="The lion is asleep.")).stream()
    assert [delta.text for delta in deltas[:-1]] == ["The ", "lion ", "is ", "asleep."]
    assert deltas[-1].reply == ChatReply(text="The lion is asleep.", planner="first")


def test_stream_never_shows_a_call_written_as_text() -> None:
    deltas = Chain(ChatReply(text='<function=detect_objects> {"image_url": "img_1"} </function>')).stream()
    assert shown(deltas) == ""
    assert deltas[-1].reply is not None
    assert [made.name for made in deltas[-1].reply.tool_calls] == ["detect_objects"]


@pytest.mark.parametrize("text", ["<3 lions", "detect_objects found a lion.", "{ } are braces."])
def test_stream_shows_in_the_end_what_only_looked_like_a_call(text: str) -> None:
    assert shown(Chain(ChatReply(text=text)).stream()) == text


def test_broken_stream_is_restarted() -> None:
    failing = Breaking([error("cut", retryable=True)] * 3, name="first")
    offline = ScriptedPlanner([ChatReply(text="It sleeps.")], name="offline")

    async def collect() -> list[ChatDelta]:
        return [delta async for delta in FallbackProvider([failing, offline], retry=QUICK).stream(ASK)]

    deltas = asyncio.run(collect())
    assert [delta.restarted for delta in deltas].count(True) == 3
    assert shown(deltas) == "It sleeps."
    assert deltas[-1].reply is not None
    assert deltas[-1].reply.planner == "offline"


def test_stream_that_fails_raises_after_its_text() -> None:
    chain = Chain(error("auth"), offline=(error("bad_request"),))
    with pytest.raises(ProviderError, match="auth"):
        chain.stream()


def test_stream_left_early_leaves_no_task() -> None:
    async def leave() -> int:
        stream = Chain(ChatReply(text="one two three " * 200)).provider.stream(ASK)
        assert (await anext(stream)).text == "one "
        await stream.aclose()
        return len(asyncio.all_tasks())

    assert asyncio.run(leave()) == 1


def test_cancelling_a_call_cancels_it() -> None:
    async def cancel() -> None:
        task = asyncio.create_task(FallbackProvider([Hanging([]), ScriptedPlanner([])]).complete(ASK))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


def test_close_closes_all() -> None:
    chain = Chain()
    asyncio.run(chain.provider.close())
    assert chain.first.is_closed
    assert chain.offline.is_closed


class Whole:
    """A third-party provider without streaming."""

    name = "whole"
    context_tokens = 6000

    async def complete(self, request: PlanRequest) -> ChatReply:
        return ChatReply(text="There.")

    async def close(self) -> None:
        """Nothing to release."""


def test_provider_that_cannot_stream_answers_as_a_whole() -> None:
    async def collect() -> list[ChatDelta]:
        provider = FallbackProvider([Whole()], retry=QUICK)
        return [delta async for delta in provider.stream(ASK)]

    assert asyncio.run(collect()) == [ChatDelta(reply=ChatReply(text="There.", planner="whole"))]
