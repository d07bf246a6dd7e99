"""Cheap checks of a file's structure before it is decoded.

They reject structures that no encoder writes and that slow a decoder down: millions of empty segments, chunks
or tiles.

Sources: ITU-T T.81, annex B (JPEG); W3C, PNG (Third Edition), 5; Adobe, TIFF Revision 6.0, 2 and 15, and the
BigTIFF design; Microsoft, BITMAPINFOHEADER; RFC 9649 (WebP).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

__all__ = ["check_structure"]

MAX_CHUNKS = 65_536
"""libpng writes an IDAT chunk per 8 KB, which is 2,500 in 20 MB."""
MAX_GIF_BLOCKS = 200_000
MAX_RLE_BYTES = 4_000_000
"""Pillow decodes run-length BMP in Python, some 3 MB a second."""
MIN_TILE_SIDE = 16
"""TIFF tiles have sides that are multiples of 16 (TIFF 6.0, section 15)."""
MAX_TIFF_ENTRIES = 1_000
MAX_TIFF_VALUES = 200_000
"""A palette of 16 bits has 196,608 values, and an image of one row per strip 16,384."""

_TIFF_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_GIF_BLOCK = re.compile(rb"[\x21\x2c\x3b]")  # extension, image, trailer
_TIFF_BYTES = (1, 2, 7)
_WIDTH, _LENGTH, _STRIPS, _SAMPLES, _TILE_WIDTH, _TILE_LENGTH = 256, 257, 273, 277, 322, 323


def check_structure(name: str, data: bytes) -> None:
    """Check a file of a known format.

    Args:
        name: the format's name, such as ``PNG``.
        data: the file.

    Raises:
        ValueError: the structure is broken, or would only waste time; the message says which.
    """
    check = _CHECKS.get(name)
    if check is not None:
        check(data)


def _check_png(data: bytes) -> None:
    start, count = 8, 0
    while start + 8 <= len(data):
        count += 1
        if count > MAX_CHUNKS:
            raise ValueError(f"more than {MAX_CHUNKS:,} chunks")
        if data[start + 4 : start + 8] == b"IEND":
            return
        start += 12 + int.from_bytes(data[start : start + 4], "big")


def _check_gif(data: bytes) -> None:
    """Count the blocks of a GIF up to the end of its first image."""
    start = 13 + _palette_bytes(data[10:11])
    blocks = 0
    while start < len(data) and (kind := data[start]) != 0x3B:  # trailer
        if kind not in (0x21, 0x2C):  # neither extension nor image: decoders skip it byte by byte
            found = _GIF_BLOCK.search(data, start)
            end = found.start() if found else len(data)
            start, blocks = end, blocks + end - start
            if blocks > MAX_GIF_BLOCKS:
                raise ValueError(f"more than {MAX_GIF_BLOCKS:,} bytes between blocks")
            continue
        start += 2 if kind == 0x21 else 11 + _palette_bytes(data[start + 9 : start + 10])
        blocks += 1
        while start < len(data) and (length := data[start]):
            start += length + 1
            blocks += 1
            if blocks > MAX_GIF_BLOCKS:
                break
        if blocks > MAX_GIF_BLOCKS:
            raise ValueError(f"more than {MAX_GIF_BLOCKS:,} blocks")
        start += 1
        if kind == 0x2C:
            return


def _palette_bytes(flags: bytes) -> int:
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _check_bmp(data: bytes) -> None:
    """Reject run-length data that is far longer than the image can need, or takes seconds to decode."""
    if len(data) < 34 or int.from_bytes(data[14:18], "little") < 40:
        return
    width, height = struct.unpack_from("<ii", data, 18)
    compression = int.from_bytes(data[30:34], "little")
    if compression in (1, 2):
        # Each single pixel takes 2 bytes, a row 2 more; jumps may double that.
        needed = 4 * max(abs(width), 1) * max(abs(height), 1) + 4 * abs(height) + 65_536
        if len(data) > min(needed, MAX_RLE_BYTES):
            raise ValueError("run-length data over 4 MB, or far longer than the image; save it as PNG")


def _check_webp(data: bytes) -> None:
    """Compare the canvas with the frames in it."""
    if data[12:16] != b"VP8X" or len(data) < 30:
        return
    canvas = (_int24(data, 24) + 1) * (_int24(data, 27) + 1)
    is_animated = bool(data[20] & 2)
    start, chunks = 12, 0
    while start + 8 <= len(data):
        chunks += 1
        if chunks > MAX_CHUNKS:
            raise ValueError(f"more than {MAX_CHUNKS:,} chunks")
        kind, length = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "little")
        if kind == b"ANMF" and is_animated:
            frame = (_int24(data, start + 14) + 1) * (_int24(data, start + 17) + 1)
            if canvas > 1_000_000 and frame * 64 < canvas:
                raise ValueError("a first frame far smaller than the canvas")
            break
        start += 8 + length + (length & 1)


def _int24(data: bytes, start: int) -> int:
    return int.from_bytes(data[start : start + 3], "little")


def _check_tiff(data: bytes) -> None:
    values: dict[int, int] = {}
    counts: dict[int, int] = {}
    for tag, kind, count, value in _tiff_entries(data):
        counts[tag] = count
        if count > MAX_TIFF_VALUES and kind not in _TIFF_BYTES:
            raise ValueError(f"tag {tag} has {count:,} values")
        if count * _TIFF_SIZES.get(kind, 1) > len(data):
            raise ValueError(f"tag {tag} is longer than the file")
        if count == 1:
            values[tag] = value
    width, height = values.get(_WIDTH, 0), values.get(_LENGTH, 0)
    rows = height * max(values.get(_SAMPLES, 1), 1)
    if counts.get(_STRIPS, 0) > rows:
        raise ValueError(f"{counts[_STRIPS]:,} strips, more than the image has rows")
    if _TILE_WIDTH in values or _TILE_LENGTH in values:
        tile = values.get(_TILE_WIDTH, 0), values.get(_TILE_LENGTH, 0)
        if min(tile) < MIN_TILE_SIDE:
            raise ValueError(
                f"tiles of {tile[0]} x {tile[1]} pixels; at least {MIN_TILE_SIDE} a side are read"
            )
        if tile[0] * tile[1] > 4 * max(width * height, 1 << 20):
            raise ValueError(f"tiles of {tile[0]} x {tile[1]} pixels, far larger than the image")


def _tiff_entries(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Tag, type, number of values, and the first inline value, for each entry of the first directory."""
    order = "<" if data[:1] == b"I" else ">"
    is_big = data[2:4] in (b"+\x00", b"\x00+")
    if is_big:
        (start,) = struct.unpack_from(order + "Q", data, 8)
        (count,) = struct.unpack_from(order + "Q", data, start)
        start, size, layout = start + 8, 20, order + "HHQ"
    else:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        start, size, layout = start + 2, 12, order + "HHI"
    if count > MAX_TIFF_ENTRIES:
        raise ValueError(f"{count:,} tags")
    for number in range(count):
        at = start + number * size
        tag, kind, values = struct.unpack_from(layout, data, at)
        code = {3: "H", 4: "I", 16: "Q"}.get(kind, "B")
        (value,) = struct.unpack_from(order + code, data, at + struct.calcsize(layout))
        yield tag, kind, values, value


_CHECKS: dict[str, Callable[[bytes], None]] = {
    "PNG": _check_png,
    "GIF": _check_gif,
    "BMP": _check_bmp,
    "WebP": _check_webp,
    "TIFF": _check_tiff,
}
