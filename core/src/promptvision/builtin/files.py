"""Images as files under one folder: ``<root>/<first two digits>/<sha256>.<extension>``.

An image is written to a temporary name, flushed to the disk, and only then renamed to its own, so that a
name that can be seen always has all its bytes, after ``kill -9`` and power loss alike. Nothing under the
root is reached through a symbolic link.
"""

from __future__ import annotations

import errno
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
    StoredImage,
    check_media_type,
    check_stored_bytes,
    image_id_of,
    is_image_id,
    latest_put,
)

__all__ = ["FileImageStore"]

_MEDIA_TYPES = {extension: media_type for media_type, extension in EXTENSIONS.items()}
_NAME = re.compile(rf"([0-9a-f]{{64}})\.({'|'.join(_MEDIA_TYPES)})")
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")
_ORPHAN_AGE_S = 3600
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


class FileImageStore:
    """An image store in a folder; safe across threads and processes.

    Args:
        root: the folder; made, for its owner only, when it is missing.

    Raises:
        StoreError: the folder cannot be made or read.
    """

    blocking = True

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        with _converted(self.root):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep()

    def put(self, data: bytes, media_type: str) -> StoredImage:
        """Store bytes durably under their hash; returns once the disk has them."""
        check_media_type(media_type)
        image_id = image_id_of(data)
        with _converted(self.root):
            self._make_folder(image_id)
            with self._folder(image_id) as folder:
                held = _find(folder, image_id)
                if held is None or held.size != len(data):
                    held = StoredImage(image_id, media_type, len(data))
                    _write(folder, _file_name(held), data)
                os.fsync(folder)
        return held

    def get(self, image_id: str) -> bytes:
        """The bytes, checked against their hash."""
        with _converted(self.root, image_id), self._folder(image_id) as folder:
            data = _read(folder, _file_name(_found(folder, image_id)))
        return check_stored_bytes(data, image_id)

    def stat(self, image_id: str) -> StoredImage:
        """Size and media type without reading the bytes."""
        with _converted(self.root, image_id), self._folder(image_id) as folder:
            return _found(folder, image_id)

    def url(self, image_id: str) -> str:
        """The ``file:`` URL."""
        return (self.root / image_id[:2] / _file_name(self.stat(image_id))).as_uri()

    def delete(self, image_id: str) -> None:
        """Remove it; nothing happens when it is not there."""
        with suppress(NotFound), _converted(self.root, image_id), self._folder(image_id) as folder:
            os.unlink(_file_name(_found(folder, image_id)), dir_fd=folder)
            os.fsync(folder)

    def ids(self, *, older_than_s: float = 0.0) -> list[str]:
        """All image ids held for at least so many seconds."""
        latest = latest_put(older_than_s)
        with _converted(self.root):
            return [
                match[1]
                for path in self._files()
                if (match := _NAME.fullmatch(path.name)) and _is_put_by(path, latest)
            ]

    def close(self) -> None:
        """Nothing is held open."""

    def _files(self) -> Iterator[Path]:
        for folder in self.root.iterdir():
            if re.fullmatch(r"[0-9a-f]{2}", folder.name) and folder.is_dir() and not folder.is_symlink():
                with os.scandir(folder) as entries:
                    yield from (Path(entry) for entry in entries if entry.is_file(follow_symlinks=False))

    def _sweep(self) -> None:
        """Remove what killed writers left behind, old enough to belong to no living one."""
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
def _converted(root: Path, image_id: str | None = None) -> Iterator[None]:
    """Turn OSError into this project's errors; with an id, absence is NotFound."""
    try:
        yield
    except OSError as exc:
        if image_id is not None and exc.errno in _ABSENT:
            raise NotFound(f"image store: no picture {image_id[:80]!r}") from exc
        if exc.errno in _FULL:
            raise StoreError(
                f"image store: {root}: the disk is full ({exc.strerror}), the picture was not stored",
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
    for extension, media_type in _MEDIA_TYPES.items():
        with suppress(FileNotFoundError):
            status = os.stat(f"{image_id}.{extension}", dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                return StoredImage(image_id, media_type, status.st_size)
    return None


def _found(folder: int, image_id: str) -> StoredImage:
    if (image := _find(folder, image_id)) is None:
        raise FileNotFoundError(errno.ENOENT, "no such picture")
    return image


def _read(folder: int, name: str) -> bytes:
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb") as file:
        return file.read()


def _write(folder: int, name: str, data: bytes) -> None:
    temporary = f".{secrets.token_hex(8)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise
