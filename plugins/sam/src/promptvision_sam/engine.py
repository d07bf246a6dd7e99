"""What a segmentation engine does, and the cache of image embeddings that both engines use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from promptvision.plugin import Box, Point

__all__ = ["EmbeddingCache", "Engine"]

T = TypeVar("T")


class Engine(Protocol):
    """A loaded SAM 2.1 model. Safe to use from several threads."""

    name: str

    def masks(
        self, picture: Image, key: str, *, boxes: Sequence[Box] = (), points: Sequence[Point] = ()
    ) -> list[NDArray[np.bool_]]:
        """One mask per prompt, in the order of the prompts; give either boxes or points.

        Args:
            image: any mode; transparency is ignored.
            key: the image's id; its embedding is kept under it.
            boxes: in pixels of the image, origin top left.
            points: in pixels of the image, each its own prompt.

        Returns:
            H x W bool arrays of exactly the image's size; none is dropped for a low score.
        """


class EmbeddingCache(Generic[T]):
    """The embeddings of the last images, so that a further prompt on one of them skips the encoder.

    It lives in the loaded model and leaves memory with it. One embedding of SAM 2.1 takes about 17 MB in
    float32: 256 x 64 x 64, 64 x 128 x 128 and 32 x 256 x 256 values.

    Args:
        limit: how many embeddings to keep.
    """

    def __init__(self, limit: int = 4) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, encode: Callable[[], T]) -> T:
        """The embedding under a key, made by ``encode`` when it is not kept."""
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
