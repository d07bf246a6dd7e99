"""Download large files with resume after broken connections and killed processes.

The hub's client (since version 2) removes its part file on failure and starts from the beginning, so this
module downloads with plain HTTP ranges (RFC 9110, section 14).
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from promptvision.errors import PromptvisionError, SetupError
from promptvision.models.placement import gigabytes

__all__ = [
    "DownloadFailed",
    "RemoteFile",
    "Unreachable",
    "fetch",
    "is_unreachable",
    "part_of",
    "require_space",
]

CHUNK_BYTES = 2**20
TIMEOUT_S = 30.0
TRIES = 5
"""Attempts in a row without a byte before giving up."""
NAME_TRIES = 2
"""Attempts if the host name cannot be resolved."""
PAUSE_S = 0.5
"""Backoff before the second such attempt, in seconds; doubled before each further one."""
SPARE_BYTES = 64 * 2**20
"""Disk space that a download leaves free."""


class DownloadFailed(PromptvisionError):
    """A file could not be downloaded. Received data is kept for the next try unless it was invalid."""


class Unreachable(DownloadFailed):
    """The host cannot be reached."""


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file to download.

    Args:
        path: relative to the folder of the model, with forward slashes.
        url: where it is.
        size: in bytes; 0 if unknown.
        sha256: of its bytes; None if unknown.
        headers: sent to the host of ``url`` only, not to redirect targets.
    """

    path: str
    url: str
    size: int = 0
    sha256: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to the allowed schemes only."""

    def __init__(self, schemes: Collection[str]) -> None:
        self._schemes = schemes

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _require_scheme(newurl, self._schemes)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _require_scheme(url: str, schemes: Collection[str]) -> None:
    if urlsplit(url).scheme not in schemes:
        raise DownloadFailed(f"{url}: only {', '.join(sorted(schemes))} is allowed")


def part_of(target: Path) -> Path:
    """The path of a file until it is complete."""
    return target.with_name(target.name + ".part")


def require_space(folder: Path, needed: int) -> None:
    """Reject a download that would fill the disk.

    Raises:
        SetupError: the disk of ``folder`` has less than ``needed`` bytes and a reserve free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise SetupError(
            f"{folder}: {gigabytes(needed)} to download, {gigabytes(free)} free on this disk",
            hint="free some space, or set PROMPTVISION_HOME to a folder on a larger disk",
        )


def fetch(
    remote: RemoteFile,
    target: Path,
    *,
    progress: Callable[[int], None],
    schemes: Collection[str] = ("https",),
    pause_s: float = PAUSE_S,
) -> str:
    """Download a file, resuming an earlier download.

    A part is resumed only if the result can be checked: by a digest, or by an ETag that the server compares.
    Otherwise the file is downloaded from the start.

    Args:
        remote: what to download.
        target: the destination, written atomically.
        progress: called with the bytes downloaded so far; an exception stops the download.
        schemes: URL schemes that are allowed, redirects included.
        pause_s: first pause between attempts without a byte.

    Returns:
        The SHA-256 of the file.

    Raises:
        DownloadFailed: the server refuses, or sends something else than declared.
        Unreachable: the server cannot be reached.
        SetupError: the disk is too small.
    """
    _require_scheme(remote.url, schemes)
    target.parent.mkdir(parents=True, exist_ok=True)
    opener = urllib.request.build_opener(_Redirects(schemes))
    tries = 0
    while True:
        before = _size(part_of(target))
        try:
            digest = _attempt(opener, remote, part_of(target), progress)
            break
        except (OSError, http.client.HTTPException) as exc:
            if isinstance(exc, urllib.error.HTTPError):
                exc.close()
                if exc.code == 416:  # the part is longer than the current file
                    part_of(target).unlink(missing_ok=True)
            tries = 0 if _size(part_of(target)) > before else tries + 1
            if tries >= (NAME_TRIES if _is_unresolved(exc) else TRIES) or not _is_transient(exc):
                raise _failure(remote.url, exc) from exc
        time.sleep(pause_s * 2**tries if tries else 0)
    _settle(remote, target, digest)
    return digest


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _failure(url: str, error: Exception) -> DownloadFailed:
    if is_unreachable(error):
        return Unreachable(f"{url}: {urlsplit(url).hostname} cannot be reached: {_reason(error)}")
    return DownloadFailed(f"{url}: {_reason(error)}", hint="run the command again")


def is_unreachable(error: BaseException | None) -> bool:
    """Whether an error or one of its causes means that a connection could not be made.

    Knows the errors of the standard library, and by their names those of httpx and requests.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        reason = getattr(error, "reason", None)
        kinds = socket.gaierror | ConnectionRefusedError | TimeoutError
        if isinstance(error, kinds) or isinstance(reason, kinds):
            return True
        if type(error).__name__ in {"ConnectError", "ConnectTimeout", "ConnectionError", "ProxyError"}:
            return True
        if isinstance(error, OSError) and error.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH}:
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_unresolved(error: Exception) -> bool:
    return isinstance(getattr(error, "reason", None), socket.gaierror)


def _is_transient(error: Exception) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code in (408, 416, 429) or error.code >= 500
    return isinstance(
        error, urllib.error.URLError | ConnectionError | TimeoutError | http.client.HTTPException
    )


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    return str(getattr(error, "reason", "") or error or type(error).__name__)


def _attempt(
    opener: urllib.request.OpenerDirector, remote: RemoteFile, part: Path, progress: Callable[[int], None]
) -> str:
    """Download the rest of a part; return the digest of the whole file."""
    tag = _tag_of(part)
    saved_tag = tag.read_text("ascii") if tag.is_file() else None
    have = _size(part) if remote.sha256 or saved_tag else 0
    if remote.size and have == remote.size:
        return str(_digest_of(part).hexdigest())
    if remote.size and have > remote.size:
        have = 0
    with opener.open(_request(remote, have, saved_tag), timeout=TIMEOUT_S) as answer:
        if answer.status != 206 or not _resumes_at(answer, have):
            have = 0
        _note_tag(tag, answer)
        length = _length(answer, remote)
        if remote.size and length is not None and have + length != remote.size:
            raise DownloadFailed(f"{remote.url}: {have + length} bytes offered, {remote.size} declared")
        require_space(part.parent, length or 0)
        return _append(answer, part, have, length, progress)


def _request(remote: RemoteFile, have: int, tag: str | None) -> urllib.request.Request:
    request = urllib.request.Request(remote.url)  # noqa: S310  # its scheme has been checked
    request.add_header("Accept-Encoding", "identity")
    for name, value in remote.headers.items():
        request.add_unredirected_header(name, value)
    if have:
        request.add_header("Range", f"bytes={have}-")
        if tag:
            request.add_header("If-Range", tag)
    return request


def _tag_of(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _note_tag(path: Path, answer: Any) -> None:
    """Keep a strong ETag; a weak one does not guarantee equal bytes."""
    tag = answer.headers.get("ETag", "")
    if tag.startswith('"') and tag.isascii():
        path.write_text(tag, "ascii")
    else:
        path.unlink(missing_ok=True)


def _resumes_at(answer: Any, have: int) -> bool:
    return str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-")


def _length(answer: Any, remote: RemoteFile) -> int | None:
    value = answer.headers.get("Content-Length")
    if value is None:
        return None
    if not value.isdecimal():
        raise DownloadFailed(f"{remote.url}: Content-Length is {value!r}")
    return int(value)


def _digest_of(part: Path) -> Any:
    """A running SHA-256 of a part."""
    with part.open("rb") as file:
        return hashlib.file_digest(file, "sha256")


def _append(
    answer: IO[bytes], part: Path, have: int, length: int | None, progress: Callable[[int], None]
) -> str:
    digest = _digest_of(part) if have else hashlib.sha256()
    end = None if length is None else have + length
    with part.open("ab" if have else "wb") as file:
        progress(have)
        while chunk := answer.read(CHUNK_BYTES):
            file.write(chunk)
            digest.update(chunk)
            have += len(chunk)
            progress(have)
        file.flush()
        os.fsync(file.fileno())
    if end is not None and have < end:
        raise ConnectionError(f"the connection ended after {have} of {end} bytes")
    return str(digest.hexdigest())


def _settle(remote: RemoteFile, target: Path, digest: str) -> None:
    """Rename the complete file, or delete it if it does not match the declaration."""
    part = part_of(target)
    _tag_of(part).unlink(missing_ok=True)
    size = _size(part)
    if remote.sha256 not in (None, digest) or (remote.size and size != remote.size):
        part.unlink(missing_ok=True)
        raise DownloadFailed(
            f"{remote.url}: {size} bytes with SHA-256 {digest}, not the {remote.size or size} bytes with"
            f" {remote.sha256 or digest} that were declared",
            hint="run the command again; if it fails again, the source has changed or cannot be trusted",
        )
    part.replace(target)
