"""The parent's handle of one worker process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from promptvision.builtin.worker_messages import WorkerStart, pass_on, read_answer
from promptvision.errors import SetupError, WorkerLost
from promptvision.runtime.call import PROTOCOL, Call, CallOutput
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import Progress
from promptvision.runtime.failure import Failure
from promptvision.runtime.wire import read_message, write_message
from promptvision.runtime.worker import CallItem, Worker, took_too_long

__all__ = ["CANCEL_GRACE_S", "CallNotBegun", "WorkerHandle"]

START_S = 120.0
"""How long a worker process may take to import its plugins."""
CANCEL_GRACE_S = 2.0
"""How long a cancelled call may take to reach its next check point before its process is killed."""

_CLOSE_S = 12.0
"""How long the instruments of a process may take to deliver what is pending."""
_EXIT_S = 2.0
_MODULE = "promptvision.builtin.worker_process"


class CallNotBegun(WorkerLost):
    """The process ended before it began the call, so another process can run it."""


class WorkerHandle:
    """Starts a worker process and runs one call at a time in it.

    Args:
        worker: provides the settings and the image store of the process.
        python: the interpreter of another environment; empty for that of this process.
    """

    def __init__(self, worker: Worker, python: str = "") -> None:
        self.tools_run: set[str] = set()
        """Names of the tools that the process has run, whose models it may hold."""
        self._digest = worker.settings_digest
        self._has_begun = False
        self._process = subprocess.Popen(
            # Variables such as PYTHONPATH apply to this environment, not to another one.
            [python, "-I", "-m", _MODULE] if python else [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in a terminal goes to the server only, which closes the pipes
        )
        assert self._process.stdin is not None  # both are pipes
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._write_lock = threading.Lock()
        start = WorkerStart.of(worker, () if python else sys.path)
        self._send(start.model_dump(mode="json"))

    @property
    def is_alive(self) -> bool:
        """Whether the process can take another call."""
        if self._process.poll() is not None:
            return False
        try:  # poll() reports nothing while another thread is reaping the process
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    def wait_until_ready(self) -> None:
        """Wait until the process has imported its plugins and has read the image store.

        Raises:
            SetupError: it has another version, cannot read the image store, or does not start.
        """
        timer = threading.Timer(START_S, self.kill)
        timer.start()
        try:
            message = self._receive()
        except (EOFError, OSError, ValueError) as exc:
            raise SetupError(
                f"worker process: it {self._ending()} before it was ready",
                hint="look at its messages on stderr",
            ) from exc
        finally:
            timer.cancel()
        if message["type"] == "ready" and message["protocol"] == PROTOCOL:
            return
        self.kill()
        if message["type"] == "failed":
            raise Failure.model_validate(message["failure"]).to_error("worker process")
        raise SetupError(
            f"worker process: it speaks version {message.get('protocol')} of the call protocol, "
            f"not {PROTOCOL}",
            hint="install the same version of promptvision in its environment",
        )

    def run(self, call: Call, *, cancel: CancelToken, on_progress: Progress | None = None) -> CallOutput:
        """Run a call and wait for its end; a process that ignores a cancellation is killed.

        Raises:
            CallNotBegun: the process ended before it began the call.
            WorkerLost: the process ended during the call.
            ToolFailed: the process was killed since it ignored the time limit of the call.
            Cancelled: the process was killed since it ignored a cancellation.
            Exception: what the tool raised.
        """
        item = CallItem(call=call, cancel=cancel, on_progress=on_progress)
        message = self._exchange({"type": "call", "call": self._data(call)}, [item])
        return read_answer(message, call)

    def run_together(self, items: Sequence[CallItem]) -> list[CallOutput | BaseException]:
        """Run two or more calls of one tool together, and wait for the end of all.

        A process that ignores the cancellation of every call, or the longest of their time limits, is killed.

        Returns:
            The output or the error of each call, in their order.

        Raises:
            Exception: as :meth:`run`, for all the calls.
        """
        message = self._exchange({"type": "calls", "calls": [self._data(item.call) for item in items]}, items)
        outcomes: list[CallOutput | BaseException] = []
        for item, answer in zip(items, message["answers"], strict=True):
            try:
                outcomes.append(read_answer(answer, item.call))
            except Exception as exc:  # noqa: BLE001  # the error of one call
                outcomes.append(exc)
        return outcomes

    def _data(self, call: Call) -> dict[str, Any]:
        return call.to_data(self._digest).model_dump(mode="json")

    def _exchange(self, message: dict[str, Any], items: Sequence[CallItem]) -> dict[str, Any]:
        """Send calls and wait for the answer to all of them."""
        call = items[0].call
        limits = [item.call.limit_s for item in items]
        self._has_begun = False
        self.tools_run.add(call.tool.name)
        limit = _Limit(max((one for one in limits if one is not None), default=None), self._process.kill)
        if None in limits:
            limit = _Limit(None, self._process.kill)
        try:
            with self._cancelled_by([item.cancel for item in items]), limit:
                self._send(message)
                return self._receive(*(item.on_progress for item in items))
        except (EOFError, OSError) as exc:
            ending = self._ending()
            if all(item.cancel.is_cancelled for item in items):
                items[0].cancel.check()
            if limit.has_expired:
                raise took_too_long(call) from exc
            what = f"{call.label}: its worker process {ending}"
            if self._has_begun:
                raise WorkerLost(what) from exc
            raise CallNotBegun(f"{what} before it began the call") from exc
        except BaseException:
            self.kill()
            raise

    def close_input(self) -> None:
        """Close the pipe that calls go through, so that the process ends; see :meth:`wait`."""
        with contextlib.suppress(OSError), self._write_lock:
            self._in.close()

    def wait(self) -> None:
        """Wait until the process has ended after :meth:`close_input`, and kill it if it does not end soon."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSE_S)
        self.kill()

    def kill(self) -> None:
        """End the process now."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._in, self._out):
            with contextlib.suppress(OSError):
                pipe.close()

    @contextmanager
    def _cancelled_by(self, cancels: Sequence[CancelToken]) -> Iterator[None]:
        """Forward cancellations inside the block, and kill a process that ignores those of all its calls."""
        timers: list[threading.Timer] = []

        def pass_on(index: int) -> None:
            with contextlib.suppress(OSError, ValueError):
                self._send({"type": "cancel", "index": index, "reason": cancels[index].reason})
            if all(cancel.is_cancelled for cancel in cancels):
                timer = threading.Timer(CANCEL_GRACE_S, self._process.kill)
                timer.daemon = True
                timers.append(timer)
                timer.start()

        with contextlib.ExitStack() as stack:
            for index, cancel in enumerate(cancels):
                stack.enter_context(cancel.waking(partial(pass_on, index)))
            try:
                yield
            finally:
                for timer in timers:
                    timer.cancel()

    def _send(self, message: dict[str, Any]) -> None:
        with self._write_lock:
            write_message(self._in, message)

    def _receive(self, *on_progress: Progress | None) -> dict[str, Any]:
        """The next message that is an answer; the others are noted or passed on."""
        while True:
            message = read_message(self._out)
            if message["type"] == "begun":
                self._has_begun = True
            elif not pass_on(message, *(on_progress or (None,))):
                return message

    def _ending(self) -> str:
        """Wait for the end of a process that has closed its pipe; return how it ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_EXIT_S)
        self.kill()
        code = self._process.returncode
        if code >= 0:
            return f"ended with exit code {code}"
        name = signal.Signals(-code).name
        return f"was killed by {name}" + (", perhaps for using too much memory" if name == "SIGKILL" else "")


class _Limit(contextlib.AbstractContextManager[None]):
    """Kills a process if the block lasts longer than the time limit of a call and a little more."""

    def __init__(self, limit_s: float | None, kill: Callable[[], None]) -> None:
        self.has_expired = False
        self._kill = kill
        self._timer: threading.Timer | None = None
        if limit_s is not None:
            self._timer = threading.Timer(limit_s + CANCEL_GRACE_S, self._expire)
            self._timer.daemon = True

    def __enter__(self) -> None:
        if self._timer is not None:
            self._timer.start()

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _expire(self) -> None:
        self.has_expired = True
        self._kill()
