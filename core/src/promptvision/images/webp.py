"""WebP with a lower peak of memory: the decoder's canvases are freed before the image is allocated."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL.ImageFile import ImageFile, _Tile
from PIL.WebPImagePlugin import WebPImageFile

__all__ = ["WebPFile"]


class WebPFile(WebPImageFile):
    """The first frame of a WebP."""

    def load(self) -> Any:
        """Decode the frame; the image is complete afterwards."""
        if self._decoder is not None:
            data, _, _ = self._get_next()
            self._decoder = None
            self.fp = BytesIO(data)
            self.tile = [_Tile("raw", (0, 0, *self.size), 0, self.rawmode)]
        return ImageFile.load(self)
