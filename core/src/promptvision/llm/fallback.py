"""A chain of planners: retry, correct, and fall back to the next one, within one deadline."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial

from promptvision.errors import ProviderError
from promptvision.llm.budget import fit_request
from promptvision.llm.correction import corrected_request
from promptvision.llm.failures import one_line
from promptvision.llm.messages import ChatDelta, ChatReply, PlannerFallback
from promptvision.llm.planner import Planner, PlannerFunction, PlanRequest, PreparingPlanner, StreamingPlanner
from promptvision.llm.retry import Breaker, Deadline, Retry
from promptvision.llm.written_calls import looks_like_call, parse_written_calls

__all__ = ["FallbackProvider"]

log = logging.getLogger(__name__)

_MAX_CORRECTIONS = 2
_SHARE = 0.6
_LAST_PROVIDER_S = 0.2
_QUEUE_SIZE = 64

NoteCallback = Callable[[str], None]


class FallbackProvider:
    """A provider chain: each request goes to the first provider that can answer it.

    One provider is asked as follows. A transient failure is retried with backoff. If the host rejected the
    reply as an invalid tool call, the calls are parsed out of the rejected text; where that fails, the
    request is repeated at temperature 0 with a corrective note, at most twice. Then the next provider is
    asked. ``ChatReply.planner`` names the provider that answered, ``ChatReply.fallbacks`` and
    ``ChatReply.notes`` list the failures before it. The history is trimmed to each provider's
    ``context_tokens``.

    Everything ends within the request's ``timeout_s``, except that the last provider always gets 0.2 s.

    Args:
        providers: in order of preference. The last one is expected to be the offline planner, which answers
            at once; the others share the deadline, each using at most 0.6 of the remaining time while another
            one follows.
        retry: the retry policy.
        breakers: one circuit breaker per provider; default: new ones.

    Raises:
        ValueError: there are no providers.
    """

    def __init__(
        self,
        providers: Sequence[Planner],
        *,
        retry: Retry | None = None,
        breakers: Sequence[Breaker] | None = None,
    ) -> None:
        if not providers:
            raise ValueError("FallbackProvider needs at least one provider, such as the offline planner")
        self._providers = list(providers)
        self._retry = retry or Retry()
        self._breakers = list(breakers or [Breaker(provider.name) for provider in providers])
        self.name = providers[0].name
        self.context_tokens = max(provider.context_tokens for provider in providers)

    def prepare(
        self, functions: Sequence[PlannerFunction], unavailable: Sequence[PlannerFunction] = ()
    ) -> None:
        """Prepare each planner that can be."""
        for provider in self._providers:
            if isinstance(provider, PreparingPlanner):
                provider.prepare(functions, unavailable)

    async def complete(self, request: PlanRequest) -> ChatReply:
        """Return the next reply as a whole.

        Raises:
            ProviderError: every provider failed; it has the first one's kind and all their messages.
        """
        return await self._ask_in_order(request, None)

    async def stream(self, request: PlanRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the reply in deltas.

        Text that may be the beginning of a tool call is held back. If a provider fails after part of its text
        was sent, the next delta has ``restarted`` set.

        Raises:
            ProviderError: as for :meth:`complete`.
        """
        deltas: asyncio.Queue[ChatDelta | Exception] = asyncio.Queue(_QUEUE_SIZE)
        task = asyncio.create_task(self._stream_into(deltas, request))
        try:
            reply = None
            while reply is None:
                delta = await deltas.get()
                if isinstance(delta, Exception):
                    raise delta
                yield delta
                reply = delta.reply
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def close(self) -> None:
        """Close all providers, even if closing one of them fails."""
        for provider in self._providers:
            try:
                await provider.close()
            except Exception as exc:  # noqa: BLE001  # isolation: the other providers must be closed too
                log.warning("%s: closing failed: %s", provider.name, one_line(exc))

    async def _stream_into(self, deltas: asyncio.Queue[ChatDelta | Exception], request: PlanRequest) -> None:
        try:
            reply = await self._ask_in_order(request, _TextForwarder(deltas.put))
        except Exception as error:  # noqa: BLE001  # raised again where the stream is read
            await deltas.put(error)
        else:
            await deltas.put(ChatDelta(reply=reply))

    async def _ask_in_order(self, request: PlanRequest, forwarder: _TextForwarder | None) -> ChatReply:
        deadline = Deadline(request.timeout_s)
        errors: list[ProviderError] = []
        notes: list[str] = []
        fallbacks: list[PlannerFallback] = []
        for index, provider in enumerate(self._providers):
            share = self._share(index, deadline)
            try:
                reply = await self._ask(index, request, share, forwarder, notes.append)
            except ProviderError as error:
                errors.append(error)
                notes.append(error.message)
                for following in self._providers[index + 1 : index + 2]:
                    notes[-1] = f"{error.message}; asking {following.name} instead"
                    fallbacks.append(
                        PlannerFallback(
                            planner=provider.name,
                            kind=error.kind,
                            message=notes[-1],
                            instead=following.name,
                        )
                    )
            else:
                if not notes:
                    return reply
                return replace(reply, notes=(*notes, *reply.notes), fallbacks=tuple(fallbacks))
        raise _combined(errors)

    def _share(self, index: int, deadline: Deadline) -> Deadline:
        """The part of the deadline that a provider may use."""
        left_s, last = deadline.remaining_s(), len(self._providers) - 1
        if index == last:
            return Deadline(max(left_s, _LAST_PROVIDER_S))
        return Deadline(left_s if index == last - 1 else left_s * _SHARE)

    async def _ask(
        self,
        index: int,
        request: PlanRequest,
        deadline: Deadline,
        forwarder: _TextForwarder | None,
        note: NoteCallback,
    ) -> ChatReply:
        """Ask one provider, with retries and corrections."""
        provider = self._providers[index]
        current = request = fit_request(request, provider.context_tokens)
        retry = replace(self._retry, on_note=note)
        for correction in range(_MAX_CORRECTIONS + 1):
            try:
                return await retry.run(
                    partial(_attempt, provider, current, forwarder),
                    name=provider.name,
                    deadline=deadline,
                    breaker=self._breakers[index],
                )
            except ProviderError as error:
                if error.kind != "invalid_call":
                    raise
                reply = _read_rejected(error, request, provider.name)
                if reply is not None:
                    note(f"{error.message}; parsed the rejected reply")
                    return reply
                if correction == _MAX_CORRECTIONS:
                    raise
                note(f"{error.message}; correction {correction + 1} of {_MAX_CORRECTIONS}")
                current = corrected_request(request, error)
        raise AssertionError("unreachable")


class _TextForwarder:
    """Forwards the text of a stream; the first text of a later attempt is marked as a restart."""

    def __init__(self, send: Callable[[ChatDelta], Awaitable[None]]) -> None:
        self._send = send
        self._has_sent = False

    async def send(self, text: str, *, is_start: bool) -> None:
        await self._send(ChatDelta(text=text, restarted=is_start and self._has_sent))
        self._has_sent = True


async def _attempt(
    provider: Planner, request: PlanRequest, forwarder: _TextForwarder | None, left_s: float
) -> ChatReply:
    """One model call; any exception that the provider raises becomes a ProviderError."""
    request = replace(request, timeout_s=left_s)
    try:
        if forwarder is not None and isinstance(provider, StreamingPlanner):
            reply = await _forward(provider.name, provider.stream(request), request, forwarder)
        else:
            reply = await provider.complete(request)
    except (ProviderError, TimeoutError):
        raise
    except Exception as exc:  # isolation: a provider may be third-party code
        message = f"{provider.name}: {type(exc).__name__}: {one_line(exc)}"
        raise ProviderError(message, kind="malformed") from exc
    return _checked(reply if reply.planner else replace(reply, planner=provider.name), request)


async def _forward(
    name: str, stream: AsyncGenerator[ChatDelta, None], request: PlanRequest, forwarder: _TextForwarder
) -> ChatReply:
    held, is_start, reply = "", True, None
    async with aclosing(stream) as deltas:
        async for delta in deltas:
            held += delta.text
            reply = delta.reply or reply
            if delta.text and not (is_start and _may_be_call(held, request)):
                await forwarder.send(held, is_start=is_start)
                held, is_start = "", False
    if reply is None:
        raise ProviderError(f"{name}: the stream ended without a reply", kind="cut", retryable=True)
    if held and not reply.tool_calls and not looks_like_call(held):
        await forwarder.send(held, is_start=is_start)
    return reply


def _may_be_call(text: str, request: PlanRequest) -> bool:
    start = text.lstrip()
    if not start or start[0] in "<{[`":
        return bool(request.functions)
    return any(start.startswith(f.name) or f.name.startswith(start) for f in request.functions)


def _checked(reply: ChatReply, request: PlanRequest) -> ChatReply:
    """Reject a call that is written as text, or made when an answer was required."""
    if request.tool_choice == "none" and reply.tool_calls:
        if not reply.text.strip() or looks_like_call(reply.text):
            raise _invalid_call(f"{reply.planner}: called a tool where an answer was required", "")
        return replace(reply, tool_calls=(), finish_reason="stop")
    if request.functions and not reply.tool_calls and looks_like_call(reply.text):
        raise _invalid_call(f"{reply.planner}: wrote a tool call as text", reply.text)
    return reply


def _invalid_call(message: str, rejected: str) -> ProviderError:
    return ProviderError(message, kind="invalid_call", rejected=rejected)


def _read_rejected(error: ProviderError, request: PlanRequest, planner: str) -> ChatReply | None:
    parsed = parse_written_calls(error.rejected)
    if parsed.calls and request.tool_choice != "none":
        return ChatReply(tool_calls=parsed.calls, finish_reason="tool_calls", planner=planner)
    return ChatReply(text=parsed.prose, planner=planner) if parsed.prose else None


def _combined(errors: list[ProviderError]) -> ProviderError:
    first = errors[0]
    waits = [error.retry_after_s for error in errors if error.retry_after_s is not None]
    return ProviderError(
        "; ".join(error.message for error in errors),
        kind=first.kind,
        retryable=any(error.retryable for error in errors),
        retry_after_s=min(waits, default=None),
        body=first.body,
        hint=first.hint,
    )
