"""Stripping a JPEG down to what decoding needs, without touching its pixels.

Source of the marker codes: ITU-T T.81, table B.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["MAX_SCANS", "strip_jpeg"]

MAX_SCANS = 100
"""More scans than any encoder writes (libjpeg's default progressive script has 10)."""

_SOI, _EOI, _SOS, _DRI, _APP0, _APP14 = 0xD8, 0xD9, 0xDA, 0xDD, 0xE0, 0xEE
_TABLES = {0xDB, 0xC4, _DRI}  # quantisation, Huffman, restart interval
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive; all Huffman-coded
_DROPPED = {*range(0xE0, 0xF0), 0xFE}  # application data and comments
_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_ADOBE_LENGTH = 14
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7]")


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker code and bytes (marker, length, payload, and the coded data of a scan) up to EOI."""
    if data[:2] != b"\xff\xd8":
        raise ValueError("no SOI")
    start = 2
    while True:
        if len(data) < start + 4 or data[start] != 0xFF:
            if data[start : start + 2] == b"\xff\xd9":
                return
            raise ValueError("no marker where one must be")
        code = data[start + 1]
        if code == _EOI:
            return
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        if code == _SOS:
            after = _AFTER_SCAN.search(data, end)
            if after is None:
                raise ValueError("a scan without an end")
            end = after.start()
        if end > len(data) or end < start + 4:
            raise ValueError("a segment runs over the end")
        yield code, data[start:end]
        start = end


def strip_jpeg(data: bytes) -> bytes | None:
    """The same JPEG without metadata, thumbnails, comments, and whatever follows its end.

    Tables, frame header and scans stay byte for byte, so that it decodes to the same samples; an Adobe
    segment stays because it says how colours are coded.

    Returns:
        The stripped file; None when it has not the plain structure of a baseline or progressive JPEG, or
        more scans (100) than any encoder writes.
    """
    parts = [b"\xff\xd8"]
    scans = 0
    try:
        for code, segment in _segments(data):
            if code in _TABLES or code in _FRAMES:
                parts.append(segment)
            elif code == _SOS:
                scans += 1
                parts.append(segment)
            elif code == _APP0 and segment[4:9] == b"JFIF\x00":
                parts.append(_JFIF)
            elif code == _APP14 and segment[4:9] == b"Adobe" and len(segment) >= 2 + _ADOBE_LENGTH:
                parts.append(b"\xff\xee\x00\x0e" + segment[4 : 2 + _ADOBE_LENGTH])
            elif code not in _DROPPED:
                return None
    except ValueError:
        return None
    return b"".join([*parts, b"\xff\xd9"]) if 0 < scans <= MAX_SCANS else None
