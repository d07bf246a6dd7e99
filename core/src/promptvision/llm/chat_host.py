"""The base of providers that reach a host through an official chat-completions SDK."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol, Self, TypeVar, runtime_checkable

from promptvision.errors import ProviderError, SetupError
from promptvision.llm.chat_completions import StreamReader, read_reply, request_body
from promptvision.llm.dialects import Dialect
from promptvision.llm.failures import HostErrors, provider_error
from promptvision.llm.messages import ChatDelta, ChatReply, ChatRequest, Function, Message
from promptvision.response_limits import IDENTITY, limit_response_async
from promptvision.settings import Settings

__all__ = ["CONNECT_TIMEOUT_S", "ChatHost", "HostSettings", "base_url", "read_number"]

T = TypeVar("T")

CONNECT_TIMEOUT_S = 5.0
"""Seconds to connect to a host."""
FIRST_BYTE_TIMEOUT_S = 20.0
"""Seconds until a host begins to answer, unless set."""

MAX_RESPONSE_BYTES = 16 * 2**20
"""Maximum size of a response, streamed or not."""

_LISTING_TIMEOUT_S = 5.0
_PROBE_TIMEOUT_S = 20.0
_MAX_LISTED = 20
_OPTIONAL = ("temperature", "parallel_tool_calls", "stream_options")

_PROBE = Function(
    name="report_number",
    description="Report a number.",
    parameters={"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
)


@cache
def _certificates(http: ModuleType) -> Any:
    """The trusted certificates; reading them takes 30 ms, and each event loop has its own client."""
    return http.create_ssl_context()


@runtime_checkable
class _Stream(Protocol):
    """A streamed response of an SDK; some hosts send a whole one instead."""

    def __aiter__(self) -> AsyncIterator[Any]: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class HostSettings:
    """How to talk to a host.

    Args:
        api_key: sent as a bearer token; empty for hosts without authentication.
        base_url: in the form that the SDK expects.
        model: model name; None for the first of ``fallbacks`` that the host lists.
        model_setting: the variable that sets ``model``, for messages.
        fallbacks: models known to support function calling, in order of preference.
        temperature: used where a request has none.
        timeout_s: seconds for one model call.
        first_byte_s: seconds until the host begins to answer.
        context_tokens: as in :class:`~promptvision.llm.planner.Planner`.
        dialect: converts function schemas to what the host accepts.
        errors: errors that only this host knows.
        options: further keyword arguments of each call with functions.
        stream_options: makes the host count the tokens of a stream, if its SDK supports it.
    """

    api_key: str = field(repr=False)
    base_url: str
    model: str | None
    model_setting: str
    fallbacks: tuple[str, ...]
    temperature: float
    timeout_s: float
    first_byte_s: float = FIRST_BYTE_TIMEOUT_S
    context_tokens: int
    dialect: Dialect
    errors: HostErrors = field(default_factory=HostErrors)
    options: tuple[tuple[str, Any], ...] = ()
    stream_options: dict[str, Any] | None = None

    @classmethod
    def read(cls, settings: Settings, *, context_tokens: int, **host: Any) -> Self:
        """Combine what a provider knows about its host with the settings that all LLM providers share.

        Args:
            settings: read for ``PROMPTVISION_LLM_TEMPERATURE``, ``PROMPTVISION_LLM_TIMEOUT_S``,
                ``PROMPTVISION_LLM_FIRST_BYTE_S`` and ``PROMPTVISION_LLM_CONTEXT_TOKENS``.
            context_tokens: the host's default.
            host: the other fields.

        Raises:
            SetupError: a setting is invalid.
        """
        name = "PROMPTVISION_LLM_"
        timeout_s = read_number(settings, f"{name}TIMEOUT_S", 60, lowest=0.1, highest=3600)
        first_byte_s = read_number(
            settings, f"{name}FIRST_BYTE_S", FIRST_BYTE_TIMEOUT_S, lowest=0.1, highest=3600
        )
        tokens = read_number(settings, f"{name}CONTEXT_TOKENS", context_tokens, lowest=1000, highest=1e7)
        return cls(
            temperature=read_number(settings, f"{name}TEMPERATURE", 0.2, lowest=0, highest=2),
            timeout_s=timeout_s,
            first_byte_s=min(first_byte_s, timeout_s),
            context_tokens=int(tokens),
            **host,
        )


def read_number(settings: Settings, name: str, default: float, *, lowest: float, highest: float) -> float:
    """Read a number from the settings.

    Raises:
        SetupError: the value is not a number or out of range.
    """
    written = settings.value(name)
    if written is None:
        return default
    try:
        number = float(written)
    except ValueError:
        number = float("nan")
    if not lowest <= number <= highest:
        problem = f"settings: {name}: {written!r} is not a number from {lowest:g} to {highest:g}"
        raise SetupError(problem, hint=f"correct {name}")
    return number


def base_url(settings: Settings, name: str, default: str) -> str:
    """Read a base URL from the settings, without a trailing slash.

    Raises:
        SetupError: the value is not an http or https URL.
    """
    url = (settings.value(name) or default).rstrip("/")
    if not re.match(r"https?://[^/\s]+", url):
        problem = f"settings: {name}: the value is not an http or https URL"  # it may contain a key
        raise SetupError(problem, hint=f"write {name} as {default}")
    return url


class ChatHost(ABC):
    """An LLM provider on top of an SDK with ``chat.completions.create``, ``models.list`` and ``close``.

    The SDK is imported at the first request, in a thread, because that takes half a second. Each running
    event loop has its own client, which is closed when the loop ends.

    To adapt a host, set ``HostSettings.dialect`` and ``HostSettings.errors``, or override
    :meth:`stream_usage`.

    Args:
        name: shown as ``planner``.
        sdk: module name of the SDK.
        host: how to talk to the host.
    """

    def __init__(self, name: str, sdk: str, host: HostSettings) -> None:
        self.name = name
        self.context_tokens = host.context_tokens
        self._sdk = sdk
        self._host = host
        self._model = host.model
        self._refused: set[str] = set()
        self._clients: dict[asyncio.AbstractEventLoop, tuple[AsyncGenerator[Any, None], Any]] = {}

    @property
    def model(self) -> str | None:
        """The model that is asked; None before one is chosen from those that the host lists."""
        return self._model

    def new_client(self, client: Any, sdk: ModuleType, http: ModuleType, host: HostSettings) -> Any:
        """Create a client of an SDK in the style of OpenAI's, with time limits and limited responses.

        It does not retry: the core does, because the SDKs have no deadline.

        Args:
            client: the SDK's class of asynchronous clients.
            sdk: the SDK.
            http: its HTTP library, ``httpx`` or ``httpx2``.
            host: how to reach the host.
        """

        def refused(reason: str) -> ProviderError:
            return ProviderError(f"{self.name}: {reason}", kind="malformed", retryable=False)

        hook = limit_response_async(http.AsyncByteStream, MAX_RESPONSE_BYTES, refused)
        return client(
            api_key=host.api_key or "none",
            base_url=host.base_url,
            timeout=sdk.Timeout(host.timeout_s, connect=CONNECT_TIMEOUT_S),
            max_retries=0,
            http_client=sdk.DefaultAsyncHttpxClient(
                verify=_certificates(http), headers=IDENTITY, event_hooks={"response": [hook]}
            ),
        )

    @abstractmethod
    def connect(self, sdk: ModuleType, host: HostSettings) -> Any:
        """Create a client of the SDK, without retries and with explicit timeouts."""

    def stream_usage(self, chunk: Mapping[str, Any]) -> object:
        """Return the token counts in a chunk of a stream that are not in ``usage``; None if it has none."""
        return None

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the reply as a whole."""
        async with self._guarded(request.timeout_s):
            return read_reply(await self._first_byte(self._create(request, {})), self.name)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the reply in deltas; the last one holds the whole reply."""
        reader = StreamReader(self.name, self.stream_usage)
        options: dict[str, Any] = {"stream": True}
        if self._host.stream_options:
            options["stream_options"] = self._host.stream_options
        chunks: Any = None
        ends_at = asyncio.get_running_loop().time() + request.timeout_s

        async def step(awaitable: Any) -> Any:
            async with self._guarded(ends_at - asyncio.get_running_loop().time()):
                return await awaitable

        try:
            chunks = await step(self._first_byte(self._create(request, options)))
            if not isinstance(chunks, _Stream):
                yield ChatDelta(reply=read_reply(chunks, self.name))
                return
            pieces = aiter(chunks)
            chunk = await step(self._first_byte(anext(pieces, None)))
            while chunk is not None:
                text = reader.feed(chunk)
                if text:
                    yield ChatDelta(text=text)
                chunk = await step(anext(pieces, None))
            yield ChatDelta(reply=reader.finish())
        finally:
            if isinstance(chunks, _Stream):
                await chunks.close()

    async def models(self) -> list[str]:
        """Return the names of the host's models, sorted.

        Raises:
            ProviderError: the host does not list them.
        """
        async with self._guarded(_LISTING_TIMEOUT_S):
            page = await (await self._client()).models.list()
            found = [getattr(model, "id", None) for model in getattr(page, "data", None) or ()]
            return sorted(name for name in found if isinstance(name, str))

    async def probe(self) -> str:
        """Request one small function call and return the model's name.

        Raises:
            ProviderError: the host fails, or the model answers without a call.
        """
        ask = "Call report_number with the number 7."
        message = Message(role="user", content=ask)
        request = ChatRequest(messages=(message,), functions=(_PROBE,), timeout_s=_PROBE_TIMEOUT_S)
        reply = await self.complete(request)
        if not any(call.name == _PROBE.name for call in reply.tool_calls):
            problem = (
                f"{self.name}: model {self._model!r} answered without calling the function it was asked to"
            )
            hint = f"set {self._host.model_setting} to a model that can call functions"
            raise ProviderError(problem, kind="malformed", hint=hint)
        return str(self._model)

    async def close(self) -> None:
        """Close the connections of the running event loop; those of other loops close when the loops end."""
        entry = self._clients.get(asyncio.get_running_loop())
        if entry is not None:
            await entry[0].aclose()

    async def _create(self, request: ChatRequest, options: dict[str, Any]) -> Any:
        if self._model is None:
            self._model = await self._choose_model()
        temperature = self._host.temperature if request.temperature is None else request.temperature
        body = request_body(
            replace(request, temperature=temperature), model=self._model, dialect=self._host.dialect
        )
        if request.functions:
            body.update(self._host.options)
        body.update(options)
        return await self._send(body)

    async def _send(self, body: dict[str, Any]) -> Any:
        """Send a request; if the model rejects an optional parameter, repeat it without that parameter."""
        client = await self._client()
        for _ in range(len(_OPTIONAL) + 1):
            for name in self._refused:
                body.pop(name, None)
            try:
                return await client.chat.completions.create(**body)
            except Exception as exc:  # every SDK failure is converted to a ProviderError
                error = self._convert(exc)
                refused = _refused_option(error, body)
                if refused is None:
                    raise await self._explained(error) from exc
                self._refused.add(refused)
        raise AssertionError("unreachable")

    async def _explained(self, error: ProviderError) -> ProviderError:
        """Add the host's models to the error if the model does not exist."""
        if error.kind != "model_gone":
            return error
        try:
            listed = _listed(await self.models())
        except ProviderError as listing:
            listed = f"and it does not list its models ({listing.message})"
        problem = f"{error.message} (model {self._model!r}); {listed}"
        hint = f"set {self._host.model_setting} to one that can call functions"
        return ProviderError(problem, kind="model_gone", body=error.body, hint=hint)

    async def _choose_model(self) -> str:
        offered = await self.models()
        for name in self._host.fallbacks:
            if name in offered:
                return name
        if len(offered) == 1:
            return offered[0]
        problem = f"{self.name}: no model is set; {_listed(offered)}"
        hint = f"set {self._host.model_setting} to one that can call functions"
        raise ProviderError(problem, kind="model_gone", hint=hint)

    async def _client(self) -> Any:
        loop = asyncio.get_running_loop()
        if loop in self._clients:
            return self._clients[loop][1]
        sdk = await asyncio.to_thread(import_module, self._sdk)
        if loop not in self._clients:
            for ended in [known for known in self._clients if known.is_closed()]:
                self._clients.pop(ended, None)
            lifetime = self._keep_open(sdk, loop)
            self._clients[loop] = (lifetime, await anext(lifetime))
        return self._clients[loop][1]

    async def _keep_open(self, sdk: ModuleType, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[Any, None]:
        """Keep a client open until ``asyncio.run`` closes its async generators, and the client with them."""
        client = self.connect(sdk, self._host)
        try:
            yield client
        finally:
            self._clients.pop(loop, None)
            await client.close()

    @asynccontextmanager
    async def _guarded(self, timeout_s: float) -> AsyncIterator[None]:
        """Apply a time limit and convert every exception to a ProviderError."""
        try:
            async with asyncio.timeout(max(min(timeout_s, self._host.timeout_s), 0.0)):
                yield
        except Exception as exc:  # noqa: BLE001  # the border: SDK, httpx, httpx2, JSON
            error = self._convert(exc)
            raise error from (exc.__cause__ if error is exc else exc)

    def _convert(self, exc: Exception) -> ProviderError:
        return provider_error(exc, self.name, self._host.api_key, self._host.errors)

    async def _first_byte(self, awaitable: Awaitable[T]) -> T:
        """Wait for the beginning of an answer. A host that does not answer at all is not asked again.

        Raises:
            ProviderError: nothing came within ``first_byte_s``.
        """
        limit = asyncio.timeout(self._host.first_byte_s)
        try:
            async with limit:
                return await awaitable
        except TimeoutError as exc:
            if not limit.expired():
                raise
            message = (
                f"{self.name}: no answer from {self._host.base_url} within {self._host.first_byte_s:g} s"
            )
            raise ProviderError(message, kind="timeout") from exc


def _listed(names: list[str]) -> str:
    if not names:
        return "the host lists no models"
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return f"the host lists {', '.join(names[:_MAX_LISTED])}{more}"


def _refused_option(error: ProviderError, body: dict[str, Any]) -> str | None:
    """The optional parameter that a 400 response rejects."""
    if error.kind != "bad_request" or not isinstance(error.body, dict):
        return None
    said = f"{error.body.get('param')} {error.body.get('message')}"
    return next((name for name in _OPTIONAL if name in body and name in said), None)
