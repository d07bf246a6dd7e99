"""Limits on HTTP responses of other hosts: no decompression, and a maximum body size.

A body of a few hundred bytes with ``Content-Encoding: gzip, gzip, gzip`` expands to gigabytes before a limit
on decoded bytes counts them. httpx and httpx2 share their interface but no base class, so the caller passes
the base class of its streams.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

__all__ = ["IDENTITY", "limit_response", "limit_response_async"]

IDENTITY = {"Accept-Encoding": "identity"}
"""Headers of a client whose responses are limited."""

MakeError = Callable[[str], Exception]


def limit_response_async(
    byte_stream: type[Any], limit_bytes: int, error: MakeError
) -> Callable[[Any], Awaitable[None]]:
    """Make a response hook of an ``AsyncClient``.

    Args:
        byte_stream: ``httpx.AsyncByteStream`` or ``httpx2.AsyncByteStream``.
        limit_bytes: maximum body size in bytes, as received.
        error: creates the exception from the reason.
    """

    class Limited(byte_stream):  # type: ignore[misc]  # a base class of the caller
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = limit_bytes
            async for chunk in self._stream:
                left = _spend(left, chunk, limit_bytes, error)
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def hook(response: Any) -> None:
        _check_encoding(response, error)
        response.stream = Limited(response.stream)

    return hook


def limit_response(byte_stream: type[Any], limit_bytes: int, error: MakeError) -> Callable[[Any], None]:
    """Make a response hook of a ``Client``; see :func:`limit_response_async`."""

    class Limited(byte_stream):  # type: ignore[misc]  # a base class of the caller
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def __iter__(self) -> Iterator[bytes]:
            left = limit_bytes
            for chunk in self._stream:
                left = _spend(left, chunk, limit_bytes, error)
                yield chunk

        def close(self) -> None:
            self._stream.close()

    def hook(response: Any) -> None:
        _check_encoding(response, error)
        response.stream = Limited(response.stream)

    return hook


def _check_encoding(response: Any, error: MakeError) -> None:
    encoding = str(response.headers.get("content-encoding", "")).strip().lower()
    if encoding not in ("", "identity"):
        raise error(f"the response is encoded as {encoding[:60]!r}, though only 'identity' was accepted")


def _spend(left: int, chunk: bytes, limit_bytes: int, error: MakeError) -> int:
    if len(chunk) > left:
        raise error(f"the response is longer than {limit_bytes} bytes")
    return left - len(chunk)
