"""Taking an image in, from wherever it is given: bytes, a ``data:`` URI, a URL, or a path."""

from __future__ import annotations

import asyncio
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from promptvision.errors import InputError, TooLarge
from promptvision.images.codec import MAX_BYTES, normalise
from promptvision.images.store import ImageStore

if TYPE_CHECKING:
    from PIL.Image import Image

    from promptvision.settings import Settings

__all__ = ["IngestedImage", "ingest", "path_of_url", "read_source"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two letters at least: C:\\x.png is a path


@dataclass(frozen=True, kw_only=True)
class IngestedImage:
    """An image that the store holds now.

    Args:
        id: SHA-256 of the stored bytes.
        media_type: of the stored bytes.
        width, height: in pixels.
    """

    id: str
    media_type: str
    width: int
    height: int


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
        store: where it goes.
        allow_paths: whether files of this machine may be read; never for requests from elsewhere.
        settings: for the hosts that are allowed.
        keep: called with the id and the decoded image once it is stored, for a cache.

    Raises:
        InputError: it cannot be read or is no image that is accepted.
        StoreError: the store failed.
    """
    data = await read_source(source, allow_paths=allow_paths, settings=settings)
    return await asyncio.to_thread(_normalise_and_put, data, store, keep)


async def read_source(source: bytes | str | Path, *, allow_paths: bool, settings: Settings) -> bytes:
    """The bytes of an image, at most 20 MB, not yet decoded.

    Args:
        source: the bytes themselves, a ``data:`` URI, an http or https URL, or, with ``allow_paths``, a path
            or a ``file:`` URL.
        allow_paths: whether files of this machine may be read.
        settings: for the hosts that are allowed.

    Raises:
        TooLarge: over 20 MB.
        InputError: it cannot be read.
    """
    if isinstance(source, bytes):
        return _within_limit(source)
    text = source if isinstance(source, str) else ""
    scheme = match[1].lower() if (match := _SCHEME.match(text)) else ""
    if scheme == "data":
        return _read_data_uri(text)
    if scheme in ("http", "https"):
        from promptvision.images.fetch import fetch

        return await fetch(text, allowed_hosts=settings.allowed_hosts, limit=MAX_BYTES)
    if not allow_paths:
        raise InputError("picture: not a URL that is accepted", hint="give an http, https or data URL")
    if "://" in text and scheme != "file":
        raise InputError(
            f"picture: URLs of scheme {scheme[:20]!r} are not accepted", hint="give a path or a URL"
        )
    path = path_of_url(text) if scheme == "file" else Path(source)
    return await asyncio.to_thread(_read_file, path)


def _normalise_and_put(
    data: bytes, store: ImageStore, keep: Callable[[str, Image], None] | None
) -> IngestedImage:
    picture = normalise(data)
    stored = store.put(picture.data, picture.media_type)
    if keep is not None:
        keep(stored.id, picture.image)
    width, height = picture.image.size
    return IngestedImage(id=stored.id, media_type=stored.media_type, width=width, height=height)


def _too_large() -> TooLarge:
    return TooLarge(f"picture: larger than {MAX_BYTES // 10**6} MB", hint="scale it down and send it again")


def _within_limit(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise _too_large()
    return data


def _read_data_uri(text: str) -> bytes:
    """Decode a ``data:`` URI (RFC 2397); what it says of its type is not believed."""
    head, comma, body = text.partition(",")
    if not comma:
        raise InputError("picture: a data URL without a comma", hint="write data:image/png;base64,...")
    if len(body) > 3 * MAX_BYTES:  # the longest spelling: every byte as %XX
        raise _too_large()
    if not head.lower().endswith(";base64"):
        return _within_limit(unquote_to_bytes(body))
    packed = re.sub(r"\s+", "", unquote(body) if "%" in body else body)
    if len(packed) * 3 // 4 > MAX_BYTES + 2:
        raise _too_large()
    try:
        return binascii.a2b_base64(packed + "=" * (-len(packed) % 4), strict_mode=True)
    except ValueError as exc:
        raise InputError("picture: a data URL whose base64 is broken", hint="encode the file again") from exc


def path_of_url(url: str) -> Path:
    """The path in a ``file:`` URL of this machine.

    Raises:
        InputError: it is no such URL.
    """
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise InputError("picture: not a valid file URL") from exc
    if parts.netloc not in ("", "localhost"):
        raise InputError(f"picture: a file URL of another machine ({parts.netloc[:80]!r})")
    return Path(unquote(parts.path))


def _read_file(path: Path) -> bytes:
    try:
        path = path.expanduser()
        if not path.exists():
            raise InputError(f"picture: {path}: no such file", hint="check the path")
        if not path.is_file():
            raise InputError(f"picture: {path} is not a regular file")
        with path.open("rb") as file:
            return _within_limit(file.read(MAX_BYTES + 1))
    except (OSError, RuntimeError, ValueError) as exc:  # ~nobody is a RuntimeError
        raise InputError(f"picture: {str(path)[:200]!r} cannot be read ({exc})") from exc
