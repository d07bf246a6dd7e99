"""Images as files under one folder: ``<root>/<first two digits>/<sha256>.<extension>``.

An image is written under a temporary name, flushed to the disk, and then renamed, so that a visible name
always has all its bytes, also after ``kill -9`` and power loss. Symbolic links under the root are not
followed. A lock on the image's folder serialises ``put`` and ``delete`` across processes. The modification
time of a file is the time of the last ``put``.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from promptvision.errors import NotFound, StoreError
from promptvision.images.store import (
    EXTENSIONS,
    MEDIA_TYPES,
    STORED_NAME,
    StoredImage,
    check_media_type,
    check_stored_bytes,
    image_id_of,
    is_image_id,
    latest_put,
)

__all__ = ["FileImageStore"]

_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")
_ORPHAN_AGE_S = 3600
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


class FileImageStore:
    """An image store in a folder; safe across threads and processes.

    Args:
        root: the folder; created with access for its owner only if it is missing.

    Raises:
        StoreError: the folder cannot be created or read.
    """

    blocking = True

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        with _converted(self.root):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep()

    def put(self, data: bytes, media_type: str) -> StoredImage:
        """Store bytes durably under their hash; return once they are on the disk."""
        check_media_type(media_type)
        image_id = image_id_of(data)
        with _converted(self.root):
            self._make_folder(image_id)
            with self._locked(image_id) as folder:
                held = _find(folder, image_id)
                stored = StoredImage(image_id, held.media_type if held else media_type, len(data))
                if held is not None and held.size == len(data) and _is_whole(folder, held):
                    _renew_time(folder, _file_name(stored))
                else:
                    _write(folder, _file_name(stored), data)
                os.fsync(folder)
        return stored

    def get(self, image_id: str) -> bytes:
        """Return the bytes, verified against their hash."""
        with _converted(self.root, image_id), self._folder(image_id) as folder:
            data = _read(folder, _file_name(_found(folder, image_id)))
        return check_stored_bytes(data, image_id)

    def stat(self, image_id: str) -> StoredImage:
        """Return size and media type without reading the bytes."""
        with _converted(self.root, image_id), self._folder(image_id) as folder:
            return _found(folder, image_id)

    def url(self, image_id: str) -> str:
        """Return the ``file:`` URL."""
        return (self.root / image_id[:2] / _file_name(self.stat(image_id))).as_uri()

    def delete(self, image_id: str, *, unless_put_since: float | None = None) -> None:
        """Remove an image, unless it was put since."""
        with suppress(NotFound), _converted(self.root, image_id), self._locked(image_id) as folder:
            name = _file_name(_found(folder, image_id))
            if unless_put_since is None or _put_at(folder, name) < unless_put_since:
                os.unlink(name, dir_fd=folder)
                os.fsync(folder)

    def ids(self, *, older_than_s: float = 0.0) -> list[str]:
        """Return the ids of all images that were last put at least so many seconds ago."""
        latest = latest_put(older_than_s)
        with _converted(self.root):
            return [
                match[1]
                for path in self._files()
                if (match := STORED_NAME.fullmatch(path.name)) and _is_put_by(path, latest)
            ]

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _files(self) -> Iterator[Path]:
        for folder in self.root.iterdir():
            if re.fullmatch(r"[0-9a-f]{2}", folder.name) and folder.is_dir() and not folder.is_symlink():
                with os.scandir(folder) as entries:
                    yield from (Path(entry) for entry in entries if entry.is_file(follow_symlinks=False))

    def _sweep(self) -> None:
        """Remove temporary files of killed writers that are too old to belong to a running one."""
        oldest = time.time() - _ORPHAN_AGE_S
        for path in self._files():
            if _TEMPORARY.fullmatch(path.name):
                with suppress(FileNotFoundError):
                    if path.lstat().st_mtime < oldest:
                        path.unlink()

    def _make_folder(self, image_id: str) -> None:
        with suppress(FileExistsError):
            (self.root / image_id[:2]).mkdir(mode=0o700)
            root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(root)
            finally:
                os.close(root)

    @contextmanager
    def _folder(self, image_id: str) -> Iterator[int]:
        if not is_image_id(image_id):
            raise FileNotFoundError(errno.ENOENT, "not an image id")
        folder = os.open(self.root / image_id[:2], os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def _locked(self, image_id: str) -> Iterator[int]:
        with self._folder(image_id) as folder:
            fcntl.flock(folder, fcntl.LOCK_EX)  # ends when the descriptor is closed
            yield folder


@contextmanager
def _converted(root: Path, image_id: str | None = None) -> Iterator[None]:
    """Convert OSError; with an id, a missing file is NotFound."""
    try:
        yield
    except OSError as exc:
        if image_id is not None and exc.errno in _ABSENT:
            raise NotFound(f"image store: no image {image_id[:80]!r}") from exc
        if exc.errno in _FULL:
            raise StoreError(
                f"image store: {root}: the disk is full ({exc.strerror}), the image was not stored",
                hint="free some space or set PROMPTVISION_HOME to a larger disk",
            ) from exc
        raise StoreError(f"image store: {root}: {exc.strerror or exc}") from exc


def _is_put_by(path: Path, latest: float) -> bool:
    try:
        return path.lstat().st_mtime <= latest
    except FileNotFoundError:  # deleted since it was listed
        return False


def _file_name(image: StoredImage) -> str:
    return f"{image.id}.{EXTENSIONS[image.media_type]}"


def _find(folder: int, image_id: str) -> StoredImage | None:
    for extension, media_type in MEDIA_TYPES.items():
        with suppress(FileNotFoundError):
            status = os.stat(f"{image_id}.{extension}", dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                return StoredImage(image_id, media_type, status.st_size)
    return None


def _found(folder: int, image_id: str) -> StoredImage:
    if (image := _find(folder, image_id)) is None:
        raise FileNotFoundError(errno.ENOENT, "no such image")
    return image


def _read(folder: int, name: str) -> bytes:
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb") as file:
        return file.read()


def _is_whole(folder: int, held: StoredImage) -> bool:
    return image_id_of(_read(folder, _file_name(held))) == held.id


def _renew_time(folder: int, name: str) -> None:
    now = time.time_ns()
    os.utime(name, ns=(now, now), dir_fd=folder, follow_symlinks=False)


def _put_at(folder: int, name: str) -> float:
    return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime


def _write(folder: int, name: str, data: bytes) -> None:
    temporary = f".{secrets.token_hex(8)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(data)
            file.flush()
            now = time.time_ns()  # the kernel's own time stamp is up to 10 ms old
            os.utime(file.fileno(), ns=(now, now))
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise
