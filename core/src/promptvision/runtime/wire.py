"""Messages between processes: a length (4 bytes, big-endian) and a JSON object."""

from __future__ import annotations

import json
import struct
from typing import IO, Any

__all__ = ["MAX_MESSAGE_BYTES", "read_message", "write_message"]

MAX_MESSAGE_BYTES = 64 * 2**20
"""Maximum size of a message. Images are passed through the image store instead."""

_LENGTH = struct.Struct(">I")


def write_message(file: IO[bytes], message: dict[str, Any]) -> None:
    """Write a JSON object and flush.

    Raises:
        ValueError: it is longer than :data:`MAX_MESSAGE_BYTES`, or it is not JSON.
        OSError: the other side has closed the pipe.
    """
    packed = json.dumps(message, allow_nan=False, separators=(",", ":")).encode()
    if len(packed) > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {len(packed)} bytes is over the limit of {MAX_MESSAGE_BYTES}")
    file.write(_LENGTH.pack(len(packed)) + packed)
    file.flush()


def read_message(file: IO[bytes]) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        EOFError: the other side has closed the pipe.
        ValueError: the received data is not a message.
    """
    (length,) = _LENGTH.unpack(_read_exactly(file, _LENGTH.size))
    if length > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {length} bytes is over the limit of {MAX_MESSAGE_BYTES}")
    message = json.loads(_read_exactly(file, length))
    if not isinstance(message, dict):
        raise ValueError(f"a message is a JSON object, not {type(message).__name__}")
    return message


def _read_exactly(file: IO[bytes], length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise EOFError("the other side of the pipe is closed")
    return data
