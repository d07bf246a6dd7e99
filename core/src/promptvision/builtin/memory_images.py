"""Images in memory: for tests, and for processes that keep nothing."""

from __future__ import annotations

import time

from promptvision.errors import NotFound
from promptvision.images.store import StoredImage, check_media_type, image_id_of, latest_put

__all__ = ["MemoryImageStore"]


class MemoryImageStore:
    """An image store that forgets everything with its process. Safe across threads."""

    blocking = False

    def __init__(self) -> None:
        self._held: dict[str, tuple[bytes, str, float]] = {}

    def put(self, data: bytes, media_type: str) -> StoredImage:
        """Keep the bytes under their hash."""
        check_media_type(media_type)
        image_id = image_id_of(data)
        self._held.setdefault(image_id, (bytes(data), media_type, time.time()))
        return self.stat(image_id)

    def get(self, image_id: str) -> bytes:
        """The bytes."""
        return self._find(image_id)[0]

    def stat(self, image_id: str) -> StoredImage:
        """Size and media type."""
        data, media_type, _ = self._find(image_id)
        return StoredImage(image_id, media_type, len(data))

    def url(self, image_id: str) -> str:
        """``memory:<id>``, which only this process can make use of."""
        self._find(image_id)
        return f"memory:{image_id}"

    def delete(self, image_id: str) -> None:
        """Forget it; nothing happens when it is not there."""
        self._held.pop(image_id, None)

    def ids(self, *, older_than_s: float = 0.0) -> list[str]:
        """All image ids held for at least so many seconds."""
        latest = latest_put(older_than_s)
        return [image_id for image_id, (_, _, put_at) in list(self._held.items()) if put_at <= latest]

    def close(self) -> None:
        """Forget everything."""
        self._held.clear()

    def _find(self, image_id: str) -> tuple[bytes, str, float]:
        try:
            return self._held[image_id]
        except KeyError:
            raise NotFound(f"image store: no picture {image_id[:80]!r}") from None
