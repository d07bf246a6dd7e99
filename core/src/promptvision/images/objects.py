"""What image stores on object storage share: keys made of hashes, and bytes checked on the way back."""

from __future__ import annotations

import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from promptvision.errors import NotFound
from promptvision.images.store import (
    EXTENSIONS,
    StoredImage,
    check_image_id,
    check_media_type,
    check_stored_bytes,
    image_id_of,
    latest_put,
)

__all__ = ["ObjectImageStore", "ObjectName"]

T = TypeVar("T")

ObjectName = str
"""The last part of a key: ``<sha256>.<extension>``, both from closed sets, never text of a user."""

MAX_REMEMBERED = 10_000
_MEDIA_TYPES = {extension: media_type for media_type, extension in EXTENSIONS.items()}
_NAME = re.compile(rf"([0-9a-f]{{64}})\.({'|'.join(_MEDIA_TYPES)})")


class ObjectImageStore(ABC):
    """An image store over a service that keeps named objects; safe across threads.

    A subclass says how one object is made, read, measured, linked, removed and listed. It is handed names of
    the form ``<sha256>.<extension>`` only. Its methods raise :class:`~promptvision.errors.NotFound` for an
    object that is not there and :class:`~promptvision.errors.StoreError` for everything else.

    An id alone does not tell the extension, so it is looked for, the usual ones first; names that were seen
    are remembered, which saves the looking.
    """

    blocking = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: dict[str, ObjectName] = {}

    @abstractmethod
    def _create(self, name: ObjectName, data: bytes, media_type: str) -> None:
        """Make an object durably; do nothing if it is there already."""

    @abstractmethod
    def _read(self, name: ObjectName) -> bytes:
        """The bytes, ``MAX_STORED_BYTES`` at most."""

    @abstractmethod
    def _size(self, name: ObjectName) -> int:
        """The number of bytes."""

    @abstractmethod
    def _link(self, name: ObjectName) -> str:
        """The URL for readers; asks nobody whether the object is there."""

    @abstractmethod
    def _remove(self, name: ObjectName) -> None:
        """Remove an object, or raise NotFound."""

    @abstractmethod
    def _objects(self) -> Iterable[tuple[ObjectName, float]]:
        """Names of all objects, and when they were made in seconds since the epoch."""

    def put(self, data: bytes, media_type: str) -> StoredImage:
        """Store bytes durably under their hash."""
        check_media_type(media_type)
        image_id = image_id_of(data)
        name = f"{image_id}.{EXTENSIONS[media_type]}"
        self._create(name, bytes(data), media_type)
        self._remember(image_id, name)
        return StoredImage(image_id, media_type, len(data))

    def get(self, image_id: str) -> bytes:
        """The bytes, checked against their hash."""
        return check_stored_bytes(self._found(image_id, self._read)[1], image_id)

    def stat(self, image_id: str) -> StoredImage:
        """Size and media type without reading the bytes."""
        name, size = self._found(image_id, self._size)
        return StoredImage(image_id, _MEDIA_TYPES[name.partition(".")[2]], size)

    def url(self, image_id: str) -> str:
        """Where a reader gets it."""
        name = self._names.get(image_id) or self._found(image_id, self._size)[0]
        return self._link(name)

    def delete(self, image_id: str) -> None:
        """Remove it under every extension; nothing happens when it is not there."""
        try:
            while True:
                self._found(image_id, self._remove)
                self._forget(image_id)
        except NotFound:
            self._forget(image_id)

    def ids(self, *, older_than_s: float = 0.0) -> list[str]:
        """All image ids held for at least so many seconds."""
        latest = latest_put(older_than_s)
        held = (_NAME.fullmatch(name) for name, put_at in self._objects() if put_at <= latest)
        return list(dict.fromkeys(match[1] for match in held if match))

    def close(self) -> None:
        """Forget what was remembered."""
        self._names.clear()

    def _found(self, image_id: str, ask: Callable[[ObjectName], T]) -> tuple[ObjectName, T]:
        """The first name under which the object is there, and the answer."""
        for name in self._candidates(image_id):
            try:
                answer = ask(name)
            except NotFound:
                continue
            self._remember(image_id, name)
            return name, answer
        self._forget(image_id)
        raise NotFound(f"image store: no image {image_id!r}")

    def _candidates(self, image_id: str) -> Iterator[ObjectName]:
        check_image_id(image_id)
        remembered = self._names.get(image_id)
        if remembered:
            yield remembered
        yield from (name for end in _MEDIA_TYPES if (name := f"{image_id}.{end}") != remembered)

    def _remember(self, image_id: str, name: ObjectName) -> None:
        with self._lock:
            self._names.pop(image_id, None)
            self._names[image_id] = name
            if len(self._names) > MAX_REMEMBERED:
                del self._names[next(iter(self._names))]

    def _forget(self, image_id: str) -> None:
        with self._lock:
            self._names.pop(image_id, None)
