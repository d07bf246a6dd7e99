"""Decode untrusted images in child processes with limits.

A decoder process has limits on time and memory and no secrets in its environment. It is kept for the next
image, and replaced when it ends. The numbers of running and waiting decodes are limited; further ones are
refused with :class:`~promptvision.errors.Busy`.
"""

from __future__ import annotations

import asyncio
import atexit
import math
import mmap
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptvision.errors import Busy, InputError, SetupError, TooLarge
from promptvision.images.decoder_child import (
    CPU_LIMIT_S,
    MAX_PIXEL_BYTES,
    read_exactly,
    read_message,
    write_message,
)

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Decoded", "DecoderPool", "shared_decoders"]

WORKERS = 2
"""Maximum number of images decoded at once."""
MAX_JOBS = 16
"""Maximum number of images decoded or waiting."""
MAX_JOB_BYTES = 30_000_000
"""Maximum total size of files decoded or waiting, in bytes; a single file may be larger."""
MEMORY = 200_000_000
"""Memory budget of all decoders in bytes, estimated from the headers; a single image may need more."""
TOTAL_S = 2.4
"""Time limit for an untrusted image, waiting included."""
PATIENT_S = 30.0
"""Time limit for an image from the user of this process."""
RUN_S = 2.0
"""Time reserved for decoding when the wait for a process ends."""
Take = Callable[[int], None]
"""Takes the given number of bytes from the memory budget, or raises Busy."""

_KEPT_VARIABLES = ("PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG")
_SIGPROF = 27  # sent at the CPU time limit
_ERRORS = {"InputError": InputError, "TooLarge": TooLarge, "SetupError": SetupError}


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """The result of decoding an image file.

    Args:
        data: the normalised file, a PNG or a JPEG.
        media_type: ``image/png`` or ``image/jpeg``.
        width, height: in pixels.
        image: the decoded image, if requested, not very large, and shared memory is available.
        notes: sentences for the reply.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    image: Image | None = None
    notes: tuple[str, ...] = ()


class DecoderPool:
    """Decodes images in child processes; safe across threads.

    Args:
        workers: maximum number of processes.
    """

    def __init__(self, *, workers: int = WORKERS) -> None:
        self._threads = ThreadPoolExecutor(MAX_JOBS, thread_name_prefix="decode")
        self._workers = workers
        self._places = threading.Semaphore(workers)
        self._idle: list[_Worker] = []
        self._memory = _Budget(MEMORY)
        self._lock = threading.Lock()
        self._jobs: list[int] = []
        self._is_closed = False

    async def normalise(self, data: bytes, *, with_pixels: bool = False, total_s: float = TOTAL_S) -> Decoded:
        """:func:`promptvision.images.codec.normalise` in a child process.

        Args:
            data: an image file.
            with_pixels: whether to also return the decoded image, if it is not very large.
            total_s: time limit, waiting included.

        Raises:
            Busy: too many images are being decoded, or the machine is too busy to decode this one in time.
            TooLarge: over a size limit, or over the limit of time or memory.
            InputError: not an image, one of another format, or a damaged one.
        """
        with self._admitted(len(data)):
            loop = asyncio.get_running_loop()
            deadline = time.monotonic() + total_s
            return await loop.run_in_executor(self._threads, self._work, data, with_pixels, deadline)

    def check_room(self, size: int) -> None:
        """Raise Busy if a file of this size would be refused now, before it is read."""
        with self._lock:
            self._check_room(size)

    def _check_room(self, size: int) -> None:
        if len(self._jobs) >= MAX_JOBS or (self._jobs and sum(self._jobs) + size > MAX_JOB_BYTES):
            raise _busy()

    def warm_up(self) -> None:
        """Start a process if there is none, so that the first image need not wait for it."""
        if not self._idle:
            self._put_back(_Worker())

    def close(self) -> None:
        """End the child processes."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.kill()
        self._threads.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def _admitted(self, size: int) -> Iterator[None]:
        with self._lock:
            self._check_room(size)
            self._jobs.append(size)
        try:
            yield
        finally:
            with self._lock:
                self._jobs.remove(size)

    def _work(self, data: bytes, with_pixels: bool, deadline: float) -> Decoded:
        wait_until = deadline - RUN_S
        if not self._places.acquire(timeout=max(0.0, wait_until - time.monotonic())):
            raise _busy()
        try:
            worker = self._worker()
            try:
                return worker.decode(data, with_pixels, self._memory, wait_until, deadline)
            finally:
                self._put_back(worker)
        finally:
            self._places.release()

    def _worker(self) -> _Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Worker()

    def _put_back(self, worker: _Worker) -> None:
        """Return the process to the pool; if it has died, start another one after the result is returned."""
        if worker.is_alive:
            self._keep(worker)
            return
        worker.kill()  # closes its pipes
        with suppress(RuntimeError):  # the pool is closed
            self._threads.submit(lambda: self._keep(_Worker()))

    def _keep(self, worker: _Worker) -> None:
        with self._lock:
            if not self._is_closed and len(self._idle) < self._workers:
                self._idle.append(worker)
                return
        worker.kill()


class _Worker:
    """One child process."""

    def __init__(self) -> None:
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        # Large blocks are returned to the system as soon as they are freed.
        env = {**kept, "MALLOC_MMAP_THRESHOLD_": str(8 * 2**20), "MALLOC_ARENA_MAX": "1"}
        self._shared = _SharedMemory(MAX_PIXEL_BYTES) if hasattr(os, "memfd_create") else None
        descriptors = () if self._shared is None else (self._shared.descriptor,)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "promptvision.images.decoder_child", *map(str, descriptors)],
            pass_fds=descriptors,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libtiff writes there
            env=env,
        )
        assert process.stdin is not None  # both are pipes
        assert process.stdout is not None
        self._process, self._in, self._out = process, process.stdin, process.stdout

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._in, self._out):
            try:
                pipe.close()
            except OSError:  # unsent data is lost
                continue
        if self._shared is not None:
            self._shared.close()
            self._shared = None

    def decode(
        self, data: bytes, with_pixels: bool, memory: _Budget, wait_until: float, deadline: float
    ) -> Decoded:
        """Decode one image; afterwards the process is idle, or dead."""
        cpu_before = _cpu_s(self._process.pid)
        used: list[float] = []

        def stop() -> None:
            used.append(_cpu_s(self._process.pid) - cpu_before)
            self._process.kill()

        timer = threading.Timer(max(0.0, deadline - time.monotonic()), stop)
        timer.daemon = True
        timer.start()
        is_done = False
        try:
            with memory.taken() as take:
                decoded = self._exchange(data, with_pixels, lambda size: take(size, wait_until))
            is_done = True
            return decoded
        except (Busy, InputError, SetupError):
            is_done = True
            raise
        except (EOFError, OSError, ValueError) as exc:
            raise self._end_error(used) from exc
        finally:
            timer.cancel()
            if not is_done:
                self.kill()

    def _exchange(self, data: bytes, with_pixels: bool, take: Take) -> Decoded:
        wants_pixels = with_pixels and self._shared is not None
        write_message(self._in, {"bytes": len(data), "pixels": wants_pixels}, data)
        head = read_message(self._out)
        if "memory" in head:
            head = self._resume(int(head["memory"]), take)
        if "error" in head:
            raise _ERRORS[head["error"]](head["message"], hint=head["hint"])
        width, height = head["size"]
        stored = read_exactly(self._out, head["bytes"])
        image = None
        if self._shared is not None and head["pixels"]:
            image = self._shared.take_image(head["mode"], (width, height), head["pixels"])
        return Decoded(
            data=stored,
            media_type=head["media_type"],
            width=width,
            height=height,
            image=image,
            notes=tuple(head["notes"]),
        )

    def _resume(self, size: int, take: Take) -> dict[str, Any]:
        """Let the process decode as soon as there is enough memory; return its next message."""
        try:
            take(size)
        except Busy:
            self._reply(b"\0")
            read_message(self._out)
            raise
        self._reply(b"\1")
        return read_message(self._out)

    def _reply(self, answer: bytes) -> None:
        self._in.write(answer)
        self._in.flush()

    def _end_error(self, used: list[float]) -> Busy | TooLarge:
        """The error for a process that ended; ``used``: its CPU seconds if it was stopped at the deadline."""
        self._process.kill()
        code = self._process.wait()
        if used and used[0] < CPU_LIMIT_S / 2:
            return Busy("the machine is too busy to decode the image in time", retry_after_s=5)
        reason = "takes too long" if used or code == -_SIGPROF else "needs too much memory, or it is damaged"
        return TooLarge(f"image: decoding {reason}", hint="save it as a plain PNG or JPEG and send it again")


def _cpu_s(pid: int) -> float:
    """CPU seconds of a process so far; a large number if unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return math.inf


class _SharedMemory:
    """Memory that a child process writes pixels to; its pages are released after each image."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.descriptor = os.memfd_create("promptvision-pixels")
        os.ftruncate(self.descriptor, size)

    def take_image(self, mode: str, size: tuple[int, int], length: int) -> Image:
        from PIL.Image import frombytes

        with mmap.mmap(self.descriptor, length, access=mmap.ACCESS_READ) as mapped:
            image = frombytes(mode, size, memoryview(mapped))
        os.ftruncate(self.descriptor, 0)
        os.ftruncate(self.descriptor, self._size)
        return image

    def close(self) -> None:
        os.close(self.descriptor)


class _Budget:
    """The memory budget of all decoders. A decoder that needs more than the budget runs alone."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._free = total
        self._changed = threading.Condition()

    @contextmanager
    def taken(self) -> Iterator[Callable[[int, float], None]]:
        """Yield a function that reserves memory once; release the memory at the end."""
        held = 0

        def take(size: int, until: float) -> None:
            nonlocal held
            size = min(size, self._total)
            with self._changed:
                if not self._changed.wait_for(lambda: self._free >= size, until - time.monotonic()):
                    raise _busy()
                self._free -= size
                held = size

        try:
            yield take
        finally:
            with self._changed:
                self._free += held
                self._changed.notify_all()


def _busy() -> Busy:
    return Busy("too many images are being decoded; send it again later", retry_after_s=1)


@cache
def shared_decoders() -> DecoderPool:
    """The pool of this process; its child processes end with it."""
    pool = DecoderPool()
    atexit.register(pool.close)
    return pool


if hasattr(os, "register_at_fork"):  # a forked process must not talk to its parent's children
    os.register_at_fork(after_in_child=shared_decoders.cache_clear)
