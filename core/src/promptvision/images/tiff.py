"""TIFF layouts that Pillow reads wrongly or not at all.

Source: Adobe, TIFF Revision 6.0 (PhotometricInterpretation, BitsPerSample, ExtraSamples) and the TIFF
Technical Note on SampleFormat.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL.Image import frombytes, merge
from PIL.ImageChops import invert
from PIL.TiffImagePlugin import OPEN_INFO, TiffImageFile

from promptvision.images.colour import to_plain_mode

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["TiffFile"]

_BITS, _PHOTOMETRIC, _EXTRA, _FORMAT = 258, 262, 338, 339
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1
_UNSIGNED, _SIGNED = (1,), (2,)
_IGNORED, _PREMULTIPLIED = 0, 1
_INVERTED_BY_PILLOW = ((1,), (2,), (4,), (8,))
_GREY_ALPHA_16 = (16, 16)


def _add_layouts() -> None:
    """Add layouts to Pillow's table that it can decode but does not list."""
    for order, suffix in ((b"II", ""), (b"MM", "B")):
        grey = (order, _BLACK_IS_ZERO)
        OPEN_INFO.setdefault((*grey, (1,), 1, (12,), ()), ("I;16", "I;12"))
        OPEN_INFO[(*grey, (1,), 1, (32,), ())] = ("F", f"F;32{suffix}")  # read as signed otherwise
        OPEN_INFO.setdefault((*grey, (3,), 1, (64,), ()), ("F", f"F;64{suffix}F"))
        OPEN_INFO.setdefault((*grey, (1,), 1, (8, 8), ()), ("LA", "LA"))
        for extra in ((), (0,), (1,), (2,)):  # four bytes a pixel; TiffFile.plain takes the high ones
            OPEN_INFO.setdefault((*grey, (1,), 1, _GREY_ALPHA_16, extra), ("RGBA", "RGBA"))


_add_layouts()


class TiffFile(TiffImageFile):
    """A TIFF whose :meth:`plain` interprets the pixels correctly."""

    _is_inverted = False

    def _setup(self) -> None:
        _silence_libtiff()
        tags = self.tag_v2
        photometric = tags.get(_PHOTOMETRIC, _WHITE_IS_ZERO)
        if photometric == _WHITE_IS_ZERO and tags.get(_BITS, (1,)) not in _INVERTED_BY_PILLOW:
            tags[_PHOTOMETRIC] = _BLACK_IS_ZERO
            self._is_inverted = True
        try:
            super()._setup()
        except SyntaxError as exc:
            bits = tags.get(_BITS, (1,))
            reason = f"{exc}: {len(bits)} x {bits[0]} bits a pixel, photometric {photometric}; save it as PNG"
            raise SyntaxError(reason) from exc
        self.tile = [tile._replace(args=self._layout(tile.args)) for tile in self.tile]

    def _layout(self, args: Any) -> Any:
        """Arguments of the decoder of a strip; how its samples lie in memory comes first."""
        mode, *rest = args
        bits = self.tag_v2.get(_BITS, (1,))
        if self.use_load_libtiff and bits[0] > 8 and sys.byteorder == "little":
            # libtiff has swapped the bytes, which Pillow takes into account for some modes only
            bands, _, order = mode.partition(";")
            return (f"{bands};{order.replace('B', '')}" if "B" in order else mode, *rest)
        if bits[0] == 16 and len(mode) == 1 and len(bits) > 1:  # a plane of its own for each band
            return (f"{mode};16{'B' if self.tag_v2.prefix == b'MM' else 'L'}", *rest)
        return args

    def plain(self) -> Image:
        """The loaded image in mode L, LA, RGB or RGBA, black as 0; colour profiles are not applied."""
        self.load()
        bits = self.tag_v2.get(_BITS, (1,))
        if bits == _GREY_ALPHA_16:
            image = self._grey_alpha()
        elif bits == (12,):
            image = self.convert("I").point(lambda value: value * (1 / 16) + 0).convert("L")
        elif bits == (32,) and self.mode == "F" and self.tag_v2.get(_FORMAT, _UNSIGNED) == _UNSIGNED:
            most: Any = self.getextrema()[1]
            image = to_plain_mode(self.convert("I") if most < 2**31 else self)
        elif bits == (8,) and self.tag_v2.get(_FORMAT) == _SIGNED:
            image = self.point(lambda value: value ^ 0x80)  # -128..127 in the order of their values
        else:
            image = to_plain_mode(self)
        return _invert(image) if self._is_inverted else image

    def _grey_alpha(self) -> Image:
        """16-bit grey and alpha, read as four bytes a pixel: the high bytes of both."""
        bands = self.split()
        is_little = (sys.byteorder == "little") if self.use_load_libtiff else self.tag_v2.prefix == b"II"
        grey, alpha = (bands[1], bands[3]) if is_little else (bands[0], bands[2])
        extra = self.tag_v2.get(_EXTRA, (2,))
        if extra == (_IGNORED,):
            return grey
        both = merge("LA", (grey, alpha))
        return (
            frombytes("La", both.size, both.tobytes()).convert("LA") if extra == (_PREMULTIPLIED,) else both
        )


@cache
def _silence_libtiff() -> None:
    """Keep libtiff from writing to stderr; Pillow has no option for it, and damaged files raise anyway.

    The handlers are set in the library that Pillow has loaded, which only Linux lists.
    """
    try:
        mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
    except OSError:
        return
    for name in mapped:
        if "/libtiff" in name:
            library = ctypes.CDLL(name)
            library.TIFFSetErrorHandler(None)
            library.TIFFSetWarningHandler(None)


def _invert(image: Image) -> Image:
    if image.mode == "LA":
        grey, alpha = image.split()
        return merge("LA", (invert(grey), alpha))
    return invert(image)
