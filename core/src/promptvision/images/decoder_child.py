"""The program of a decoder process: reads images from stdin and writes normalised images to stdout.

Each message is a length (4 bytes, big-endian), a JSON object, and as many raw bytes as the object says.
For each request ``{"bytes", "pixels"}`` the process answers ``{"memory"}``, waits for one byte, and decodes.
Pixels go through shared memory, whose file descriptor is the first argument. Started by
:mod:`promptvision.images.isolated`; needs nothing but Pillow.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import struct
import sys
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from promptvision.errors import InputError, SetupError, TooLarge
from promptvision.images.codec import normalise
from promptvision.images.memory import trim_heap

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "CPU_LIMIT_S",
    "MAX_PIXEL_BYTES",
    "MEMORY_LIMIT",
    "main",
    "read_exactly",
    "read_message",
    "write_message",
]

CPU_LIMIT_S = 2.0
"""CPU time limit of one image; the process ends after it."""
MEMORY_LIMIT = 640 * 2**20
"""Address space in addition to that of the idle process, in bytes; decoders map buffers before use."""
MAX_PIXEL_BYTES = 48 * 2**20
"""Larger images are not returned decoded; the reader decodes the stored bytes."""

_STRIP_ROWS = 128
_READERS = ("PngImagePlugin", "JpegImagePlugin", "WebPImagePlugin", "GifImagePlugin", "BmpImagePlugin")


def write_message(file: IO[bytes], head: dict[str, Any], *payloads: bytes) -> None:
    """Write a JSON object and raw bytes, and flush."""
    packed = json.dumps(head).encode()
    file.write(struct.pack(">I", len(packed)) + packed)
    file.writelines(payloads)
    file.flush()


def read_message(file: IO[bytes]) -> dict[str, Any]:
    """Read a JSON object, which announces the raw bytes that follow.

    Raises:
        EOFError: the other side has closed the pipe.
    """
    (length,) = struct.unpack(">I", read_exactly(file, 4))
    message: dict[str, Any] = json.loads(read_exactly(file, length))
    return message


def read_exactly(file: IO[bytes], length: int) -> bytes:
    """Read the given number of bytes, or raise EOFError."""
    data = file.read(length)
    if len(data) < length:
        raise EOFError("the other side of the pipe is closed")
    return data


def main() -> None:
    """Serve until stdin is closed."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # printed text must not be read as an answer
    for name in _READERS:
        import_module(f"PIL.{name}")
    shared = mmap.mmap(int(sys.argv[1]), MAX_PIXEL_BYTES) if len(sys.argv) > 1 else None
    _limit_memory()
    while True:
        try:
            request = read_message(requests)
            data = read_exactly(requests, request["bytes"])
        except EOFError:
            return
        _limit_time()
        _answer(data, requests, answers, shared if request["pixels"] else None)
        del data
        trim_heap()


def _answer(data: bytes, requests: IO[bytes], answers: IO[bytes], shared: mmap.mmap | None) -> None:
    def ask(memory: int) -> None:
        write_message(answers, {"memory": memory})
        if read_exactly(requests, 1) == b"\0":
            raise InputError("image: there is not enough memory to decode it")

    try:
        made = normalise(data, before_decoding=ask)
    except (InputError, SetupError) as exc:
        kind = "TooLarge" if isinstance(exc, TooLarge) else type(exc).__name__
        write_message(answers, {"error": kind, "message": exc.message, "hint": exc.hint})
        return
    pixels = 0 if shared is None else _share(made.image, shared)
    head = {
        "media_type": made.media_type,
        "size": made.image.size,
        "mode": made.image.mode,
        "notes": made.notes,
        "bytes": len(made.data),
        "pixels": pixels,
    }
    encoded = made.data
    del made  # the pixels, before the other side allocates the file
    write_message(answers, head, encoded)


def _share(image: Image, shared: mmap.mmap) -> int:
    """Write the pixels to shared memory; return their number of bytes, 0 if there are too many."""
    length = image.width * image.height * len(image.getbands())
    if length > MAX_PIXEL_BYTES:
        return 0
    shared.seek(0)
    for top in range(0, image.height, _STRIP_ROWS):
        rows = (0, top, image.width, min(top + _STRIP_ROWS, image.height))
        shared.write(image.crop(rows).tobytes())
    return length


def _limit_memory() -> None:
    try:
        import resource

        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit = mapped + MEMORY_LIMIT
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    except (ImportError, OSError, ValueError):  # not Linux; the time limit still applies
        return


def _limit_time() -> None:
    if hasattr(signal, "setitimer"):  # its signal ends the process
        signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT_S)


if __name__ == "__main__":
    main()
