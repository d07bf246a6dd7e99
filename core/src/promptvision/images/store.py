"""The image store protocol."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from typing import Protocol

from promptvision.errors import NotFound, StoreError
from promptvision.types import is_image_id

__all__ = [
    "EXTENSIONS",
    "MAX_STORED_BYTES",
    "ImageStore",
    "StoredImage",
    "check_image_id",
    "check_media_type",
    "check_stored_bytes",
    "image_id_of",
    "is_image_id",
    "latest_put",
]

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
}
"""Media types that are stored, with the extension of their names in a store; the most usual first."""

MAX_STORED_BYTES = 128 * 2**20
"""No stored image is longer: 25 megapixels of RGBA that do not compress, and some room."""


def check_image_id(text: str) -> None:
    """Raise NotFound unless the text is an image id."""
    if not is_image_id(text):
        raise NotFound(f"image store: no image {text[:80]!r}")


def check_stored_bytes(data: bytes, image_id: str) -> bytes:
    """Return the bytes if they are those of the id; raise StoreError if not."""
    if image_id_of(data) != image_id:
        raise StoreError(f"image store: the bytes of image {image_id} were changed in the store")
    return data


def check_media_type(media_type: str) -> None:
    """Raise StoreError for a type that is not stored."""
    if media_type not in EXTENSIONS:
        raise StoreError(f"image store: files of type {media_type[:80]!r} are not kept")


def latest_put(older_than_s: float) -> float:
    """The time, in seconds since the epoch, until which an image was put if it is as old as that."""
    return time.time() - older_than_s if older_than_s > 0 else math.inf


def image_id_of(data: bytes) -> str:
    """The id of stored bytes: their SHA-256, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class StoredImage:
    """What a store says of an image it holds.

    Args:
        id: SHA-256 of the bytes.
        media_type: such as ``image/png``.
        size: number of bytes.
    """

    id: str
    media_type: str
    size: int


class ImageStore(Protocol):
    """Where images live, known by the hash of their bytes. Immutable: there is no overwriting.

    All methods raise :class:`~promptvision.errors.StoreError` when the store fails, and
    :class:`~promptvision.errors.NotFound` for an id it does not hold or that is not a SHA-256.
    """

    blocking: bool
    """Whether calls may wait for a disk or a network."""

    def put(self, data: bytes, media_type: str) -> StoredImage:
        """Store bytes durably under their hash. Putting them again renews the time of the put."""

    def get(self, image_id: str) -> bytes:
        """The bytes."""

    def stat(self, image_id: str) -> StoredImage:
        """Size and media type without reading the bytes."""

    def url(self, image_id: str) -> str:
        """Where a reader gets it: ``https:`` if the store serves it itself, else ``file:`` or ``memory:``."""

    def delete(self, image_id: str, *, unless_put_since: float | None = None) -> None:
        """Remove an image; do nothing if there is none.

        Args:
            image_id: the image.
            unless_put_since: keep the image if it was put at this time or later, in seconds since the epoch.
                The check and the removal are one step with respect to ``put``. An image is put before
                anything refers to it, so this protects what another user is about to refer to.
        """

    def ids(self, *, older_than_s: float = 0.0) -> list[str]:
        """Return the ids of all images put at least so many seconds ago, in no particular order."""

    def close(self) -> None:
        """Give back connections. The store is not used afterwards."""
