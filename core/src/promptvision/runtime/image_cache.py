"""A cache of decoded images, shared by the calls of a process to avoid repeated decoding and copies."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from cachetools import LRUCache

from promptvision.images.codec import decode_stored, encode_png
from promptvision.images.colour import to_plain_mode
from promptvision.images.output import OutputFormat, encode_image
from promptvision.images.store import ImageStore
from promptvision.runtime.stage_key import pixel_digest
from promptvision.types import ImageRef

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ImageCache", "copy_on_write"]

_DIGESTS = 4096
"""Digests of decoded images that are cached."""


class ImageCache:
    """Reads and writes images through an image store and caches the last ones decoded.

    Args:
        store: the store of the encoded images.
        limit_bytes: maximum size of the decoded images in bytes.
    """

    def __init__(self, store: ImageStore, limit_bytes: int = 256 * 2**20) -> None:
        self.store = store
        self._kept: LRUCache[str, Image] = LRUCache(limit_bytes, getsizeof=_bytes_of)
        self._digests: LRUCache[str, str] = LRUCache(_DIGESTS)
        self._lock = threading.Lock()

    def open(self, image_id: str) -> Image:
        """The decoded image; shared, so it must not be changed in place."""
        with self._lock:
            if (kept := self._kept.get(image_id)) is not None:
                return kept
        image = decode_stored(self.store.get(image_id))
        self.keep(image_id, image)
        return image

    def pixel_digest(self, image_id: str) -> str:
        """BLAKE2b-256 of the decoded image, which is equal for files with the same pixels."""
        with self._lock:
            known = self._digests.get(image_id)
        if known is None:
            known = pixel_digest(self.open(image_id))
            with self._lock:
                self._digests[image_id] = known
        return known

    def save(self, image: Image) -> ImageRef:
        """Encode as PNG, store, and cache a copy; the caller may keep changing its image."""
        stored = self.store.put(encode_png(image), "image/png")
        self.keep(stored.id, to_plain_mode(image.copy()))
        return ImageRef(stored.id)

    def save_as(self, image: Image, kind: OutputFormat, quality: int | None) -> ImageRef:
        """Encode in a format, store, and keep decoded what is stored."""
        data = encode_image(image, kind, quality)
        stored = self.store.put(data, kind.media_type)
        self.keep(stored.id, decode_stored(data))
        return ImageRef(stored.id)

    def keep(self, image_id: str, image: Image) -> None:
        """Cache the decoded image of an id; it must not be changed afterwards."""
        with self._lock:
            if image_id not in self._kept and _bytes_of(image) <= self._kept.maxsize:
                self._kept[image_id] = image

    def drop(self, image_id: str) -> None:
        """Drop the decoded image of an id; callers that hold it can continue to use it."""
        with self._lock:
            self._kept.pop(image_id, None)


def copy_on_write(image: Image) -> Image:
    """An image that shares the pixels of another one until it is changed in place.

    Pillow copies the pixels of a read-only image before it draws or pastes on it. Writing through
    ``image.load()`` raises an error instead.
    """
    view = image._new(image.im)  # noqa: SLF001  # the only way to share pixels; copy() duplicates them
    view.readonly = 1
    return view


def _bytes_of(image: Image) -> int:
    """The memory of an image in Pillow: 1 byte per pixel for L, 4 for every other mode."""
    return image.width * image.height * (1 if image.mode == "L" else 4)
