"""The image store protocol."""

from __future__ import annotations

import hashlib
import math
import re
import time
from dataclasses import dataclass
from typing import Protocol

from promptvision.errors import NotFound, StoreError
from promptvision.types import is_image_id

__all__ = [
    "EXTENSIONS",
    "MAX_STORED_BYTES",
    "MEDIA_TYPES",
    "STORED_NAME",
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
    "image/avif": "avif",
}
"""Media types that are stored, with their file extension; the most common first."""

MEDIA_TYPES = {extension: media_type for media_type, extension in EXTENSIONS.items()}
STORED_NAME = re.compile(rf"([0-9a-f]{{64}})\.({'|'.join(MEDIA_TYPES)})")
"""The name of a stored file: id and extension."""

MAX_STORED_BYTES = 128 * 2**20
"""Maximum size of a stored image: 25 megapixels of incompressible RGBA, with some margin."""


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
        raise StoreError(f"image store: files of type {media_type[:80]!r} are not stored")


def latest_put(older_than_s: float) -> float:
    """The latest put time of an image of this age, in seconds since the epoch."""
    return time.time() - older_than_s if older_than_s > 0 else math.inf


def image_id_of(data: bytes) -> str:
    """The id of stored bytes: their SHA-256, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class StoredImage:
    """Metadata of a stored image.

    Args:
        id: SHA-256 of the bytes.
        media_type: such as ``image/png``.
        size: number of bytes.
    """

    id: str
    media_type: str
    size: int


class ImageStore(Protocol):
    """Stores images under the hash of their bytes. Immutable: images are never overwritten.

    All methods raise :class:`~promptvision.errors.StoreError` when the store fails, and
    :class:`~promptvision.errors.NotFound` for an id that is not stored or not a SHA-256.
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
        """The URL for readers: ``https:`` if the store serves it itself, else ``file:`` or ``memory:``."""

    def delete(self, image_id: str, *, unless_put_since: float | None = None) -> None:
        """Remove an image; do nothing if there is none.

        Args:
            image_id: the image.
            unless_put_since: keep the image if it was put at this time or later, in seconds since the epoch.
                The check and the removal are one step with respect to ``put``. An image is put before
                anything refers to it, so this protects images that another user is about to refer to.
        """

    def ids(self, *, older_than_s: float = 0.0) -> list[str]:
        """Return the ids of all images put at least ``older_than_s`` seconds ago, in no particular order."""

    def close(self) -> None:
        """Release connections. The store is not used afterwards."""
