"""The segments of a JPEG: check their number, drop metadata, and repair a truncated file.

Source of the marker codes: ITU-T T.81, table B.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["MAX_SCANS", "JpegStructure", "read_jpeg"]

MAX_SCANS = 100
"""More scans than any encoder writes (libjpeg's default progressive script has 10)."""
MAX_SEGMENTS = 4_096
"""A 20 MB file of full segments has 305."""
MAX_PARSED_SEGMENTS = 64
"""Segments of EXIF or Photoshop resources, which Pillow parses in Python; a camera writes one of each."""
MAX_FILL_BYTES = 65_536
"""Fill bytes (0xFF before a marker) are allowed but rarely written."""

_EOI, _SOS, _DRI, _APP0, _APP14 = 0xD9, 0xDA, 0xDD, 0xE0, 0xEE
_TABLES = {0xDB, 0xC4, _DRI}  # quantisation, Huffman, restart interval
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive; all Huffman-coded
_ALL_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_DROPPED = {*range(0xE0, 0xF0), 0xFE}  # application data and comments
_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_ADOBE_LENGTH = 14
_RESTARTS = {0, *range(0xD0, 0xD8)}  # what may follow 0xFF inside of coded data
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_FILL = re.compile(rb"\xff++")  # possessive, so that a long run is read once
_MARKER = re.compile(rb"(?<!\xff)\xff++[^\x00]", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class JpegStructure:
    """The structure of a JPEG, read from its segments.

    Args:
        stripped: the JPEG without metadata, thumbnails and comments; None when it has more than the plain
            structure of a baseline or progressive JPEG. Tables, frame header and scans are copied unchanged,
            so it decodes to the same samples; an Adobe segment is kept because it defines the colour coding.
        repaired: the file with an end marker in place of a truncated last segment; None if it is complete.
        scans: number of scans.
        is_progressive: whether coefficients come in several scans.
        coefficients: number of DCT coefficients, which a progressive decoder keeps, 2 bytes each.
    """

    stripped: bytes | None
    repaired: bytes | None
    scans: int
    is_progressive: bool
    coefficients: int


def read_jpeg(data: bytes) -> JpegStructure:
    """Walk the segments of a JPEG.

    Raises:
        ValueError: there are more segments, scans or fill bytes than any encoder writes, or no scan.
    """
    return _Walk(data).run()


class _Walk:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._parts: list[bytes | memoryview] = [b"\xff\xd8"]
        self._is_plain = True
        self._is_whole = False
        self._end = 2
        self._scans = 0
        self._fill = 0
        self._parsed = 0
        self._frame = b""

    def run(self) -> JpegStructure:
        segments = 0
        while self._step():
            segments += 1
            if segments > MAX_SEGMENTS:
                raise ValueError(f"more than {MAX_SEGMENTS:,} segments")
            if self._scans > MAX_SCANS:
                raise ValueError(f"more than {MAX_SCANS} scans")
        if not self._scans:
            raise ValueError("no scan")
        stripped = b"".join([*self._parts, b"\xff\xd9"]) if self._is_plain else None
        repaired = None if self._is_whole else self._data[: self._end] + b"\xff\xd9"
        return JpegStructure(
            stripped=stripped,
            repaired=repaired,
            scans=self._scans,
            is_progressive=self._frame[1:2] in (b"\xc2", b"\xc6", b"\xca", b"\xce"),
            coefficients=self._coefficients(),
        )

    def _step(self) -> bool:
        """Read one segment; return False at the end of the image or of the readable data."""
        data = self._data
        start = self._marker()
        if start is None:
            return False
        code = data[start + 1]
        if code == _EOI:
            self._is_whole = True
            return False
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        if end < start + 4 or end > len(data):
            return False
        if data[start + 4 : start + 8] in (b"Exif", b"Phot"):
            self._parsed += 1
            if self._parsed > MAX_PARSED_SEGMENTS:
                raise ValueError(f"more than {MAX_PARSED_SEGMENTS} segments of EXIF or Photoshop data")
        if code == _SOS:
            self._scans += 1
            end = self._end_of_scan(end)
        self._keep(code, memoryview(data)[start:end])
        self._end = end
        return True

    def _marker(self) -> int | None:
        """Position of the next marker, after fill bytes and data between segments."""
        data, end = self._data, self._end
        run = _FILL.match(data, end)
        after = run.end() if run else 0
        if not run or after >= len(data) or data[after] == 0:
            found = _MARKER.search(data, end + 1)
            if found is None:
                return None
            after = found.end() - 1
        self._count_fill(after - 1 - end)
        self._is_plain &= after - 1 == end
        return after - 1

    def _count_fill(self, length: int) -> None:
        self._fill += length
        if self._fill > MAX_FILL_BYTES:
            raise ValueError(f"more than {MAX_FILL_BYTES:,} fill bytes")

    def _end_of_scan(self, start: int) -> int:
        """Position of the next marker that is not part of the coded data."""
        data = self._data
        while (found := _AFTER_SCAN.search(data, start)) is not None:
            run = _FILL.match(data, found.start())
            after = run.end() if run else found.end()
            if after >= len(data):
                break
            if data[after] not in _RESTARTS:
                return found.start()
            self._count_fill(after - found.start() - 1)
            start = after + 1
        return len(data)

    def _keep(self, code: int, segment: memoryview) -> None:
        if code in _ALL_FRAMES:
            self._frame = bytes(segment)
        if code in _TABLES or code in _FRAMES or code == _SOS:
            self._parts.append(segment)
        elif code == _APP0 and bytes(segment[4:9]) == b"JFIF\x00":
            self._parts.append(_JFIF)
        elif code == _APP14 and bytes(segment[4:9]) == b"Adobe" and len(segment) >= 2 + _ADOBE_LENGTH:
            self._parts.append(b"\xff\xee\x00\x0e" + bytes(segment[4 : 2 + _ADOBE_LENGTH]))
        elif code not in _DROPPED:
            self._is_plain = False

    def _coefficients(self) -> int:
        """Number of coefficients, from size and sampling factors in the frame header (T.81, B.2.2)."""
        header = self._frame[4:]
        if len(header) < 6 or len(header) < 6 + 3 * header[5]:
            return 0
        pixels = int.from_bytes(header[1:3], "big") * int.from_bytes(header[3:5], "big")
        factors = [header[7 + 3 * number] for number in range(header[5])]
        shares = [(factor >> 4) * (factor & 15) for factor in factors]
        widest = max([factor >> 4 for factor in factors] or [1]) * max(
            [factor & 15 for factor in factors] or [1]
        )
        return pixels * sum(shares) // max(widest, 1)
