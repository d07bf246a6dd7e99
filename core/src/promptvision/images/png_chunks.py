"""PNG chunks that change how pixels look: tRNS beyond 8 bits, gAMA, cHRM and cICP.

Source: W3C, Portable Network Graphics (Third Edition), 11.3.1.1 (tRNS), 11.3.2 and 4.3 (precedence).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import TYPE_CHECKING, cast

from promptvision.images.formats import FileFormat, open_as
from promptvision.images.icc import BT709, PRIMARIES, TRANSFERS, Chromaticities, make_profile

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

__all__ = ["colour_profile", "with_transparent_colour"]

_SRGB_GAMMA = 0.45455
_TOLERANCE = 0.01
_GREY, _RGB = 0, 2
_STRIP_ROWS = 128


def with_transparent_colour(opened: ImageFile, data: bytes, kind: FileFormat) -> Image | None:
    """The loaded image with alpha from a tRNS colour that Pillow would compare at 8 bits; None otherwise.

    Args:
        opened: a loaded PNG.
        data: the file.
        kind: PNG, to read the file again.
    """
    depth, colour_type = data[24], data[25]
    colour = opened.info.get("transparency")
    if colour is None or (depth == 8) or colour_type not in (_GREY, _RGB):
        return None
    if colour_type == _RGB:
        return _rgb_16(opened, _low_bytes(data, kind), cast("tuple[int, ...]", colour))
    if depth == 16:
        return _grey_16(opened, colour)
    grey = opened.convert("L")
    level = 255 * bool(colour) if depth == 1 else colour * 255 // (2**depth - 1)
    return _with_alpha(grey, _inverted(_equals(grey, level)))


def colour_profile(opened: ImageFile, data: bytes) -> bytes | None:
    """The ICC profile of a PNG: from cICP, else the embedded one, else from gAMA and cHRM."""
    is_grey = opened.mode in ("1", "L", "LA", "I;16", "I")
    if (cicp := _chunk(data, b"cICP")) is not None and len(cicp) == 4 and cicp[2] == 0:
        primaries, transfer = PRIMARIES.get(cicp[0]), TRANSFERS.get(cicp[1])
        if cicp[:2] == b"\x01\x0d":
            return None
        if primaries is not None and transfer is not None:
            return make_profile(transfer, None if is_grey else primaries)
    own = opened.info.get("icc_profile")
    if own is not None or "srgb" in opened.info:
        return own if isinstance(own, bytes) else None
    return _from_gamma(opened.info.get("gamma"), opened.info.get("chromaticity"), is_grey=is_grey)


def _from_gamma(gamma: object, chromaticity: object, *, is_grey: bool) -> bytes | None:
    primaries = _as_chromaticities(chromaticity)
    is_plain = primaries is None or is_grey or _is_near(primaries, BT709)
    if not isinstance(gamma, float) or not 0.05 <= gamma <= 20:
        return None
    if abs(gamma - _SRGB_GAMMA) <= _TOLERANCE and is_plain:
        return None
    try:
        return make_profile(lambda value: value ** (1 / gamma), None if is_grey else primaries or BT709)
    except ValueError:
        return None


def _as_chromaticities(value: object) -> Chromaticities | None:
    if isinstance(value, tuple) and len(value) == 8:
        return cast("Chromaticities", value)
    return None


def _is_near(first: Chromaticities, second: Chromaticities) -> bool:
    return all(abs(a - b) <= _TOLERANCE for a, b in zip(first, second, strict=True))


def _chunk(data: bytes, name: bytes) -> bytes | None:
    start = 8
    while start + 8 <= len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        kind = data[start + 4 : start + 8]
        if kind == name:
            return data[start + 8 : start + 8 + length]
        if kind == b"IDAT":
            return None
        start += 12 + length
    return None


def _low_bytes(data: bytes, kind: FileFormat) -> Image:
    """The low bytes of 16-bit RGB samples: what Pillow takes for the high ones of little-endian data."""
    again = open_as(kind, data)
    tile = again.tile[0]
    again.tile = [tile._replace(args="RGB;16L")]
    again.load()
    return again


def _rgb_16(high: Image, low: Image, colour: tuple[int, ...]) -> Image:
    alpha = _new("L", high.size)
    for box in _strips(high):
        bands = zip(high.crop(box).split(), low.crop(box).split(), colour, strict=True)
        matches = [
            part for h, lo, value in bands for part in (_equals(h, value >> 8), _equals(lo, value & 255))
        ]
        alpha.paste(_inverted(reduce(_darker, matches)), box)
    return _with_alpha(high, alpha)


def _grey_16(opened: Image, colour: int) -> Image:
    from PIL.Image import merge

    made = _new("LA", opened.size)
    for box in _strips(opened):
        pair = _bytes_of_16(opened.crop(box))
        high, low = pair.getchannel("A"), pair.getchannel("L")
        transparent = _darker(_equals(high, colour >> 8), _equals(low, colour & 255))
        made.paste(merge("LA", (high, _inverted(transparent))), box)
    return made


def _strips(image: Image) -> Iterator[tuple[int, int, int, int]]:
    """Boxes of a few rows each, so that the steps of a comparison do not take the memory of whole images."""
    for top in range(0, image.height, _STRIP_ROWS):
        yield 0, top, image.width, min(top + _STRIP_ROWS, image.height)


def _bytes_of_16(image: Image) -> Image:
    """Low byte (L) and high byte (A) of 16-bit grey."""
    from PIL.Image import frombytes

    raw = image.tobytes("raw", "I;16") if image.mode == "I;16" else image.convert("I;16").tobytes()
    return frombytes("LA", image.size, raw)


def _new(mode: str, size: tuple[int, int]) -> Image:
    from PIL.Image import new

    return new(mode, size)


def _equals(channel: Image, value: int) -> Image:
    return channel.point(lambda sample: 255 if sample == value else 0)


def _darker(first: Image, second: Image) -> Image:
    from PIL.ImageChops import darker

    return darker(first, second)


def _inverted(image: Image) -> Image:
    from PIL.ImageChops import invert

    return invert(image)


def _with_alpha(image: Image, alpha: Image) -> Image:
    image.putalpha(alpha)
    image.info.pop("transparency", None)  # it is in the alpha now
    return image
