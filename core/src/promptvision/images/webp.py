"""WebP with a low peak of memory: one frame is decoded into one buffer, without the canvases of an animation.

Source of the container: RFC 9649, sections 2.4 to 2.7.
"""

from __future__ import annotations

import ctypes
from functools import cache
from io import BytesIO
from typing import Any

from PIL import _webp
from PIL.Image import Image, frombuffer, new
from PIL.ImageFile import ImageFile, _Tile
from PIL.WebPImagePlugin import WebPImageFile

__all__ = ["WebPFile"]

_ANIMATED, _ALPHA = 0x02, 0x10  # flags of VP8X
_FRAME_HEAD = 16


class WebPFile(WebPImageFile):
    """The first frame of a WebP."""

    def load(self) -> Any:
        """Decode the frame; the image is complete afterwards."""
        if self._decoder is None or self.fp is None:
            return ImageFile.load(self)
        if _functions() is None:
            data, _, _ = self._get_next()
            self._decoder = None
            self.fp = BytesIO(data)
            self.tile = [_Tile("raw", (0, 0, *self.size), 0, self.rawmode)]
        else:
            self._decoder = None  # its canvases take twice the memory of the image
            self.fp.seek(0)
            self.im = _first_frame(self.fp.read(), self.mode, self.size).im
        return ImageFile.load(self)


def _first_frame(data: bytes, mode: str, size: tuple[int, int]) -> Image:
    """Decode the only frame, or the first one of an animation on an empty canvas."""
    if data[12:16] != b"VP8X" or not data[20] & _ANIMATED:
        return _decode(data, mode, size)
    start = 12
    while data[start : start + 4] not in (b"ANMF", b""):
        start += 8 + _padded(data, start)
    frame = data[start + 8 : start + 8 + _padded(data, start)]
    offset = 2 * _int24(frame, 0), 2 * _int24(frame, 3)
    frame_size = _int24(frame, 6) + 1, _int24(frame, 9) + 1
    image = _decode(_as_file(frame), mode, frame_size)
    if frame_size == size:
        return image
    canvas = new(mode, size)
    canvas.paste(image, offset)
    return canvas


def _as_file(frame: bytes) -> bytes:
    """A frame of an animation as a file of its own."""
    flags = _ALPHA if frame[_FRAME_HEAD : _FRAME_HEAD + 4] in (b"ALPH", b"VP8L") else 0
    head = b"VP8X" + (10).to_bytes(4, "little") + bytes((flags, 0, 0, 0)) + frame[6:12]
    body = b"WEBP" + head + frame[_FRAME_HEAD:]
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _decode(data: bytes, mode: str, size: tuple[int, int]) -> Image:
    """Decode a file without animation.

    Raises:
        OSError: it is damaged, or larger than the size.
    """
    functions = _functions()
    assert functions is not None  # checked by the caller
    stride = size[0] * len(mode)
    pixels = bytearray(stride * size[1])
    buffer = (ctypes.c_char * len(pixels)).from_buffer(pixels)
    if not functions[mode](data, len(data), buffer, len(pixels), stride):
        raise OSError("failed to decode the WebP file")
    return frombuffer(mode, size, pixels, "raw", mode, 0, 1)  # RGBA is not copied


@cache
def _functions() -> dict[str, Any] | None:
    """The functions of libwebp that decode into a buffer, by mode; None where Pillow does not export them."""
    try:
        library = ctypes.CDLL(_webp.__file__)
        functions = {"RGB": library.WebPDecodeRGBInto, "RGBA": library.WebPDecodeRGBAInto}
    except (OSError, AttributeError):
        return None
    for function in functions.values():
        function.argtypes = (
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_void_p,
            ctypes.c_size_t,
            ctypes.c_int,
        )
        function.restype = ctypes.c_void_p
    return functions


def _padded(data: bytes, start: int) -> int:
    """Length of the chunk that begins here, padding included, without its head."""
    length = int.from_bytes(data[start + 4 : start + 8], "little")
    return length + (length & 1)


def _int24(data: bytes, start: int) -> int:
    return int.from_bytes(data[start : start + 3], "little")
