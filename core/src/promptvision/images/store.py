"""The image store protocol."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

__all__ = ["ImageStore", "StoredImage", "image_id_of"]


def image_id_of(data: bytes) -> str:
    """The id of stored bytes: their SHA-256, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class StoredImage:
    """What a store says of a picture it holds.

    Args:
        id: SHA-256 of the bytes.
        media_type: such as ``image/png``.
        size: number of bytes.
    """

    id: str
    media_type: str
    size: int


class ImageStore(Protocol):
    """Where pictures live, known by the hash of their bytes. Immutable: there is no overwriting.

    All methods raise :class:`~promptvision.errors.StoreError` when the store fails, and
    :class:`~promptvision.errors.NotFound` for an id it does not hold or that is no SHA-256.
    """

    blocking: bool
    """Whether calls may wait for a disk or a network."""

    def put(self, data: bytes, media_type: str) -> StoredImage:
        """Store bytes durably under their hash. Doing it again is harmless and cheap."""

    def get(self, image_id: str) -> bytes:
        """The bytes."""

    def stat(self, image_id: str) -> StoredImage:
        """Size and media type without reading the bytes."""

    def url(self, image_id: str) -> str:
        """Where a reader gets it: ``https:`` if the store serves it itself, else ``file:`` or ``memory:``."""

    def delete(self, image_id: str) -> None:
        """Remove it; nothing happens when it is not there."""

    def ids(self) -> list[str]:
        """All image ids held, in no set order."""

    def close(self) -> None:
        """Give back connections. The store is not used afterwards."""
