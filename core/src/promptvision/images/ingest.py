"""Ingest an image from bytes, a ``data:`` URI, a URL or a path.

Files that a request sends or a URL returns are decoded in a child process with limits (see
:mod:`promptvision.images.isolated`). Bytes and paths from the program itself are decoded in this process,
except TIFF files, since libtiff writes to stderr. The setting ``PROMPTVISION_IMAGE_DECODING`` selects one
mode for all images.
"""

from __future__ import annotations

import asyncio
import binascii
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from promptvision.errors import InputError, TooLarge
from promptvision.images.codec import MAX_BYTES, normalise
from promptvision.images.isolated import PATIENT_S, TOTAL_S, Decoded, shared_decoders
from promptvision.images.store import ImageStore

if TYPE_CHECKING:
    from PIL.Image import Image

    from promptvision.settings import Settings

__all__ = ["IngestedImage", "ingest", "path_of_url", "read_source"]

_TIFF = re.compile(rb"II[*+]\x00|MM\x00[*+]")
_PIECE = 2**18  # characters decoded at a time; the interpreter switches threads in between
_MAX_ESCAPED = 10**6  # characters of a data URL without base64; they are decoded one by one
_BASE64_ESCAPES = {"%2B": "+", "%2F": "/", "%3D": "=", "%0A": "", "%0D": "", "%20": ""}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # at least two letters: C:\\x.png is a path


@dataclass(frozen=True, kw_only=True)
class IngestedImage:
    """An image in the store.

    Args:
        id: SHA-256 of the stored bytes.
        media_type: of the stored bytes.
        width, height: in pixels.
        notes: sentences about what was changed, for the reply.
    """

    id: str
    media_type: str
    width: int
    height: int
    notes: tuple[str, ...] = ()


async def ingest(
    source: bytes | str | Path,
    store: ImageStore,
    *,
    allow_paths: bool,
    settings: Settings,
    keep: Callable[[str, Image], None] | None = None,
) -> IngestedImage:
    """Read an image, decode it safely, and store it.

    Args:
        source: see :func:`read_source`.
        store: the store to write to.
        allow_paths: whether local files may be read; never for remote requests.
        settings: provides the allowed hosts.
        keep: called with the id and the decoded image once it is stored, to fill a cache.

    Raises:
        InputError: it cannot be read, or is not an image that is accepted.
        Busy: too many images are being decoded.
        StoreError: the store failed.
    """
    data = await read_source(source, allow_paths=allow_paths, settings=settings)
    if _is_isolated(source, data, allow_paths=allow_paths, settings=settings):
        total_s = PATIENT_S if allow_paths else TOTAL_S
        decoded = await shared_decoders().normalise(data, with_pixels=keep is not None, total_s=total_s)
    else:
        decoded = await asyncio.get_running_loop().run_in_executor(_threads(), _decode, data)
    del data
    stored = await asyncio.to_thread(store.put, decoded.data, decoded.media_type)
    if keep is not None and decoded.image is not None:
        keep(stored.id, decoded.image)
    return IngestedImage(
        id=stored.id,
        media_type=stored.media_type,
        width=decoded.width,
        height=decoded.height,
        notes=decoded.notes,
    )


def _is_isolated(source: bytes | str | Path, data: bytes, *, allow_paths: bool, settings: Settings) -> bool:
    if settings.image_decoding != "auto":
        return settings.image_decoding == "process"
    is_fetched = isinstance(source, str) and source[:5].lower().startswith("http")
    return not allow_paths or is_fetched or _TIFF.match(data) is not None


def _decode(data: bytes) -> Decoded:
    made = normalise(data)
    return Decoded(
        data=made.data,
        media_type=made.media_type,
        width=made.image.width,
        height=made.image.height,
        image=made.image,
        notes=made.notes,
    )


@cache
def _threads() -> ThreadPoolExecutor:
    """The thread pool for decoding, separate from the one for stores."""
    return ThreadPoolExecutor(2, thread_name_prefix="decode")


async def read_source(source: bytes | str | Path, *, allow_paths: bool, settings: Settings) -> bytes:
    """The bytes of an image, at most 20 MB, not yet decoded.

    Args:
        source: the bytes themselves, a ``data:`` URI, an http or https URL, or, with ``allow_paths``, a path
            or a ``file:`` URL.
        allow_paths: whether local files may be read.
        settings: provides the allowed hosts.

    Raises:
        TooLarge: over 20 MB.
        InputError: it cannot be read.
    """
    if isinstance(source, bytes):
        return _within_limit(source)
    text = source if isinstance(source, str) else ""
    scheme = match[1].lower() if (match := _SCHEME.match(text)) else ""
    if scheme == "data":
        return await asyncio.get_running_loop().run_in_executor(_threads(), _read_data_uri, text)
    if scheme in ("http", "https"):
        from promptvision.images.fetch import fetch

        return await fetch(text, allowed_hosts=settings.allowed_hosts, limit=MAX_BYTES)
    if not allow_paths:
        raise InputError("image: this kind of URL is not accepted", hint="give an http, https or data URL")
    if "://" in text and scheme != "file":
        raise InputError(
            f"image: URLs of scheme {scheme[:20]!r} are not accepted", hint="give a path or a URL"
        )
    path = path_of_url(text) if scheme == "file" else Path(source)
    return await asyncio.to_thread(_read_file, path)


def _too_large() -> TooLarge:
    return TooLarge(f"image: larger than {MAX_BYTES // 10**6} MB", hint="scale it down and send it again")


def _within_limit(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise _too_large()
    return data


def _read_data_uri(text: str) -> bytes:
    """Decode a ``data:`` URI (RFC 2397); the media type in it is not used."""
    head, comma, body = text.partition(",")
    if not comma:
        raise InputError("image: a data URL without a comma", hint="write data:image/png;base64,...")
    if len(body) > 3 * MAX_BYTES:  # the longest spelling: every byte as %XX
        raise _too_large()
    if not re.sub(r"\s", "", head[-100:]).lower().endswith(";base64"):
        if len(body) > _MAX_ESCAPED:
            raise TooLarge("image: a long data URL without base64", hint="write data:image/png;base64,...")
        return unquote_to_bytes(body)
    if "%" in body:
        for escape, character in _BASE64_ESCAPES.items():
            body = body.replace(escape, character).replace(escape.lower(), character)
    try:
        return _within_limit(_decode_base64(body))
    except ValueError as exc:
        raise InputError("image: a data URL whose base64 is broken", hint="encode the file again") from exc


def _decode_base64(text: str) -> bytes:
    """Decode base64 with or without padding and whitespace, in chunks.

    Raises:
        ValueError: it is not base64.
        TooLarge: over 20 MB.
    """
    decoded, rest, is_padded = bytearray(), "", False
    for start in range(0, len(text), _PIECE):
        packed = rest + "".join(text[start : start + _PIECE].split())
        end = len(packed) // 4 * 4
        whole, rest = packed[:end], packed[end:]
        if is_padded and packed:
            raise ValueError("data after the padding")
        decoded += binascii.a2b_base64(whole, strict_mode=True)
        is_padded = is_padded or whole.endswith("=")
        if len(decoded) > MAX_BYTES:
            raise _too_large()
    decoded += binascii.a2b_base64(rest + "=" * (-len(rest) % 4), strict_mode=True)
    return bytes(decoded)


def path_of_url(url: str) -> Path:
    """The path in a ``file:`` URL of this machine.

    Raises:
        InputError: it is not a local file URL.
    """
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise InputError("image: not a valid file URL") from exc
    if parts.netloc not in ("", "localhost"):
        raise InputError(f"image: a file URL of another machine ({parts.netloc[:80]!r})")
    return Path(unquote(parts.path))


def _read_file(path: Path) -> bytes:
    try:
        path = path.expanduser()
        if not path.exists():
            raise InputError(f"image: {path}: no such file", hint="check the path")
        if not path.is_file():
            raise InputError(f"image: {path} is not a regular file")
        with path.open("rb") as file:
            return _within_limit(file.read(MAX_BYTES + 1))
    except (OSError, RuntimeError, ValueError) as exc:  # ~nobody is a RuntimeError
        raise InputError(f"image: {str(path)[:200]!r} cannot be read ({exc})") from exc
