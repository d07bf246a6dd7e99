"""Images in a bucket: ``<prefix>/images/<first two digits>/<sha256>.<extension>``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Literal

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    GenericError,
    PermissionDeniedError,
    UnauthenticatedError,
)

from promptvision.plugin import MAX_STORED_BYTES, NotFound, ObjectImageStore, ObjectName, StoreError
from promptvision_s3.bucket import open_bucket

__all__ = ["BucketImageStore"]

LINK_LIFE = timedelta(hours=1)
"""Lifetime of a presigned URL. A stored conversation keeps ids, and gets new URLs when it is read."""


_REFUSED = re.compile(r"status code: 4(?!08|29)\d\d")
"""obstore's message for a faulty request: 4xx, except timeout (408) and too many requests (429)."""


class BucketImageStore(ObjectImageStore):
    """Images on S3, GCS, Azure, MinIO or a compatible service.

    Args:
        url: such as ``s3://bucket/prefix``; see :func:`~promptvision_s3.bucket.open_bucket`.
        setting: looks up a variable, such as ``AWS_REGION``.

    Raises:
        SetupError: the URL or a setting is invalid.
    """

    def __init__(self, url: str, setting: Callable[[str], str | None]) -> None:
        super().__init__()
        self._bucket = open_bucket(url, setting)

    def _create(self, name: ObjectName, data: bytes, media_type: str) -> bool:
        try:
            self._put(name, data, media_type, "create")
        except AlreadyExistsError:
            self._touch(name)  # before looking, so that a process that removes it sees one or the other
            return self._holds(name, data)
        return True

    def _touch(self, name: ObjectName) -> None:
        """Record that an existing object was put again, as the time of an empty object next to it."""
        with self._converted():
            obstore.put(self._bucket.store, _touch_key(name), b"")

    def _last_put(self, name: ObjectName) -> float:
        with self._converted():
            put_at = obstore.head(self._bucket.store, _key(name))["last_modified"].timestamp()
        return float(max(put_at, self._last_repeated_put(name)))

    def _last_repeated_put(self, name: ObjectName) -> float:
        try:
            with self._converted():
                return float(obstore.head(self._bucket.store, _touch_key(name))["last_modified"].timestamp())
        except NotFound:
            return 0.0

    def _delete_repeated_put(self, name: ObjectName) -> None:
        with suppress(NotFound), self._converted():
            obstore.delete(self._bucket.store, _touch_key(name))

    def _overwrite(self, name: ObjectName, data: bytes, media_type: str) -> None:
        self._put(name, data, media_type, "overwrite")

    def _put(
        self, name: ObjectName, data: bytes, media_type: str, mode: Literal["create", "overwrite"]
    ) -> None:
        """Write an object; raise obstore's AlreadyExistsError if it exists but must not."""
        attributes = {"Content-Type": media_type}
        try:
            with self._converted():
                obstore.put(self._bucket.store, _key(name), data, mode=mode, attributes=attributes)
        except NotFound as exc:
            raise StoreError(f"images: {self._bucket.where}: no such bucket", hint="create it") from exc

    def _read(self, name: ObjectName) -> bytes:
        with self._converted():
            found = obstore.get(self._bucket.store, _key(name))
            if found.meta["size"] > MAX_STORED_BYTES:
                raise StoreError(f"images: {self._bucket.where}: {name} is larger than any image stored here")
            return bytes(found.bytes())

    def _size(self, name: ObjectName) -> int:
        with self._converted():
            return int(obstore.head(self._bucket.store, _key(name))["size"])

    def _holds(self, name: ObjectName, data: bytes) -> bool:
        """Compare the ETag first: on S3 it is the MD5 of an object that was put in one part."""
        try:
            with self._converted():
                tag = obstore.head(self._bucket.store, _key(name))["e_tag"] or ""
        except NotFound:  # removed in the meantime
            return False
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        return tag.strip('"') == digest or super()._holds(name, data)

    def _link(self, name: ObjectName) -> str:
        """A presigned URL; if the credentials cannot sign, the object's name, which browsers cannot open."""
        try:
            return obstore.sign(self._bucket.store, "GET", _key(name), LINK_LIFE)
        except BaseError:
            return f"{self._bucket.where}/{_key(name)}"

    def _remove(self, name: ObjectName) -> None:
        self._size(name)  # S3 does not report whether the object existed
        with self._converted():
            obstore.delete(self._bucket.store, _key(name))

    def _objects(self) -> Iterable[tuple[ObjectName, float]]:
        with self._converted():
            for page in obstore.list(self._bucket.store, prefix="images"):
                for found in page:
                    yield found["path"].rpartition("/")[2], found["last_modified"].timestamp()

    @contextmanager
    def _converted(self) -> Iterator[None]:
        """Convert obstore's errors to those of promptvision."""
        try:
            yield
        except AlreadyExistsError:
            raise
        except FileNotFoundError as exc:
            raise NotFound(f"images: {self._bucket.where}: no such object or bucket") from exc
        except (PermissionDeniedError, UnauthenticatedError) as exc:
            hint = "check the credentials and the bucket's policy: get, put, delete and list are needed"
            raise StoreError(f"images: {self._bucket.where}: {_message(exc)}", hint=hint) from exc
        except BaseError as exc:
            retryable = isinstance(exc, GenericError) and not _REFUSED.search(str(exc))
            raise StoreError(f"images: {self._bucket.where}: {_message(exc)}", retryable=retryable) from exc


def _key(name: ObjectName) -> str:
    return f"images/{name[:2]}/{name}"


def _touch_key(name: ObjectName) -> str:
    return f"touched/{name[:2]}/{name}"


def _message(exc: Exception) -> str:
    """obstore's message, without the debug output that follows it."""
    return " ".join(str(exc).partition("\n\nDebug source")[0].split())[:300]
