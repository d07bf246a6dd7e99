from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import groq  # noqa: F401  # imported before any deadline runs
import pytest

from promptvision.plugin import (
    ChatDelta,
    ChatReply,
    Message,
    PlannerFunction,
    PlanRequest,
    ProviderError,
    Retry,
    Settings,
    SetupError,
    ToolCall,
    Usage,
)
from promptvision.testing import (
    FAULTS,
    KINDS,
    FallbackProvider,
    Fault,
    LLMServer,
    Scripted,
    ScriptedPlanner,
    call,
)
from promptvision_groq.plugin import promptvision_llm_providers
from promptvision_groq.provider import GroqProvider, create

FUNCTION = PlannerFunction(
    name="detect_objects",
    description="Find things.",
    parameters={
        "type": "object",
        "properties": {
            "image_url": {"type": "string", "description": "The picture."},
            "box_threshold": {"type": "number", "default": 0.45},
        },
        "required": ["image_url"],
        "additionalProperties": False,
    },
)
ASK = PlanRequest(
    messages=(Message(role="user", content="Where is the lion?"),), functions=(FUNCTION,), timeout_s=10
)
KEY = "sk-very-secret-key"


@pytest.fixture(scope="module")
def host() -> Iterator[LLMServer]:
    with LLMServer() as server:
        yield server


@pytest.fixture
def server(host: LLMServer) -> LLMServer:
    host.reset()
    host.models = None
    return host


def make(server: LLMServer, **further: str) -> GroqProvider:
    values = {"GROQ_API_KEY": KEY, "GROQ_BASE_URL": server.groq_url, "PROMPTVISION_GROQ_MODEL": "some-model"}
    return create(Settings.from_mapping({**values, **further}))


async def drain(deltas: AsyncIterator[ChatDelta]) -> list[ChatDelta]:
    return [delta async for delta in deltas]


def ask(
    provider: GroqProvider | FallbackProvider, request: PlanRequest = ASK, *, is_streamed: bool = False
) -> ChatReply:
    """Ask in an event loop of its own."""

    async def run() -> ChatReply:
        if not is_streamed:
            return await provider.complete(request)
        deltas = await drain(provider.stream(request))
        reply = deltas[-1].reply
        assert reply is not None
        last = max((index for index, delta in enumerate(deltas) if delta.restarted), default=0)
        assert "".join(delta.text for delta in deltas[last:]) in ("", reply.text)
        return reply

    return asyncio.run(run())


@pytest.mark.parametrize("is_streamed", [False, True])
def test_reply_comes_back_whole(server: LLMServer, is_streamed: bool) -> None:
    calls = (call("detect_objects", {"image_url": "img_1"}), call("caption_image", '{"detail": "brief"}'))
    reply = ChatReply(text="I will look at it.", tool_calls=calls, usage=Usage(120, 7))
    server.reset([reply])
    got = ask(make(server), is_streamed=is_streamed)
    assert (got.text, got.tool_calls) == (reply.text, calls)
    assert (got.finish_reason, got.planner) == ("tool_calls", "groq")
    assert got.usage == Usage(120, 7)


def test_request_on_the_wire(server: LLMServer) -> None:
    server.reset(["Done."])
    made = ToolCall(id="call_1", name="detect_objects", arguments={"image_url": "img_1"})
    history = (
        Message(role="system", content="Be short."),
        Message(role="assistant", tool_calls=(made,)),
        Message(role="tool", tool_call_id="call_1", name="detect_objects", content="{}"),
    )
    ask(make(server), PlanRequest(messages=history, functions=(FUNCTION,), tool_choice="none", temperature=0))
    recorded = server.requests[0]
    assert recorded.path == "/openai/v1/chat/completions"
    assert recorded.headers["authorization"] == f"Bearer {KEY}"
    assert recorded.body["model"] == "some-model"
    assert recorded.body["temperature"] == 0
    assert recorded.body["tool_choice"] == "none"
    assert [message["role"] for message in recorded.body["messages"]] == ["system", "assistant", "tool"]
    assert recorded.body["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"image_url": "img_1"}'


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("name", [name for name in FAULTS if name != "stalled"])
def test_every_fault_is_a_reply_or_one_provider_error(
    server: LLMServer, name: str, is_streamed: bool
) -> None:
    server.reset([FAULTS[name]()])
    if name not in KINDS:
        reply = ask(make(server), is_streamed=is_streamed)
        assert reply.text or reply.tool_calls
    else:
        with pytest.raises(ProviderError) as caught:
            ask(make(server), is_streamed=is_streamed)
        assert caught.value.kind == KINDS[name]
        assert caught.value.message.startswith("groq: ")
        assert "\n" not in str(caught.value)
    assert len(server.requests) == 1  # the SDK itself never tries again


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("name", FAULTS)
def test_through_the_provider_chain_every_fault_ends_in_a_reply(
    server: LLMServer, name: str, is_streamed: bool
) -> None:
    server.reset([FAULTS[name]()], otherwise="There.")
    offline = ScriptedPlanner([ChatReply(text="There, perhaps.")], name="offline")
    chain = FallbackProvider([make(server), offline], retry=Retry(random=lambda: 0))
    timeout_s = 0.5 if name == "stalled" else 5
    started = time.monotonic()
    reply = ask(chain, replace(ASK, timeout_s=timeout_s), is_streamed=is_streamed)
    assert time.monotonic() - started < timeout_s + 0.5
    assert reply.text or reply.tool_calls
    is_lost = name in ("unauthorized", "stalled", "rate limit, 90 s")
    assert reply.planner == ("offline" if is_lost else "groq")


def test_retry_after_and_failed_generation_are_handed_on(server: LLMServer) -> None:
    server.reset([Fault.status(429, retry_after="90"), Fault.tool_use_failed("<function=find>{}")])
    with pytest.raises(ProviderError) as limited:
        ask(make(server))
    assert (limited.value.retryable, limited.value.retry_after_s) == (True, 90)
    with pytest.raises(ProviderError) as failed:
        ask(make(server))
    assert failed.value.rejected == "<function=find>{}"


def test_stalls_end_at_the_deadline_and_leave_nothing_open(server: LLMServer) -> None:
    server.reset(otherwise=Fault.stalled("I am"))
    provider = make(server)

    async def stall(is_streamed: bool) -> None:
        request = PlanRequest(messages=ASK.messages, timeout_s=0.05)
        with pytest.raises(ProviderError) as caught:
            await (drain(provider.stream(request)) if is_streamed else provider.complete(request))
        assert caught.value.kind == "timeout"

    async def stall_often() -> tuple[int, int]:
        await stall(False)
        await stall(True)
        before = len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())  # noqa: PTH208
        started = time.monotonic()
        for turn in range(20):
            await stall(turn % 2 == 0)
        assert time.monotonic() - started < 20 * 0.55
        await asyncio.sleep(0.1)
        after = len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())  # noqa: PTH208
        return after[0] - before[0], after[1] - before[1]

    files, tasks = asyncio.run(stall_often())
    assert files <= 2  # the server's side of a connection may close a little later
    assert tasks == 0


def test_host_that_is_down_is_a_connection_error() -> None:
    with LLMServer() as server:
        provider = make(server)
    with pytest.raises(ProviderError) as caught:
        ask(provider)
    assert (caught.value.kind, caught.value.retryable) == ("connection", True)


def test_one_provider_serves_many_event_loops(server: LLMServer) -> None:
    server.reset(otherwise="Done.")
    provider = make(server)
    for _ in range(3):
        assert ask(provider).text == "Done."
        assert provider._clients == {}  # closed with its loop
    gc.collect()  # an unclosed connection would warn here, and warnings are errors


def test_close_closes_the_connections_of_this_loop(server: LLMServer) -> None:
    server.reset(otherwise="Done.")
    provider = make(server)

    async def use() -> None:
        await provider.complete(ASK)
        client = next(iter(provider._clients.values()))[1]
        await provider.close()
        assert client.is_closed()

    asyncio.run(use())


@pytest.mark.parametrize(
    "gone", [Fault.model_gone("some-model"), Fault.model_gone("some-model", "model_decommissioned", 400)]
)
def test_model_that_is_gone_names_what_the_host_lists(server: LLMServer, gone: Scripted) -> None:
    server.reset([gone])
    server.models = ["small-model", "some-model", "big-model"]
    with pytest.raises(ProviderError, match=r"big-model, small-model.*set LLM_NAME") as caught:
        ask(make(server))
    assert (caught.value.kind, caught.value.retryable) == ("model_gone", False)


def test_without_a_model_the_best_that_the_host_lists_is_taken(server: LLMServer) -> None:
    server.reset(otherwise="Done.")
    server.models = ["another", "openai/gpt-oss-20b", "whisper"]
    provider = make(server, PROMPTVISION_GROQ_MODEL="")
    assert asyncio.run(provider.models()) == sorted(server.models)
    assert ask(provider).text == "Done."
    assert server.bodies[0]["model"] == "openai/gpt-oss-20b"


def test_without_a_model_that_is_known_the_setting_is_named(server: LLMServer) -> None:
    server.models = ["another", "whisper"]
    with pytest.raises(ProviderError, match="no model is set; the host lists another, whisper; set LLM_NAME"):
        ask(make(server, PROMPTVISION_GROQ_MODEL=""))


def test_option_that_the_model_refuses_is_left_out_from_then_on(server: LLMServer) -> None:
    refusal = {"code": "unsupported_value", "param": "temperature"}
    server.reset([Fault.status(400, message="Unsupported value.", error=refusal), "One.", "Two."])
    provider = make(server)
    assert (ask(provider).text, ask(provider).text) == ("One.", "Two.")
    assert ["temperature" in body for body in server.bodies] == [True, False, False]


def test_probe_wants_a_call(server: LLMServer) -> None:
    server.reset([ChatReply(tool_calls=(call("report_number", {"number": 7}),)), "Seven."])
    assert asyncio.run(make(server).probe()) == "some-model"
    with pytest.raises(ProviderError, match="answered without calling"):
        asyncio.run(make(server).probe())


def test_key_is_never_shown(server: LLMServer) -> None:
    server.reset([Fault.status(401, message=f"Incorrect API key provided: {KEY}")])
    with pytest.raises(ProviderError) as caught:
        ask(make(server))
    assert KEY not in f"{caught.value} {caught.value!r} {caught.value.body}"
    assert KEY not in repr(make(server)._host)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GROQ_BASE_URL", "localhost:1234"),
        ("PROMPTVISION_LLM_TEMPERATURE", "hot"),
        ("PROMPTVISION_LLM_TIMEOUT_S", "nan"),
        ("PROMPTVISION_LLM_CONTEXT_TOKENS", "7"),
    ],
)
def test_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SetupError, match=name):
        create(Settings.from_mapping({"GROQ_API_KEY": KEY, name: value}))


def test_plugin_module_imports_no_sdk() -> None:
    code = "import sys, promptvision_groq.plugin; sys.exit(bool({*sys.modules} & {*sys.argv[1:]}))"
    heavy = ["groq", "httpx", "httpx2"]
    assert subprocess.run([sys.executable, "-c", code, *heavy], check=False).returncode == 0


def test_factory_says_what_is_missing() -> None:
    (factory,) = promptvision_llm_providers()
    missing = factory.unavailable(Settings.from_mapping({}))
    assert missing is not None
    assert "GROQ_API_KEY" in missing
    for name, value in (("GROQ_API_KEY", "x"), ("GROQ_BASE_URL", "http://localhost:1")):
        settings = Settings.from_mapping({name: value})
        assert factory.unavailable(settings) is None
        assert factory.create(settings).name == "groq"


def test_base_url_may_end_as_other_hosts_have_it(server: LLMServer) -> None:
    server.reset(["Done."])
    assert ask(make(server, GROQ_BASE_URL=f"{server.url}/openai/v1/")).text == "Done."


def test_schema_lets_text_through_and_calls_come_one_by_one(server: LLMServer) -> None:
    server.reset(["Done."])
    ask(make(server))
    assert server.bodies[0]["parallel_tool_calls"] is False
    parameters = server.bodies[0]["tools"][0]["function"]["parameters"]
    assert parameters["properties"]["box_threshold"]["anyOf"] == [
        {"type": "number"},
        {"type": "string"},
        {"type": "null"},
    ]


def test_established_name_sets_the_model(server: LLMServer) -> None:
    server.reset(["Done."])
    ask(make(server, PROMPTVISION_GROQ_MODEL="", LLM_NAME="known-by-this-name"))
    assert server.bodies[0]["model"] == "known-by-this-name"


def test_capacity_exceeded_is_a_rate_limit(server: LLMServer) -> None:
    server.reset([Fault.status(498, retry_after="2")])
    with pytest.raises(ProviderError) as caught:
        ask(make(server))
    assert (caught.value.kind, caught.value.retryable, caught.value.retry_after_s) == ("rate_limit", True, 2)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_host_that_accepts_and_never_answers_is_given_up_within_the_first_byte_limit(
    server: LLMServer, is_streamed: bool
) -> None:
    server.reset(otherwise=Fault.slow(5, ChatReply(text="Done, late.")))
    offline = ScriptedPlanner([ChatReply(text="There.")], name="offline")
    chain = FallbackProvider([make(server, PROMPTVISION_LLM_FIRST_BYTE_S="0.2"), offline])
    started = time.monotonic()
    reply = ask(chain, replace(ASK, timeout_s=60), is_streamed=is_streamed)
    assert time.monotonic() - started < 5
    assert reply.planner == "offline"
    assert "no answer from http://" in reply.notes[0]
    assert len(server.requests) == 1, "it is not asked again"
