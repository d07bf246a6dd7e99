"""Images in memory, for tests and for processes without persistent storage."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from promptvision.errors import NotFound
from promptvision.images.store import StoredImage, check_media_type, image_id_of, latest_put

__all__ = ["MemoryImageStore"]


@dataclass(frozen=True)
class _Held:
    data: bytes
    media_type: str
    put_at: float


class MemoryImageStore:
    """An image store that loses its images when the process ends. Safe across threads."""

    blocking = False

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def put(self, data: bytes, media_type: str) -> StoredImage:
        """Keep the bytes under their hash."""
        check_media_type(media_type)
        image_id = image_id_of(data)
        with self._lock:
            old = self._held.get(image_id)
            kept = media_type if old is None else old.media_type
            self._held[image_id] = _Held(bytes(data), kept, time.time())
        return StoredImage(image_id, kept, len(data))

    def get(self, image_id: str) -> bytes:
        """The bytes."""
        return self._find(image_id).data

    def stat(self, image_id: str) -> StoredImage:
        """Size and media type."""
        held = self._find(image_id)
        return StoredImage(image_id, held.media_type, len(held.data))

    def url(self, image_id: str) -> str:
        """``memory:<id>``, which is meaningful in this process only."""
        self._find(image_id)
        return f"memory:{image_id}"

    def delete(self, image_id: str, *, unless_put_since: float | None = None) -> None:
        """Remove an image, unless it was put since."""
        with self._lock:
            held = self._held.get(image_id)
            if held is not None and (unless_put_since is None or held.put_at < unless_put_since):
                del self._held[image_id]

    def ids(self, *, older_than_s: float = 0.0) -> list[str]:
        """Return the ids of all images put at least so many seconds ago."""
        latest = latest_put(older_than_s)
        return [image_id for image_id, held in list(self._held.items()) if held.put_at <= latest]

    def close(self) -> None:
        """Remove everything."""
        self._held.clear()

    def _find(self, image_id: str) -> _Held:
        try:
            return self._held[image_id]
        except KeyError:
            raise NotFound(f"image store: no image {image_id[:80]!r}") from None
