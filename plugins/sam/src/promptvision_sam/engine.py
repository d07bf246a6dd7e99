"""The protocol of segmentation engines, and their cache of image embeddings."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from promptvision.plugin import Box, Point

__all__ = ["EMBEDDING_VALUES", "Arrays", "Cached", "EmbeddingCache", "Engine", "not_cached"]

Arrays = Mapping[str, "NDArray[Any]"]
"""Name to array."""

Cached = Callable[[Callable[[], Arrays]], Arrays]
"""Returns the arrays that a function computes, from a cache if it holds them."""

EMBEDDING_VALUES = 256 * 64 * 64 + 64 * 128 * 128 + 32 * 256 * 256
"""Size of one embedding in any SAM 2.1 model: 17 MB in float32."""

T = TypeVar("T")


def not_cached(compute: Callable[[], Arrays]) -> Arrays:
    """Compute arrays, without a cache."""
    return compute()


class Engine(Protocol):
    """A loaded SAM 2.1 model. Safe across threads."""

    name: str

    @property
    def device(self) -> str:
        """Type of the device that it runs on."""

    def masks(
        self,
        image: Image,
        key: str,
        *,
        boxes: Sequence[Box] = (),
        points: Sequence[Point] = (),
        cached: Cached = not_cached,
    ) -> list[NDArray[np.bool_]]:
        """One mask per prompt, in the order of the prompts; give either boxes or points.

        Args:
            image: any mode; transparency is ignored.
            key: the image's id, under which its embedding is cached.
            boxes: in pixels of the image, origin top left.
            points: in pixels of the image, each a separate prompt.
            cached: keeps the embedding of the image beyond the life of the loaded model.

        Returns:
            H x W bool arrays of exactly the image's size; masks with a low score are kept.
        """


class EmbeddingCache(Generic[T]):
    """The embeddings of the last images, so that a further prompt on one of them skips the encoder.

    It is part of the loaded model and freed with it.

    Args:
        limit: maximum number of embeddings.
        dtype: of the embeddings.
    """

    def __init__(self, limit: int = 4, dtype: str = "float32") -> None:
        self.nbytes = limit * EMBEDDING_VALUES * (4 if dtype == "float32" else 2)
        """Maximum size in bytes, which the model pool reserves with the model."""
        self._limit = limit
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, encode: Callable[[], T]) -> T:
        """The embedding of a key, computed by ``encode`` if it is not cached."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = encode()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return made
