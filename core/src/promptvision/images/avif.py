"""AVIF with a lower peak of memory: the decoder's planes are freed before the image is allocated."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL.AvifImagePlugin import AvifImageFile
from PIL.ImageFile import ImageFile

__all__ = ["AvifFile"]


class AvifFile(AvifImageFile):
    """The first frame of an AVIF."""

    def load(self) -> Any:
        """Decode the frame; the image is complete afterwards."""
        if self.tile and self._decoder is not None:
            data, *_ = self._decoder.get_frame(0)
            self._decoder = None
            self.fp = BytesIO(data)
        return ImageFile.load(self)
