from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import openai  # noqa: F401  # imported before any deadline runs
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
    strict,
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
from promptvision_openai.plugin import promptvision_llm_providers
from promptvision_openai.provider import OpenAIProvider, create

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


def make(server: LLMServer, **further: str) -> OpenAIProvider:
    values = {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": server.openai_url,
        "PROMPTVISION_OPENAI_MODEL": "some-model",
    }
    return create(Settings.from_mapping({**values, **further}))


async def drain(deltas: AsyncIterator[ChatDelta]) -> list[ChatDelta]:
    return [delta async for delta in deltas]


def ask(
    provider: OpenAIProvider | FallbackProvider, request: PlanRequest = ASK, *, is_streamed: bool = False
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
    assert (got.finish_reason, got.planner) == ("tool_calls", "openai")
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
    assert recorded.path == "/v1/chat/completions"
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
        assert caught.value.message.startswith("openai: ")
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
    assert reply.planner == ("offline" if is_lost else "openai")


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
    with pytest.raises(
        ProviderError, match=r"big-model, small-model.*set PROMPTVISION_OPENAI_MODEL"
    ) as caught:
        ask(make(server))
    assert (caught.value.kind, caught.value.retryable) == ("model_gone", False)


def test_without_a_model_the_best_that_the_host_lists_is_taken(server: LLMServer) -> None:
    server.reset(otherwise="Done.")
    server.models = ["another", "gpt-4.1-mini", "whisper"]
    provider = make(server, PROMPTVISION_OPENAI_MODEL="")
    assert asyncio.run(provider.models()) == sorted(server.models)
    assert ask(provider).text == "Done."
    assert server.bodies[0]["model"] == "gpt-4.1-mini"


def test_without_a_model_that_is_known_the_setting_is_named(server: LLMServer) -> None:
    server.models = ["another", "whisper"]
    with pytest.raises(
        ProviderError, match="no model is set; the host lists another, whisper; set PROMPTVISION_OPENAI_MODEL"
    ):
        ask(make(server, PROMPTVISION_OPENAI_MODEL=""))


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
        ("OPENAI_BASE_URL", "localhost:1234"),
        ("PROMPTVISION_LLM_TEMPERATURE", "hot"),
        ("PROMPTVISION_LLM_TIMEOUT_S", "nan"),
        ("PROMPTVISION_LLM_CONTEXT_TOKENS", "7"),
    ],
)
def test_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SetupError, match=name):
        create(Settings.from_mapping({"OPENAI_API_KEY": KEY, name: value}))


def test_plugin_module_imports_no_sdk() -> None:
    code = "import sys, promptvision_openai.plugin; sys.exit(bool({*sys.modules} & {*sys.argv[1:]}))"
    heavy = ["openai", "httpx", "httpx2"]
    assert subprocess.run([sys.executable, "-c", code, *heavy], check=False).returncode == 0


def test_factory_says_what_is_missing() -> None:
    (factory,) = promptvision_llm_providers()
    missing = factory.unavailable(Settings.from_mapping({}))
    assert missing is not None
    assert "OPENAI_API_KEY" in missing
    for name, value in (("OPENAI_API_KEY", "x"), ("OPENAI_BASE_URL", "http://localhost:1")):
        settings = Settings.from_mapping({name: value})
        assert factory.unavailable(settings) is None
        assert factory.create(settings).name == "openai"


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
def test_base_url_without_a_path_means_v1(server: LLMServer, path: str) -> None:
    server.reset(["Done."])
    assert ask(make(server, OPENAI_BASE_URL=server.url + path)).text == "Done."


def test_host_of_ones_own_needs_no_key_and_no_model_name(server: LLMServer) -> None:
    server.reset(["Done."])
    server.models = ["the-only-one"]
    assert ask(create(Settings.from_mapping({"OPENAI_BASE_URL": server.url}))).text == "Done."
    assert server.bodies[0]["model"] == "the-only-one"


@pytest.mark.parametrize(
    ("url", "is_strict"),
    [
        ("", True),
        ("https://example.openai.azure.com/openai/v1/", True),
        ("http://localhost:11434", False),
        ("https://openai.com.example.org/v1", False),
    ],
)
def test_strict_mode_is_for_hosts_that_know_it(url: str, is_strict: bool) -> None:
    provider = create(Settings.from_mapping({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": url}))
    wire = provider._host.dialect(FUNCTION.parameters)
    assert wire.get("strict", False) is is_strict


def test_strict_schema_reaches_the_host(server: LLMServer) -> None:
    server.reset(["Done."])
    provider = make(server)
    ask(OpenAIProvider(replace(provider._host, dialect=strict)))
    function = server.bodies[0]["tools"][0]["function"]
    assert function["strict"] is True
    assert function["parameters"]["required"] == ["image_url", "box_threshold"]


@pytest.mark.parametrize(
    ("values", "model"),
    [
        ({"LLM_NAME": "shared"}, "shared"),
        ({"LLM_NAME": "shared", "GROQ_API_KEY": "x"}, None),
        ({"LLM_NAME": "shared", "PROMPTVISION_OPENAI_MODEL": "own"}, "own"),
    ],
)
def test_established_name_sets_the_model_unless_it_is_groqs(
    values: dict[str, str], model: str | None
) -> None:
    assert create(Settings.from_mapping({"OPENAI_API_KEY": KEY, **values}))._host.model == model
