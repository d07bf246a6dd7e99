"""Contract tests for executors; a backend runs them by subclassing."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from promptvision import errors
from promptvision.builtin.files import FileImageStore
from promptvision.errors import Cancelled, PromptvisionError, ToolFailed
from promptvision.images.codec import decode_stored, encode_png
from promptvision.models.pool import ModelPool
from promptvision.plugins.registry import Registry
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import Progress, SavedImage
from promptvision.runtime.executor import Executor
from promptvision.runtime.runtime import CallResult, Runtime
from promptvision.runtime.worker import Worker
from promptvision.settings import Settings
from promptvision.testing.executor_tools import TrialArgs, TrialResult, install_trial_plugin
from promptvision.types import ImageRef

__all__ = ["ExecutorContract", "TrialBench", "trial_bench"]

TIMEOUT_S = 60


class TrialBench:
    """A runtime over an executor, with the tools of :mod:`promptvision.testing.executor_tools`.

    Args:
        worker: the worker of this process.
        executor: the executor under test.
    """

    def __init__(self, worker: Worker, executor: Executor) -> None:
        self.worker = worker
        self.runtime = Runtime(worker, executor)

    def start_async(
        self,
        tool: str,
        args: TrialArgs | None = None,
        *,
        cancel: CancelToken | None = None,
        timeout_s: float = TIMEOUT_S,
        on_progress: Progress | None = None,
    ) -> asyncio.Task[CallResult]:
        """Start a call on the running event loop."""
        return asyncio.ensure_future(
            self.runtime.execute(
                self.worker.tools[f"trial_{tool}"],
                args or TrialArgs(),
                cancel=cancel or CancelToken(),
                timeout_s=timeout_s,
                on_progress=on_progress,
            )
        )

    def run(
        self,
        tool: str,
        args: TrialArgs | None = None,
        *,
        cancel: CancelToken | None = None,
        timeout_s: float = TIMEOUT_S,
        on_progress: Progress | None = None,
    ) -> CallResult:
        """Run a call to its end."""

        async def call() -> CallResult:
            return await self.start_async(
                tool, args, cancel=cancel, timeout_s=timeout_s, on_progress=on_progress
            )

        return asyncio.run(call())

    def result(self, tool: str, args: TrialArgs | None = None) -> TrialResult:
        """The result of a call."""
        result = self.run(tool, args).result
        assert isinstance(result, TrialResult)
        return result


def trial_bench(
    folder: Path, make_executor: Callable[[Worker], Executor], settings: Settings | None = None
) -> TrialBench:
    """A bench with a plugin and an image store in a folder; the folder's ``site`` is on ``sys.path``.

    Args:
        folder: an empty folder.
        make_executor: makes the executor under test.
        settings: default: only ``PROMPTVISION_HOME``.
    """
    settings = settings or Settings.from_mapping({"PROMPTVISION_HOME": str(folder / "home")})
    registry = Registry.load(settings)
    store = FileImageStore(settings.home / "images")
    worker = Worker(settings, store, ModelPool(registry.models, settings), registry.tools_by_name())
    return TrialBench(worker, make_executor(worker))


class ExecutorContract:
    """Subclass it in a test file and define :meth:`make_executor`."""

    @classmethod
    def make_executor(cls, worker: Worker) -> Executor:
        """The executor under test."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def bench(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialBench]:
        """A runtime over the executor under test."""
        folder = tmp_path_factory.mktemp("executor")
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(install_trial_plugin(folder / "site")))
            made = trial_bench(folder, cls.make_executor)
            yield made
            asyncio.run(made.runtime.executor.close())

    def test_result_is_returned(self, bench: TrialBench) -> None:
        """Text of any kind arrives unchanged."""
        for text in ("", "plain", "Größe 😀 \x00 \n", "x" * 100_000):
            assert bench.result("echo", TrialArgs(text=text)).text == text

    def test_images_cross_through_the_store(self, bench: TrialBench) -> None:
        """The tool reads the image of its argument, and images that it saves can be read here."""
        store = bench.worker.images.store
        source = store.put(encode_png(Image.new("RGB", (7, 5), (10, 20, 30))), "image/png").id
        done = bench.run("invert", TrialArgs(image_url=ImageRef(source)))
        assert isinstance(done.result, TrialResult)
        assert done.result.made_url is not None
        assert done.saved == (SavedImage(done.result.made_url.id, "edit", source, 7, 5),)
        made = decode_stored(store.get(done.result.made_url.id))
        assert made.getpixel((6, 4)) == (245, 235, 225)

    def test_missing_image_is_named(self, bench: TrialBench) -> None:
        """The error names an image that is not in the store."""
        with pytest.raises(PromptvisionError, match="no image '0000"):
            bench.run("invert", TrialArgs(image_url=ImageRef("0" * 64)))

    def test_seed_is_the_callers_or_decided_by_the_call(self, bench: TrialBench) -> None:
        """The tool gets the seed of its arguments, else one shared by equal calls."""
        assert bench.result("echo", TrialArgs(seed=5)).seed_used == 5
        first = bench.result("echo", TrialArgs(text="one")).seed_used
        assert first != bench.result("echo", TrialArgs(text="two")).seed_used

    def test_progress_and_log_lines_arrive_in_order(
        self, bench: TrialBench, caplog: pytest.LogCaptureFixture
    ) -> None:
        """They arrive before the result, and output of the tool does not interfere."""
        seen: list[tuple[float, float, str]] = []
        with caplog.at_level(logging.WARNING):
            bench.run(
                "report", TrialArgs(text="three parts"), on_progress=lambda *values: seen.append(values)
            )
        assert seen == [(1, 3, "part 1"), (2, 3, "part 2"), (3, 3, "part 3")]
        assert "reported three parts" in caplog.text

    @pytest.mark.parametrize(
        ("name", "text", "details"),
        [
            ("ToolFailed", "no film; buy some", {"hint": "buy some"}),
            ("StopTurn", "enough for today", {}),
            ("ArgumentsError", "text: too long", {"problems": ["text: too long"]}),
            ("SetupError", "no camera; plug it in", {"hint": "plug it in"}),
            ("StoreError", "the store is down", {"retryable": True}),
            ("Busy", "too much to do", {"retry_after_s": 3}),
        ],
    )
    def test_own_errors_keep_their_type(
        self, bench: TrialBench, name: str, text: str, details: dict[str, object]
    ) -> None:
        """An error of promptvision keeps its type and attributes."""
        with pytest.raises(PromptvisionError) as info:
            bench.run("fail", TrialArgs(text=name))
        assert type(info.value) is getattr(errors, name)
        assert str(info.value) == text
        assert {key: vars(info.value)[key] for key in details} == details

    @pytest.mark.parametrize(("kind", "text"), [(ValueError, "odd"), (KeyError, "'x'"), (MemoryError, "out")])
    def test_python_errors_keep_their_type(self, bench: TrialBench, kind: type[Exception], text: str) -> None:
        """A built-in exception keeps its type."""
        with pytest.raises(kind, match=text):
            bench.run("fail", TrialArgs(text=kind.__name__))

    def test_unknown_errors_keep_their_text(self, bench: TrialBench) -> None:
        """An exception class of a plugin keeps its text."""
        with pytest.raises(Exception, match="paper"):
            bench.run("fail", TrialArgs(text="_Jam"))

    def test_result_of_another_type_is_refused(self, bench: TrialBench) -> None:
        """The message names the plugin, the tool and both types."""
        with pytest.raises(ToolFailed, match="trial: tool 'trial_return_nothing' returned NoneType"):
            bench.run("return_nothing")

    @pytest.mark.parametrize("tool", ["wait", "wait_async"])
    def test_cancellation_reaches_the_tool(self, bench: TrialBench, tool: str) -> None:
        """A waiting tool stops, and the reason is reported."""
        cancel, begun = CancelToken(), threading.Event()

        async def cancel_it() -> None:
            call = bench.start_async(tool, cancel=cancel, on_progress=lambda *_: begun.set())
            assert await asyncio.to_thread(begun.wait, TIMEOUT_S)
            cancel.cancel("cancelled by the user")
            await call

        with pytest.raises(Cancelled, match="by the user"):
            asyncio.run(cancel_it())
        assert bench.result("echo", TrialArgs(text=f"after {tool}")).text == f"after {tool}"

    @pytest.mark.parametrize("tool", ["wait", "wait_async"])
    def test_deadline_ends_the_call(self, bench: TrialBench, tool: str) -> None:
        """A timed-out tool stops, and the message says so."""
        with pytest.raises(ToolFailed, match="took longer than 0 s"):
            bench.run(tool, timeout_s=0.3)
        assert bench.result("echo", TrialArgs(text=f"later {tool}")).text == f"later {tool}"

    def test_process_that_cannot_use_its_gpu_any_more_is_replaced(self, bench: TrialBench) -> None:
        """The error says so; a worker process or actor has ended soon after, and the next call runs."""
        with pytest.raises(errors.DeviceLost, match="illegal memory access") as caught:
            bench.run("lose_device")
        process = int(str(caught.value).partition("in process ")[2].partition(";")[0])
        assert caught.value.is_replaced == (process != os.getpid())
        until = time.monotonic() + 60
        while caught.value.is_replaced and _is_running(process) and time.monotonic() < until:
            time.sleep(0.02)
        assert _is_running(process) != caught.value.is_replaced
        assert bench.result("echo", TrialArgs(text="next")).process != process or process == os.getpid()

    def test_calls_in_parallel_do_not_mix(self, bench: TrialBench) -> None:
        """Each call gets its own result."""

        async def call_all() -> list[CallResult]:
            return await asyncio.gather(
                *(bench.start_async("echo", TrialArgs(text=f"n{number}")) for number in range(20))
            )

        texts = [getattr(done.result, "text", None) for done in asyncio.run(call_all())]
        assert texts == [f"n{number}" for number in range(20)]


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
