"""Smaller variants of stored images, for thumbnails in a web page."""

from __future__ import annotations

import asyncio
import io
from collections import OrderedDict
from typing import TYPE_CHECKING

from promptvision.agent.agent import Agent

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_WIDTH", "Variants", "variant_width"]

WIDTHS = (64, 128, 256, 512, 1024, 2048)
"""Available widths in pixels; few, to limit the number of cached variants."""
MAX_WIDTH = WIDTHS[-1]
CACHE_BYTES = 32 * 2**20
AT_ONCE = 2
QUALITY = 82


def variant_width(wanted: int) -> int:
    """The smallest available width that is at least the requested one."""
    return next(width for width in WIDTHS if width >= min(wanted, MAX_WIDTH))


class Variants:
    """Creates variants and caches the most recently used ones in memory.

    Args:
        agent: opens the images.
        cache_bytes: maximum total size of the cached variants.
    """

    def __init__(self, agent: Agent, cache_bytes: int = CACHE_BYTES) -> None:
        self._agent = agent
        self._cache_bytes = cache_bytes
        self._cache: OrderedDict[tuple[str, int], tuple[bytes, str]] = OrderedDict()
        self._used = 0
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def get(self, image_id: str, width: int) -> tuple[bytes, str]:
        """Return the bytes and the media type of an image at one of the widths, or smaller if it is.

        Raises:
            NotFound: there is no such image.
            StoreError: the store failed.
        """
        key = (image_id, width)
        if key not in self._cache:
            async with self._slots:
                if key not in self._cache:
                    self._keep(key, await asyncio.to_thread(self._make, image_id, width))
        self._cache.move_to_end(key)
        return self._cache[key]

    def _make(self, image_id: str, width: int) -> tuple[bytes, str]:
        return _encode(_scale(self._agent.open(image_id), width))

    def _keep(self, key: tuple[str, int], made: tuple[bytes, str]) -> None:
        if key in self._cache:  # created twice concurrently
            return
        self._cache[key] = made
        self._used += len(made[0])
        while self._used > self._cache_bytes and len(self._cache) > 1:
            _, (data, _) = self._cache.popitem(last=False)
            self._used -= len(data)


def _scale(image: Image, width: int) -> Image:
    from PIL import Image as pillow  # noqa: N813

    if image.width <= width:
        return image
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), pillow.Resampling.LANCZOS, reducing_gap=2.0)


def _encode(image: Image) -> tuple[bytes, str]:
    """Encode masks losslessly and other images as WebP, which is small and keeps transparency."""
    file = io.BytesIO()
    if image.mode in ("RGB", "RGBA"):
        image.save(file, "WEBP", quality=QUALITY, method=2)
        return file.getvalue(), "image/webp"
    if image.mode not in ("1", "L", "LA", "P", "I", "I;16"):
        image = image.convert("RGB")
    image.save(file, "PNG", compress_level=3)
    return file.getvalue(), "image/png"
