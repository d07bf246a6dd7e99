"""The recovery ladder: whatever an LLM host does wrong, somebody answers before the deadline."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from promptvision.errors import ProviderError
from promptvision.llm.budget import fit_request
from promptvision.llm.correction import corrected_request
from promptvision.llm.failed_generation import looks_like_call, parse_failed_generation
from promptvision.llm.failures import one_line
from promptvision.llm.messages import ChatDelta, ChatReply, ChatRequest
from promptvision.llm.provider import LLMProvider, closing_stream
from promptvision.llm.retry import Breaker, Deadline, Retry

__all__ = ["FallbackProvider"]

log = logging.getLogger(__name__)

_MAX_CORRECTIONS = 2
_SHARE = 0.6
_LAST_WORD_S = 0.2
_QUEUE_SIZE = 64

Note = Callable[[str], None]


class FallbackProvider:
    """A provider made of several: retry, read a failed generation, correct, then ask the next one.

    Each model call climbs only as far as it must: the same request again where that may help; the calls that
    a host threw away as ill-formed, parsed; the request with a short corrective note at temperature 0, at
    most twice; the next provider. ``ChatReply.planner`` says who answered, ``ChatReply.notes`` what went
    wrong before. Each provider gets as much of the history as it takes. All of it ends within the request's
    ``timeout_s``, except that the last provider always gets 0.2 s.

    Args:
        providers: best first. The last is the offline planner, which needs no time to speak of: of several,
            the others share the deadline, each taking at most 0.6 of what is left while another may follow.
        retry: how to try again.
        breakers: one per provider; default: new ones.
    """

    def __init__(
        self,
        providers: Sequence[LLMProvider],
        *,
        retry: Retry | None = None,
        breakers: Sequence[Breaker] | None = None,
    ) -> None:
        if not providers:
            raise ValueError("a ladder needs at least one provider; pass the offline planner")
        self._providers = list(providers)
        self._retry = retry or Retry()
        self._breakers = list(breakers or [Breaker(provider.name) for provider in providers])
        self.name = providers[0].name
        self.context_tokens = max(provider.context_tokens for provider in providers)

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request as a whole.

        Raises:
            ProviderError: every provider failed; it is the first one's, and names the others'.
        """
        return await self._climb(request, None)

    async def stream(self, request: ChatRequest) -> AsyncIterator[ChatDelta]:
        """Answer piece by piece.

        Text that may turn out to be a call is held back. When a provider fails after some of its text was
        given, the next delta has ``restarted`` set.

        Raises:
            ProviderError: as for :meth:`complete`.
        """
        pieces: asyncio.Queue[ChatDelta | Exception] = asyncio.Queue(_QUEUE_SIZE)
        climb = asyncio.create_task(self._climb_aloud(request, pieces))
        try:
            reply = None
            while reply is None:
                piece = await pieces.get()
                if isinstance(piece, Exception):
                    raise piece
                yield piece
                reply = piece.reply
        finally:
            climb.cancel()
            with suppress(asyncio.CancelledError):
                await climb

    async def close(self) -> None:
        """Close all providers, even if one of them fails to."""
        for provider in self._providers:
            try:
                await provider.close()
            except Exception as exc:  # noqa: BLE001  # one provider must not keep the others open
                log.warning("%s: closing failed: %s", provider.name, one_line(exc))

    async def _climb_aloud(self, request: ChatRequest, pieces: asyncio.Queue[ChatDelta | Exception]) -> None:
        try:
            reply = await self._climb(request, _TextStream(pieces.put))
        except Exception as error:  # noqa: BLE001  # raised again where the stream is read
            await pieces.put(error)
        else:
            await pieces.put(ChatDelta(reply=reply))

    async def _climb(self, request: ChatRequest, voice: _TextStream | None) -> ChatReply:
        deadline = Deadline(request.timeout_s)
        errors: list[ProviderError] = []
        notes: list[str] = []
        for index in range(len(self._providers)):
            try:
                reply = await self._ask(index, request, self._share(index, deadline), voice, notes.append)
            except ProviderError as error:
                errors.append(error)
                following = self._providers[index + 1 : index + 2]
                notes.append(error.message + "".join(f"; asking {after.name} instead" for after in following))
            else:
                return replace(reply, notes=(*notes, *reply.notes)) if notes else reply
        raise _sum_up(errors)

    def _share(self, index: int, deadline: Deadline) -> Deadline:
        """The part of the deadline that a provider may use."""
        left_s, last = deadline.remaining_s(), len(self._providers) - 1
        if index == last:
            return Deadline(max(left_s, _LAST_WORD_S))
        return Deadline(left_s if index == last - 1 else left_s * _SHARE)

    async def _ask(
        self, index: int, request: ChatRequest, deadline: Deadline, voice: _TextStream | None, note: Note
    ) -> ChatReply:
        """Ask one provider, correcting it where that may help."""
        provider = self._providers[index]
        current = request = fit_request(request, provider.context_tokens)
        retry = replace(self._retry, on_note=note)
        for correction in range(_MAX_CORRECTIONS + 1):
            try:
                return await retry.run(
                    partial(_attempt, provider, current, voice),
                    name=provider.name,
                    deadline=deadline,
                    breaker=self._breakers[index],
                )
            except ProviderError as error:
                if error.kind != "tool_use_failed":
                    raise
                reply = _read_failed(error, request, provider.name)
                if reply is not None:
                    note(f"{error.message}; read it all the same")
                    return reply
                if correction == _MAX_CORRECTIONS:
                    raise
                note(f"{error.message}; correction {correction + 1} of {_MAX_CORRECTIONS}")
                current = corrected_request(request, error)
        raise AssertionError("unreachable")


class _TextStream:
    """Gives out the text of a stream, and remembers whether some of it must be taken back."""

    def __init__(self, give: Callable[[ChatDelta], Awaitable[None]]) -> None:
        self._give = give
        self._has_spoken = False

    async def say(self, text: str, *, is_start: bool) -> None:
        await self._give(ChatDelta(text=text, restarted=is_start and self._has_spoken))
        self._has_spoken = True


async def _attempt(
    provider: LLMProvider, request: ChatRequest, voice: _TextStream | None, left_s: float
) -> ChatReply:
    """One model call. Whatever else a provider raises is its failure, not the turn's."""
    request = replace(request, timeout_s=left_s)
    try:
        if voice is None or not hasattr(provider, "stream"):
            reply = await provider.complete(request)
        else:
            reply = await _listen(provider, request, voice)
    except (ProviderError, TimeoutError):
        raise
    except Exception as exc:  # a provider may be anybody's plugin
        message = f"{provider.name}: {type(exc).__name__}: {one_line(exc)}"
        raise ProviderError(message, kind="malformed") from exc
    return _checked(reply if reply.planner else replace(reply, planner=provider.name), request)


async def _listen(provider: LLMProvider, request: ChatRequest, voice: _TextStream) -> ChatReply:
    held, is_start, reply = "", True, None
    async with closing_stream(provider.stream(request)) as deltas:
        async for delta in deltas:
            held += delta.text
            reply = delta.reply or reply
            if delta.text and not (is_start and _may_be_call(held, request)):
                await voice.say(held, is_start=is_start)
                held, is_start = "", False
    if reply is None:
        raise ProviderError(f"{provider.name}: the stream had no end", kind="cut", retryable=True)
    if held and not reply.tool_calls and not looks_like_call(held):
        await voice.say(held, is_start=is_start)
    return reply


def _may_be_call(text: str, request: ChatRequest) -> bool:
    start = text.lstrip()
    if not start or start[0] in "<{[`":
        return bool(request.functions)
    return any(start.startswith(f.name) or f.name.startswith(start) for f in request.functions)


def _checked(reply: ChatReply, request: ChatRequest) -> ChatReply:
    """The reply, unless it is a call in the wrong place: in the text, or where none was to be made."""
    if request.tool_choice == "none" and reply.tool_calls:
        if not reply.text.strip() or looks_like_call(reply.text):
            raise _tool_use_failed(f"{reply.planner}: called a tool where an answer was due", "")
        return replace(reply, tool_calls=(), finish_reason="stop")
    if request.functions and not reply.tool_calls and looks_like_call(reply.text):
        raise _tool_use_failed(f"{reply.planner}: wrote a tool call as text", reply.text)
    return reply


def _tool_use_failed(message: str, generation: str) -> ProviderError:
    return ProviderError(message, kind="tool_use_failed", body={"failed_generation": generation})


def _read_failed(error: ProviderError, request: ChatRequest, planner: str) -> ChatReply | None:
    body = error.body if isinstance(error.body, dict) else {}
    meant = parse_failed_generation(body.get("failed_generation"))
    if meant.calls and request.tool_choice != "none":
        return ChatReply(tool_calls=meant.calls, finish_reason="tool_calls", planner=planner)
    return ChatReply(text=meant.prose, planner=planner) if meant.prose else None


def _sum_up(errors: list[ProviderError]) -> ProviderError:
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
