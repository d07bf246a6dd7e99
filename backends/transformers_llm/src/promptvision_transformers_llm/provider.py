"""The planner: an LLM in this process."""

from __future__ import annotations

import asyncio
import codecs
import json
import threading
import uuid
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from promptvision.plugin import (
    Busy,
    Cancelled,
    ChatDelta,
    ChatReply,
    ChatRequest,
    DoesNotFit,
    ModelPool,
    PromptvisionError,
    ProviderError,
    Settings,
    SetupError,
    ToolCall,
    Usage,
    fit_request,
    is_out_of_memory,
    read_number,
)
from promptvision_transformers_llm.plugin import MODEL, NAME

if TYPE_CHECKING:
    from promptvision_transformers_llm.load import ChatModel

__all__ = ["TransformersLLM", "create"]

_ESTIMATED_TOKENS = 6000
"""Limit of a request, in tokens estimated by the core; it leaves room for a reply in the model's context."""

_SHRINK = 0.8
_TRIES = 8


class TransformersLLM:
    """The planner ``transformers_llm``.

    One reply is generated at a time; other requests wait. The model is leased for each reply, so a tool may
    use its memory between the steps of a turn.

    Args:
        pool: the pool to lease the model from.
        temperature: used where a request has none; 0 takes the most likely token.
        context_tokens: as in :class:`~promptvision.plugin.Planner`.
    """

    name = NAME
    model = MODEL.id

    def __init__(self, pool: ModelPool, *, temperature: float, context_tokens: int) -> None:
        self.context_tokens = context_tokens
        self._pool = pool
        self._temperature = temperature
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=NAME)
        self._closed = threading.Event()

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the next reply as a whole.

        Raises:
            ProviderError: the model is missing, does not fit into memory or did not answer in time.
        """
        reply = None
        async with aclosing(self.stream(request)) as deltas:
            async for delta in deltas:
                reply = delta.reply
        assert reply is not None  # the last delta holds it
        return reply

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the text of the reply in pieces; a call is yielded as a whole.

        Raises:
            ProviderError: as for :meth:`complete`.
        """
        loop = asyncio.get_running_loop()
        deltas: asyncio.Queue[ChatDelta | BaseException] = asyncio.Queue()  # bounded by the length of a reply
        deadline = monotonic() + request.timeout_s
        stop = threading.Event()

        def send(item: ChatDelta | BaseException) -> None:
            if not stop.is_set():
                loop.call_soon_threadsafe(deltas.put_nowait, item)

        def work() -> None:
            try:
                reply = self._answer(request, lambda text: send(ChatDelta(text=text)), self._check(stop))
            except BaseException as error:  # noqa: BLE001  # raised in stream()
                send(error)
            else:
                send(ChatDelta(reply=reply))

        job = loop.run_in_executor(self._executor, work)
        try:
            reply = None
            while reply is None:
                async with asyncio.timeout(deadline - monotonic()):  # wait_for may lose a cancellation
                    item = await deltas.get()
                if isinstance(item, BaseException):
                    raise _provider_error(item) from item
                yield item
                reply = item.reply
        except TimeoutError as exc:
            message = f"{NAME}: no reply within {request.timeout_s:g} s"
            raise ProviderError(message, kind="timeout") from exc
        finally:
            stop.set()
            job.cancel()

    async def close(self) -> None:
        """Stop at the next token and release the model."""
        self._closed.set()
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)

    def _check(self, stop: threading.Event) -> Callable[[], None]:
        def check() -> None:
            if stop.is_set() or self._closed.is_set():
                raise Cancelled("the reply is no longer wanted")

        return check

    def _answer(
        self, request: ChatRequest, on_text: Callable[[str], None], check: Callable[[], None]
    ) -> ChatReply:
        """Generate one reply; if memory runs out, free unused models and try once more."""
        check()
        try:
            return self._lease_and_generate(request, on_text, check)
        except Exception as exc:
            if not is_out_of_memory(exc) or isinstance(exc, DoesNotFit):
                raise
        self._pool.free_unused()  # outside the except block: the traceback keeps tensors alive
        return self._lease_and_generate(request, on_text, check)

    def _lease_and_generate(
        self, request: ChatRequest, on_text: Callable[[str], None], check: Callable[[], None]
    ) -> ChatReply:
        with self._pool.lease(MODEL.id, check=check) as (chat,), chat.lock:
            return self._generate(chat, request, on_text, check)

    def _generate(
        self,
        chat: ChatModel,
        request: ChatRequest,
        on_text: Callable[[str], None],
        check: Callable[[], None],
    ) -> ChatReply:
        from promptvision_transformers_llm.generation import MAX_TOKENS, Sampling, generate
        from promptvision_transformers_llm.grammar import Constraint, reply_grammar

        prompt = _fitted_prompt(chat, request, self.context_tokens)
        functions = request.functions if request.tool_choice == "auto" else ()
        grammar = reply_grammar(functions, chat.template.syntax, chat.vocabulary.special)
        temperature = self._temperature if request.temperature is None else request.temperature
        sampling = Sampling(temperature, min(MAX_TOKENS, (chat.cache.capacity - len(prompt)) // 2))
        reply = _Reply(chat, on_text)
        for tokens in generate(chat, prompt, Constraint(chat.vocabulary, grammar), sampling, check):
            reply.add(tokens)
        return reply.read(Usage(len(prompt), reply.count), is_cut=reply.count >= sampling.max_tokens)


@dataclass
class _Reply:
    """A reply that is being generated; its text is passed on once it cannot become a call."""

    chat: ChatModel
    on_text: Callable[[str], None]
    text: str = ""
    count: int = 0
    sent: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, tokens: list[int]) -> None:
        self.count += len(tokens)
        self.text += self._decoder.decode(self.chat.vocabulary.tokens.decode_bytes(tokens))
        if len(self.text) > self.sent and not self._may_be_call:
            self.on_text(self.text[self.sent :])
            self.sent = len(self.text)

    @property
    def _may_be_call(self) -> bool:
        opening = self.chat.template.syntax.opening
        return self.text.startswith(opening) or opening.startswith(self.text)

    def read(self, usage: Usage, *, is_cut: bool) -> ChatReply:
        """Parse the reply, which fits the grammar."""
        syntax = self.chat.template.syntax
        if not self.text.startswith(syntax.opening):
            return ChatReply(
                text=self.text.rstrip(),
                finish_reason="length" if is_cut else "stop",
                usage=usage,
                planner=NAME,
            )
        name, _, rest = self.text.removeprefix(syntax.opening).partition(syntax.middle)
        arguments = json.loads(rest[: len(rest) - len(syntax.closing)])
        call = ToolCall(id=f"call_{uuid.uuid4().hex[:12]}", name=name, arguments=arguments)
        return ChatReply(tool_calls=(call,), finish_reason="tool_calls", usage=usage, planner=NAME)


def _fitted_prompt(chat: ChatModel, request: ChatRequest, context_tokens: int) -> list[int]:
    """The tokens of a request, with its history shortened until they fit.

    Raises:
        ProviderError: the request does not fit.
    """
    longest = chat.cache.capacity * 7 // 8
    for _ in range(_TRIES):
        prompt = chat.template.encode(request)
        if len(prompt) <= longest:
            return prompt
        context_tokens = int(context_tokens * _SHRINK)
        request = fit_request(request, context_tokens)
    raise ProviderError(
        f"{NAME}: the request has {len(prompt)} tokens, and the model reads {longest}",
        kind="bad_request",
        hint="use a model with a longer context, or install fewer tools",
    )


def _provider_error(error: BaseException) -> BaseException:
    """Convert an error of this process to the one that the planner chain expects."""
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, SetupError):
        return ProviderError(f"{NAME}: {error.message}", kind="model_gone", hint=error.hint)
    if isinstance(error, Busy):
        return ProviderError(f"{NAME}: {error.message}", kind="server", retryable=True)
    if isinstance(error, PromptvisionError):
        return ProviderError(f"{NAME}: {error.message}", kind="server", hint=error.hint)
    if is_out_of_memory(error):
        return ProviderError(f"{NAME}: out of memory", kind="server", hint="use a smaller model")
    return ProviderError(f"{NAME}: {type(error).__name__}: {error}", kind="malformed")


def create(settings: Settings, pool: ModelPool) -> TransformersLLM:
    """Create the planner that the settings describe.

    Raises:
        SetupError: a setting is invalid.
    """
    variable = "PROMPTVISION_LLM_CONTEXT_TOKENS"
    context = read_number(settings, variable, _ESTIMATED_TOKENS, lowest=1000, highest=1e7)
    return TransformersLLM(
        pool,
        temperature=read_number(settings, "PROMPTVISION_LLM_TEMPERATURE", 0, lowest=0, highest=2),
        context_tokens=min(int(context), _ESTIMATED_TOKENS),
    )
