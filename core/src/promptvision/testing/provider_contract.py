"""Contract tests for providers of chat-completions hosts; a plugin runs them by subclassing."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from importlib import import_module
from typing import ClassVar

import pytest

from promptvision.errors import ProviderError, SetupError
from promptvision.llm.chat_host import ChatHost
from promptvision.llm.fallback import FallbackProvider
from promptvision.llm.messages import ChatDelta, ChatReply, Message, ToolCall, Usage
from promptvision.llm.planner import PlannerFunction, PlanRequest
from promptvision.llm.retry import Retry
from promptvision.plugins.specs import ProviderFactory
from promptvision.settings import Settings
from promptvision.testing.llm_faults import FAULTS, KINDS, Fault, Scripted
from promptvision.testing.llm_server import LLMServer
from promptvision.testing.llm_wire import call
from promptvision.testing.planner import ScriptedPlanner

__all__ = ["ProviderContract"]

KEY = "sk-very-secret-key"
LOST = ("unauthorized", "stalled", "rate limit, 90 s")
"""Faults after which another planner answers; after other faults the request is retried."""


class ProviderContract:
    """Subclass it in a test file and set the class variables.

    It runs the provider, with its real SDK, against :class:`LLMServer` on the loopback interface, and
    simulates every fault of :data:`FAULTS`. The provider must derive from :class:`ChatHost`.
    """

    name: ClassVar[str]
    """Name of the provider."""
    plugin_module: ClassVar[str]
    """Module with the hook ``promptvision_llm_providers``, such as ``promptvision_groq.plugin``."""
    sdk_modules: ClassVar[tuple[str, ...]]
    """Modules of the SDK, the first one importable: :attr:`plugin_module` must import none of them."""
    key_variable: ClassVar[str]
    """Variable of the API key."""
    url_variable: ClassVar[str]
    """Variable of the base URL."""
    model_variable: ClassVar[str]
    """Variable of the model."""
    model_setting: ClassVar[str]
    """The variable that an error about the model names in its fix."""
    default_model: ClassVar[str]
    """A model that is used if no model is set and the host lists it."""
    base_path: ClassVar[str] = "/v1"
    """Path of the host's API on :class:`LLMServer`: ``/v1`` or ``/openai/v1``."""

    request: ClassVar[PlanRequest] = PlanRequest(
        messages=(Message(role="user", content="Where is the lion?"),),
        functions=(
            PlannerFunction(
                name="detect_objects",
                description="Find things.",
                parameters={
                    "type": "object",
                    "properties": {
                        "image_url": {"type": "string", "description": "The image."},
                        "box_threshold": {"type": "number", "default": 0.45},
                    },
                    "required": ["image_url"],
                    "additionalProperties": False,
                },
            ),
        ),
        timeout_s=10,
    )
    """The request that most tests send."""

    @pytest.fixture(scope="class")
    @classmethod
    def host(cls) -> Iterator[LLMServer]:
        """The host of all tests; the SDK is imported before any deadline starts."""
        import_module(cls.sdk_modules[0])
        with LLMServer() as server:
            yield server

    @pytest.fixture
    def server(self, host: LLMServer) -> LLMServer:
        """The host without a script."""
        host.reset()
        host.models = None
        return host

    @property
    def factory(self) -> ProviderFactory:
        """The provider factory of the plugin."""
        factories: list[ProviderFactory] = import_module(self.plugin_module).promptvision_llm_providers()
        return next(factory for factory in factories if factory.name == self.name)

    def make(self, server: LLMServer, **variables: str) -> ChatHost:
        """Create the provider for a server; further variables replace its own."""
        values = {
            self.key_variable: KEY,
            self.url_variable: server.url + self.base_path,
            self.model_variable: "some-model",
        }
        provider = self.factory.create(Settings.from_mapping({**values, **variables}))
        assert isinstance(provider, ChatHost)
        return provider

    def ask(
        self,
        provider: ChatHost | FallbackProvider,
        request: PlanRequest | None = None,
        *,
        is_streamed: bool = False,
    ) -> ChatReply:
        """Return the reply of one request, sent from a new event loop."""
        request = request or self.request

        async def run() -> ChatReply:
            if not is_streamed:
                return await provider.complete(request)
            deltas = await _drain(provider.stream(request))
            reply = deltas[-1].reply
            assert reply is not None
            last = max((index for index, delta in enumerate(deltas) if delta.restarted), default=0)
            assert "".join(delta.text for delta in deltas[last:]) in ("", reply.text)
            return reply

        return asyncio.run(run())

    @pytest.mark.parametrize("is_streamed", [False, True])
    def test_reply_is_complete(self, server: LLMServer, is_streamed: bool) -> None:
        """Text, calls, usage and the name of the planner."""
        calls = (call("detect_objects", {"image_url": "img_1"}), call("caption_image", '{"detail": "brief"}'))
        reply = ChatReply(text="I will look at it.", tool_calls=calls, usage=Usage(120, 7))
        server.reset([reply])
        got = self.ask(self.make(server), is_streamed=is_streamed)
        assert (got.text, got.tool_calls) == (reply.text, calls)
        assert (got.finish_reason, got.planner) == ("tool_calls", self.name)
        assert got.usage == Usage(120, 7)

    def test_request_on_the_wire(self, server: LLMServer) -> None:
        """Key, model, messages and options reach the host."""
        server.reset(["Done."])
        made = ToolCall(id="call_1", name="detect_objects", arguments={"image_url": "img_1"})
        history = (
            Message(role="system", content="Be short."),
            Message(role="assistant", tool_calls=(made,)),
            Message(role="tool", tool_call_id="call_1", name="detect_objects", content="{}"),
        )
        functions = self.request.functions
        self.ask(
            self.make(server),
            PlanRequest(messages=history, functions=functions, tool_choice="none", temperature=0),
        )
        recorded = server.requests[0]
        assert recorded.path == f"{self.base_path}/chat/completions"
        assert recorded.headers["authorization"] == f"Bearer {KEY}"
        assert recorded.body["model"] == "some-model"
        assert recorded.body["temperature"] == 0
        assert recorded.body["tool_choice"] == "none"
        messages = recorded.body["messages"]
        assert [message["role"] for message in messages] == ["system", "assistant", "tool"]
        assert messages[1]["tool_calls"][0]["function"]["arguments"] == '{"image_url": "img_1"}'

    @pytest.mark.parametrize("is_streamed", [False, True])
    @pytest.mark.parametrize("fault", [name for name in FAULTS if name != "stalled"])
    def test_every_fault_is_a_reply_or_one_provider_error(
        self, server: LLMServer, fault: str, is_streamed: bool
    ) -> None:
        """The SDK itself never retries; the error has the kind of :data:`KINDS` and one line."""
        server.reset([FAULTS[fault]()])
        if fault not in KINDS:
            reply = self.ask(self.make(server), is_streamed=is_streamed)
            assert reply.text or reply.tool_calls
        else:
            with pytest.raises(ProviderError) as caught:
                self.ask(self.make(server), is_streamed=is_streamed)
            assert caught.value.kind == KINDS[fault]
            assert caught.value.message.startswith(f"{self.name}: ")
            assert "\n" not in str(caught.value)
        assert len(server.requests) == 1

    @pytest.mark.parametrize("is_streamed", [False, True])
    @pytest.mark.parametrize("fault", FAULTS)
    def test_through_the_provider_chain_every_fault_ends_in_a_reply(
        self, server: LLMServer, fault: str, is_streamed: bool
    ) -> None:
        """By a retry, a repaired call or the next planner, within the deadline."""
        server.reset([FAULTS[fault]()], otherwise="There.")
        offline = ScriptedPlanner([ChatReply(text="There, perhaps.")], name="offline")
        chain = FallbackProvider([self.make(server), offline], retry=Retry(random=lambda: 0))
        timeout_s = 0.5 if fault == "stalled" else 5
        started = time.monotonic()
        reply = self.ask(chain, replace(self.request, timeout_s=timeout_s), is_streamed=is_streamed)
        assert time.monotonic() - started < timeout_s + 0.5
        assert reply.text or reply.tool_calls
        assert reply.planner == ("offline" if fault in LOST else self.name)

    def test_retry_after_and_failed_generation_are_passed_on(self, server: LLMServer) -> None:
        """The core decides whether to wait and repairs rejected calls."""
        server.reset([Fault.status(429, retry_after="90"), Fault.tool_use_failed("<function=find>{}")])
        with pytest.raises(ProviderError) as limited:
            self.ask(self.make(server))
        assert (limited.value.retryable, limited.value.retry_after_s) == (True, 90)
        with pytest.raises(ProviderError) as failed:
            self.ask(self.make(server))
        assert failed.value.rejected == "<function=find>{}"

    @pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files by /proc")  # noqa: PTH112
    def test_stalls_end_at_the_deadline_and_leave_nothing_open(self, server: LLMServer) -> None:
        """Neither files nor tasks accumulate."""
        server.reset(otherwise=Fault.stalled("I am"))
        provider = self.make(server)

        async def stall(is_streamed: bool) -> None:
            request = PlanRequest(messages=self.request.messages, timeout_s=0.05)
            with pytest.raises(ProviderError) as caught:
                await (_drain(provider.stream(request)) if is_streamed else provider.complete(request))
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

    @pytest.mark.parametrize("is_streamed", [False, True])
    def test_host_that_never_answers_is_left_within_the_first_byte_limit(
        self, server: LLMServer, is_streamed: bool
    ) -> None:
        """The next planner is asked without a retry."""
        server.reset(otherwise=Fault.slow(8, ChatReply(text="Done, late.")))
        offline = ScriptedPlanner([ChatReply(text="There.")], name="offline")
        chain = FallbackProvider([self.make(server, PROMPTVISION_LLM_FIRST_BYTE_S="1"), offline])
        started = time.monotonic()
        reply = self.ask(chain, replace(self.request, timeout_s=60), is_streamed=is_streamed)
        assert time.monotonic() - started < 8
        assert reply.planner == "offline"
        assert "no answer from http://" in reply.notes[0]
        assert len(server.requests) <= 1, "none, if this machine is too busy to send one in a second"

    def test_host_that_is_down_is_a_connection_error(self) -> None:
        """It can be retried."""
        with LLMServer() as server:
            provider = self.make(server)
        with pytest.raises(ProviderError) as caught:
            self.ask(provider)
        assert (caught.value.kind, caught.value.retryable) == ("connection", True)

    def test_one_provider_serves_many_event_loops(self, server: LLMServer) -> None:
        """A connection is closed with its loop; an unclosed one would warn, and warnings are errors."""
        server.reset(otherwise="Done.")
        provider = self.make(server)
        for _ in range(3):
            assert self.ask(provider).text == "Done."
            assert provider._clients == {}  # noqa: SLF001
        gc.collect()

    def test_close_closes_the_connections_of_this_loop(self, server: LLMServer) -> None:
        """The SDK's client is closed with the provider."""
        server.reset(otherwise="Done.")
        provider = self.make(server)

        async def use() -> None:
            await provider.complete(self.request)
            client = next(iter(provider._clients.values()))[1]  # noqa: SLF001
            await provider.close()
            assert client.is_closed()

        asyncio.run(use())

    @pytest.mark.parametrize(
        "gone", [Fault.model_gone("some-model"), Fault.model_gone("some-model", "model_decommissioned", 400)]
    )
    def test_model_that_is_gone_names_what_the_host_lists(self, server: LLMServer, gone: Scripted) -> None:
        """The error lists the models and the variable to set."""
        server.reset([gone])
        server.models = ["small-model", "some-model", "big-model"]
        expected = rf"big-model, small-model.*set {self.model_setting}"
        with pytest.raises(ProviderError, match=expected) as caught:
            self.ask(self.make(server))
        assert (caught.value.kind, caught.value.retryable) == ("model_gone", False)

    def test_without_a_model_the_best_listed_one_is_used(self, server: LLMServer) -> None:
        """Models are listed sorted."""
        server.reset(otherwise="Done.")
        server.models = ["another", self.default_model, "whisper"]
        provider = self.make(server, **{self.model_variable: ""})
        assert asyncio.run(provider.models()) == sorted(server.models)
        assert self.ask(provider).text == "Done."
        assert server.bodies[0]["model"] == self.default_model

    def test_without_a_known_model_the_setting_is_named(self, server: LLMServer) -> None:
        """The error names the setting and its possible values."""
        server.models = ["another", "whisper"]
        expected = f"no model is set; the host lists another, whisper; set {self.model_setting}"
        with pytest.raises(ProviderError, match=expected):
            self.ask(self.make(server, **{self.model_variable: ""}))

    def test_rejected_option_is_omitted_from_then_on(self, server: LLMServer) -> None:
        """Some models accept no temperature."""
        rejection = {"code": "unsupported_value", "param": "temperature"}
        server.reset([Fault.status(400, message="Unsupported value.", error=rejection), "One.", "Two."])
        provider = self.make(server)
        assert (self.ask(provider).text, self.ask(provider).text) == ("One.", "Two.")
        assert ["temperature" in body for body in server.bodies] == [True, False, False]

    def test_probe_requires_a_call(self, server: LLMServer) -> None:
        """``promptvision doctor`` tests whether the model calls functions."""
        server.reset([ChatReply(tool_calls=(call("report_number", {"number": 7}),)), "Seven."])
        assert asyncio.run(self.make(server).probe()) == "some-model"
        with pytest.raises(ProviderError, match="answered without calling"):
            asyncio.run(self.make(server).probe())

    def test_key_is_never_shown(self, server: LLMServer) -> None:
        """Not even if the host quotes it in an error."""
        server.reset([Fault.status(401, message=f"Incorrect API key provided: {KEY}")])
        provider = self.make(server)
        with pytest.raises(ProviderError) as caught:
            self.ask(provider)
        assert KEY not in f"{caught.value} {caught.value!r} {caught.value.body}"
        assert KEY not in repr(provider._host)  # noqa: SLF001

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("", "localhost:1234"),
            ("PROMPTVISION_LLM_TEMPERATURE", "hot"),
            ("PROMPTVISION_LLM_TIMEOUT_S", "nan"),
            ("PROMPTVISION_LLM_CONTEXT_TOKENS", "7"),
        ],
    )
    def test_invalid_setting_is_named(self, variable: str, value: str) -> None:
        """An empty variable here is the one of the URL."""
        variable = variable or self.url_variable
        with pytest.raises(SetupError, match=variable):
            self.factory.create(Settings.from_mapping({self.key_variable: KEY, variable: value}))

    def test_plugin_module_imports_no_sdk(self) -> None:
        """It is imported for every command."""
        code = f"import sys, {self.plugin_module}; sys.exit(bool({{*sys.modules}} & {{*sys.argv[1:]}}))"
        assert subprocess.run([sys.executable, "-c", code, *self.sdk_modules], check=False).returncode == 0

    def test_factory_says_what_is_missing(self) -> None:
        """Either the key or the URL is enough."""
        missing = self.factory.unavailable(Settings.from_mapping({}))
        assert missing is not None
        assert self.key_variable in missing
        for name, value in ((self.key_variable, "x"), (self.url_variable, "http://localhost:1")):
            settings = Settings.from_mapping({name: value})
            assert self.factory.unavailable(settings) is None
            assert self.factory.create(settings).name == self.name


async def _drain(deltas: AsyncIterator[ChatDelta]) -> list[ChatDelta]:
    return [delta async for delta in deltas]
