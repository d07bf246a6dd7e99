"""The base of image stores on object storage: keys derived from hashes, and bytes verified on read."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar
from weakref import WeakValueDictionary

from cachetools import LRUCache

from promptvision.errors import NotFound
from promptvision.images.store import (
    EXTENSIONS,
    MEDIA_TYPES,
    STORED_NAME,
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
"""The last part of a key: ``<sha256>.<extension>``, never user input."""

MAX_CACHED_NAMES = 10_000
_CLOCK_STEP_S = 1.0
"""Services give the time of an object in whole seconds."""


class ObjectImageStore(ABC):
    """An image store on an object storage service; safe across threads.

    A subclass implements the operations on one object: create, overwrite, read, measure, link, remove, list.
    It receives only names of the form ``<sha256>.<extension>``. Its methods raise
    :class:`~promptvision.errors.NotFound` for an object that does not exist and
    :class:`~promptvision.errors.StoreError` for everything else.

    An id does not contain the extension, so all are tried, the usual ones first; names of existing objects
    are cached.

    An existing object is kept if its bytes are correct and replaced otherwise: putting an image again repairs
    it.
    """

    blocking = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: LRUCache[str, ObjectName] = LRUCache(MAX_CACHED_NAMES)
        self._put_at: LRUCache[str, float] = LRUCache(MAX_CACHED_NAMES)
        self._locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    @abstractmethod
    def _create(self, name: ObjectName, data: bytes, media_type: str) -> bool:
        """Create an object durably, or return False if the name exists with different bytes.

        An existing object with the same bytes is kept; :meth:`_holds` compares them.
        """

    @abstractmethod
    def _overwrite(self, name: ObjectName, data: bytes, media_type: str) -> None:
        """Replace an object whose bytes do not match its name."""

    @abstractmethod
    def _read(self, name: ObjectName) -> bytes:
        """The bytes, at most ``MAX_STORED_BYTES``."""

    @abstractmethod
    def _size(self, name: ObjectName) -> int:
        """The number of bytes."""

    def _holds(self, name: ObjectName, data: bytes) -> bool:
        """Whether an existing object has these bytes.

        It is read only if its size matches. A store that provides digests of its objects can compare those
        first.
        """
        try:
            return self._size(name) == len(data) and self._read(name) == data
        except NotFound:  # removed meanwhile
            return False

    @abstractmethod
    def _link(self, name: ObjectName) -> str:
        """The URL for readers; does not check that the object exists."""

    @abstractmethod
    def _remove(self, name: ObjectName) -> None:
        """Remove an object, or raise NotFound."""

    @abstractmethod
    def _objects(self) -> Iterable[tuple[ObjectName, float]]:
        """Names of all objects, and their creation times in seconds since the epoch."""

    def _last_put(self, name: ObjectName) -> float:
        """When any process last put an existing object, in seconds since the epoch; 0 where it is not known.

        A service that counts whole seconds gives the start of one. Raises NotFound for a missing object.
        """
        self._size(name)
        return 0.0

    def _last_repeated_put(self, name: ObjectName) -> float:
        """When an object that existed was last put again, also if it was removed meanwhile; 0 if never.

        :meth:`_create` records that before it looks whether the object is still there.
        """
        return 0.0

    def _delete_repeated_put(self, name: ObjectName) -> None:  # noqa: B027  # not every service records it
        """Remove the record of :meth:`_last_repeated_put`."""

    def put(self, data: bytes, media_type: str) -> StoredImage:
        """Store bytes durably under their hash."""
        check_media_type(media_type)
        image_id = image_id_of(data)
        name = f"{image_id}.{EXTENSIONS[media_type]}"
        with self._image_lock(image_id):
            if not self._create(name, bytes(data), media_type):
                self._overwrite(name, bytes(data), media_type)
            with self._lock:
                self._names[image_id] = name
                self._put_at[image_id] = time.time()
        return StoredImage(image_id, media_type, len(data))

    def get(self, image_id: str) -> bytes:
        """The bytes, checked against their hash."""
        return check_stored_bytes(self._found(image_id, self._read)[1], image_id)

    def stat(self, image_id: str) -> StoredImage:
        """Size and media type without reading the bytes."""
        name, size = self._found(image_id, self._size)
        return StoredImage(image_id, MEDIA_TYPES[name.partition(".")[2]], size)

    def url(self, image_id: str) -> str:
        """The URL for readers."""
        name = self._cached_name(image_id) or self._found(image_id, self._size)[0]
        return self._link(name)

    def delete(self, image_id: str, *, unless_put_since: float | None = None) -> None:
        """Remove an image under every extension, unless it has been put since.

        Puts of this process exclude removals. A put of another process is seen by the time that it records
        (see :meth:`_last_put`), also if it happens during the removal: the image is then put back.
        """
        with self._image_lock(image_id):
            with self._lock:
                put_at = self._put_at.get(image_id, 0.0)
            if unless_put_since is not None and put_at >= unless_put_since:
                return
            try:
                while True:
                    if unless_put_since is None:
                        name, _ = self._found(image_id, self._remove)
                    elif (older := self._remove_older(image_id, unless_put_since)) is not None:
                        name = older
                    else:
                        return
                    self._drop_name(image_id)
                    self._delete_repeated_put(name)
            except NotFound:
                self._drop_name(image_id)

    def _remove_older(self, image_id: str, time_s: float) -> ObjectName | None:
        """Remove an object that was not put since a time; None if it was, then it is there afterwards."""
        name, last_put = self._found(image_id, self._last_put)
        if last_put + _CLOCK_STEP_S > time_s:
            return None
        data = self._read(name)
        self._remove(name)
        if self._last_repeated_put(name) + _CLOCK_STEP_S <= time_s:
            return name
        # Another process found the object before the removal and may not have looked again after it.
        self._create(name, data, MEDIA_TYPES[name.partition(".")[2]])
        return None

    def ids(self, *, older_than_s: float = 0.0) -> list[str]:
        """All image ids held for at least so many seconds."""
        latest = latest_put(older_than_s)
        held = (STORED_NAME.fullmatch(name) for name, put_at in self._objects() if put_at <= latest)
        return list(dict.fromkeys(match[1] for match in held if match))

    def close(self) -> None:
        """Clear the cache of names."""
        with self._lock:
            self._names.clear()

    def _found(self, image_id: str, ask: Callable[[ObjectName], T]) -> tuple[ObjectName, T]:
        """The first name under which the object exists, and the result of the operation."""
        for name in self._candidates(image_id):
            try:
                answer = ask(name)
            except NotFound:
                continue
            self._cache_name(image_id, name)
            return name, answer
        self._drop_name(image_id)
        raise NotFound(f"image store: no image {image_id!r}")

    def _candidates(self, image_id: str) -> Iterator[ObjectName]:
        check_image_id(image_id)
        cached = self._cached_name(image_id)
        if cached:
            yield cached
        yield from (name for end in MEDIA_TYPES if (name := f"{image_id}.{end}") != cached)

    def _image_lock(self, image_id: str) -> threading.Lock:
        """The lock for putting and removing an image; it exists while it is in use."""
        with self._lock:
            return self._locks.setdefault(image_id, threading.Lock())

    def _cached_name(self, image_id: str) -> ObjectName | None:
        with self._lock:
            return self._names.get(image_id)

    def _cache_name(self, image_id: str, name: ObjectName) -> None:
        with self._lock:
            self._names[image_id] = name

    def _drop_name(self, image_id: str) -> None:
        with self._lock:
            self._names.pop(image_id, None)
