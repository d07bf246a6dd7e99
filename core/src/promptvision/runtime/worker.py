"""The worker of an executor: runs calls with the tools, images and models of this process."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from promptvision.errors import Cancelled, DeviceLost, PromptvisionError, ToolFailed
from promptvision.images.store import ImageStore
from promptvision.instruments import Instruments
from promptvision.models.device_errors import is_device_lost
from promptvision.models.devices import release_cached
from promptvision.models.placement import is_out_of_memory
from promptvision.models.pool import ModelPool
from promptvision.runtime.activity import ToolRunActivity
from promptvision.runtime.call import Call, CallOutput
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import CallContext, Progress
from promptvision.runtime.image_cache import ImageCache
from promptvision.runtime.queue import StepQueue
from promptvision.runtime.stage_cache import StageCache
from promptvision.runtime.waiter import Group
from promptvision.settings import Settings
from promptvision.tools.tool import Result, Tool

__all__ = ["CallItem", "Worker", "group_of", "took_too_long"]

log = logging.getLogger(__name__)

_NOT_PROPAGATED = (StopIteration, SystemExit)
"""Exceptions that must not propagate through an event loop; they become ToolFailed."""


class Worker:
    """Runs calls in this process. All executors use it, so tools behave the same everywhere.

    Args:
        settings: the active settings.
        store: the image store.
        pool: the model pool.
        tools: the tools that calls of another process may name, by name, shadowed ones by qualified name.
        instruments: entered around each tool that runs.
    """

    def __init__(
        self,
        settings: Settings,
        store: ImageStore,
        pool: ModelPool,
        tools: Mapping[str, Tool] | None = None,
        instruments: Instruments | None = None,
    ) -> None:
        self.settings = settings
        self.images = ImageCache(store)
        self.pool = pool
        self.stages = StageCache.from_settings(settings)
        self.tools = tools or {}
        self.instruments = instruments or Instruments()
        self.queue = StepQueue(settings.user_steps, settings.user_weights)
        """Decides whose step an executor of this process runs next."""

    @cached_property
    def settings_digest(self) -> str:
        """BLAKE2b-128 of the settings, in hexadecimal: equal in two processes that have the same settings."""
        text = json.dumps(self.settings.variables(), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def run(self, call: Call, *, cancel: CancelToken, on_progress: Progress | None = None) -> CallOutput:
        """Run a call in this thread and check that it returns the declared type.

        Exceptions propagate unchanged, except that ``SystemExit`` and ``StopIteration`` become ToolFailed.

        Raises:
            ToolFailed: the tool stopped at its time limit, or returned another type.
            DeviceLost: the GPU cannot be used by this process any more.
        """
        if call.limit_s is None:
            return self._run(call, cancel, on_progress)
        with _limited(call, cancel) as own:
            try:
                return self._run(call, own, on_progress)
            except Cancelled as exc:
                raise _ended(call, cancel, exc) from exc

    def run_together(self, items: Sequence[CallItem]) -> list[CallOutput | BaseException]:
        """Run calls of one tool in this thread: by the batch of the tool, or one by one if that fails.

        Returns:
            The output or the error of each call, in their order.
        """
        ran_out_of_memory = False
        if len(items) > 1:
            try:
                return self._run_batch(items)
            except Exception as exc:  # noqa: BLE001  # whatever a batch raises, each call is tried alone
                log.info("%s: %d calls run one by one: %s", items[0].call.label, len(items), exc)
                ran_out_of_memory = is_out_of_memory(exc)
        if ran_out_of_memory:  # outside the except block: the traceback keeps the tensors alive
            release_cached()
        return [self._outcome(item) for item in items]

    def _outcome(self, item: CallItem) -> CallOutput | BaseException:
        try:
            return self.run(item.call, cancel=item.cancel, on_progress=item.on_progress)
        except BaseException as exc:  # noqa: BLE001  # it is raised where the call waits
            return exc

    def _run_batch(self, items: Sequence[CallItem]) -> list[CallOutput | BaseException]:
        batch = items[0].call.tool.batch
        assert batch is not None  # only calls of tools with a batch wait for each other
        with ExitStack() as stack:
            contexts = []
            for item in items:
                own = stack.enter_context(_limited(item.call, item.cancel))
                stack.enter_context(self._around(item.call))
                contexts.append(stack.enter_context(self._context(item.call, own, item.on_progress)))
            pairs = [(item.call.args, context) for item, context in zip(items, contexts, strict=True)]
            results = list(batch.load()(pairs))
            for context in contexts:
                context.note(f"Ran together with {len(items) - 1} other calls.")
        models = tuple(dict.fromkeys(id_ for context in contexts for id_ in context.models))
        return [
            _outcome_of(item, result, context, models)
            for item, result, context in zip(items, results, contexts, strict=True)
        ]

    async def run_async(
        self, call: Call, *, cancel: CancelToken, on_progress: Progress | None = None
    ) -> CallOutput:
        """Run a call of a coroutine function on this event loop; otherwise as :meth:`run`."""
        context = self._context(call, cancel, on_progress)
        try:
            with self._around(call), context:
                if call.limit_s is None:
                    result = await call.tool.load()(call.args, context)
                else:
                    result = await _within_limit(call, call.tool.load()(call.args, context))
        except _NOT_PROPAGATED as exc:
            raise _failure(call, exc) from exc
        except Exception as exc:
            _raise_if_device_is_lost(call, exc)
            raise
        return _output(call, result, context)

    def _run(self, call: Call, cancel: CancelToken, on_progress: Progress | None) -> CallOutput:
        context = self._context(call, cancel, on_progress)
        try:
            with self._around(call), context:
                result = call.tool.load()(call.args, context)
                if inspect.iscoroutine(result):  # the function is an import string, so this is known only now
                    result = asyncio.run(_until_cancelled(result, cancel))
        except _NOT_PROPAGATED as exc:
            raise _failure(call, exc) from exc
        except Exception as exc:
            _raise_if_device_is_lost(call, exc)
            raise
        return _output(call, result, context)

    def _around(self, call: Call) -> AbstractContextManager[object]:
        return self.instruments.around(ToolRunActivity, call.tool, call.headers)

    def _context(self, call: Call, cancel: CancelToken, on_progress: Progress | None) -> CallContext:
        deadline = call.deadline
        if call.limit_s is not None:
            deadline = min(deadline, time.monotonic() + call.limit_s)
        return CallContext(
            images=self.images,
            pool=self.pool,
            settings=self.settings,
            seed=call.seed,
            parent=call.parent,
            cancel=cancel,
            deadline=deadline,
            on_progress=on_progress,
            stages=self.stages,
            plugin=call.tool.plugin,
            version=call.tool.version,
        )


@dataclass(frozen=True, kw_only=True)
class CallItem:
    """A call that may run together with others, with its own cancellation and progress."""

    call: Call
    cancel: CancelToken
    on_progress: Progress | None = None


def group_of(
    call: Call, run: Callable[[list[CallItem]], list[CallOutput | BaseException]]
) -> Group[CallItem, CallOutput] | None:
    """The calls that a call can run with; None if its tool runs each alone.

    Args:
        call: the call.
        run: runs calls together, as :meth:`Worker.run_together`.
    """
    if (batch := call.tool.batch) is None:
        return None
    key = (call.tool.plugin, call.tool.name, batch.key(call.args))
    return Group(key=key, limit=batch.limit, run=run)


@contextmanager
def _limited(call: Call, cancel: CancelToken) -> Iterator[CancelToken]:
    """A token that is also cancelled when the call reaches its time limit."""
    if call.limit_s is None:
        yield cancel
        return
    own = CancelToken()
    timer = threading.Timer(call.limit_s, own.cancel)
    timer.daemon = True
    with cancel.waking(lambda: own.cancel(cancel.reason)):
        timer.start()
        try:
            yield own
        finally:
            timer.cancel()


def _ended(call: Call, cancel: CancelToken, exc: Cancelled) -> PromptvisionError:
    """The error of a call that was cancelled by its caller, or by its time limit."""
    return exc if cancel.is_cancelled or call.limit_s is None else took_too_long(call)


def _outcome_of(
    item: CallItem, result: Any, context: CallContext, models: tuple[str, ...]
) -> CallOutput | BaseException:
    """The output or the error of one call of a batch."""
    try:
        if isinstance(result, Cancelled):
            raise _ended(item.call, item.cancel, result)
        if isinstance(result, BaseException):
            return result
        return replace(_output(item.call, result, context), models=models)
    except PromptvisionError as exc:
        return exc


def took_too_long(call: Call) -> ToolFailed:
    """The error of a call whose tool ran longer than its limit."""
    return ToolFailed(f"{call.label} took longer than {call.limit_s:.0f} s")


async def _within_limit(call: Call, work: Coroutine[Any, Any, Any]) -> Any:
    try:
        async with asyncio.timeout(call.limit_s) as limit:
            return await work
    except TimeoutError as exc:
        if not limit.expired():
            raise
        raise took_too_long(call) from exc


async def _until_cancelled(work: Coroutine[Any, Any, Any], cancel: CancelToken) -> Any:
    """Await a coroutine; a cancellation is delivered at its next await."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # asyncio.run creates one
    with cancel.waking(lambda: loop.call_soon_threadsafe(task.cancel)):
        try:
            return await work
        except asyncio.CancelledError:
            cancel.check()
            raise


def _failure(call: Call, exc: BaseException) -> ToolFailed:
    return ToolFailed(f"{call.label}: {type(exc).__name__}: {exc}")


def _output(call: Call, result: Any, context: CallContext) -> CallOutput:
    return CallOutput(
        _checked(call, result),
        tuple(context.saved),
        tuple(context.models),
        tuple(context.notes),
        context.is_degraded,
    )


def _raise_if_device_is_lost(call: Call, exc: Exception) -> None:
    if is_device_lost(exc):
        message = next(iter(str(exc).splitlines()), "")
        raise DeviceLost(
            f"{call.label}: the GPU cannot be used by this process any more: {message}",
            hint="restart it; with PROMPTVISION_EXECUTOR=processes only a worker process is lost",
        ) from exc


def _checked(call: Call, result: Any) -> Result:
    if not isinstance(result, call.tool.result):
        raise ToolFailed(
            f"{call.label} returned {type(result).__name__}, not {call.tool.result.__name__}; report it to "
            "the plugin's author"
        )
    return result
