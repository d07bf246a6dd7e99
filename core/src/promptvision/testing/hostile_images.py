"""Image files that cost a decoder far more time or memory than their size suggests.

Each entry of :data:`HOSTILE` creates one file of at most 20 MB. A server must answer each of them quickly,
with any status, and with bounded memory.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial

from PIL import Image

__all__ = ["HOSTILE", "LIMIT"]

LIMIT = 19_000_000
"""Size of the large files in bytes."""

_PNG = b"\x89PNG\r\n\x1a\n"


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _ihdr(width: int, height: int, depth: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    return _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


# JPEG


def _jpeg(size: tuple[int, int] = (64, 64), **options: object) -> bytes:
    return _encoded(Image.effect_noise(size, 50).convert("RGB"), "JPEG", **options)


def _jpeg_with(segment: bytes) -> bytes:
    small = _jpeg()
    return small[:2] + segment * (LIMIT // len(segment)) + small[2:]


def _jpeg_in_scan(filler: bytes) -> bytes:
    small = _jpeg()
    return small[:-2] + filler * (LIMIT // len(filler)) + b"\xff\xd9"


def _jpeg_scans(count: int, size: tuple[int, int]) -> bytes:
    data = _jpeg(size, progressive=True, quality=20)
    last = data.rindex(b"\xff\xda")
    room = min(count, (LIMIT - len(data)) // (len(data) - last))
    return data[:-2] + data[last:-2] * room + b"\xff\xd9"


def _jpeg_claims(width: int, height: int, *, progressive: bool = False) -> bytes:
    data = bytearray(_jpeg(progressive=progressive))
    at = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


# PNG


def _png_chunks(kind: bytes, body: bytes, count: int) -> bytes:
    small = _encoded(Image.new("RGB", (8, 8)), "PNG")
    one = _chunk(kind, body)
    return small[:33] + one * min(count, LIMIT // len(one)) + small[33:]


def _png_idats(piece: int) -> bytes:
    rows = Image.effect_noise((1200, 1200), 80).tobytes()
    packed = zlib.compress(b"".join(b"\0" + rows[at : at + 1200] for at in range(0, len(rows), 1200)), 1)
    parts = [_chunk(b"IDAT", packed[at : at + piece]) for at in range(0, len(packed), piece)]
    return b"".join([_PNG, _ihdr(1200, 1200, 8, 0), *parts, _chunk(b"IEND", b"")])[:LIMIT]


def _png_flat(
    width: int, height: int, *, colour: int, depth: int = 8, interlace: int = 0, transparent: bytes = b""
) -> bytes:
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = b"\0" + bytes((width * samples * depth + 7) // 8)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    palette = _chunk(b"PLTE", bytes(768)) if colour == 3 else b""
    palette += _chunk(b"tRNS", transparent) if transparent else b""
    body = _ihdr(width, height, depth, colour, interlace) + palette + _chunk(b"IDAT", packed)
    return _PNG + body + _chunk(b"IEND", b"")


def _png_too_much_data() -> bytes:
    packer = zlib.compressobj(9)
    zeros = bytes(1_000_000)
    packed = b"".join(packer.compress(zeros) for _ in range(400)) + packer.flush()
    return _PNG + _ihdr(10, 10) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _png_text(kind: bytes, head: bytes, size: int, count: int) -> bytes:
    small = _encoded(Image.new("RGB", (8, 8)), "PNG")
    return small[:33] + _chunk(kind, head + zlib.compress(bytes(size), 9)) * count + small[33:]


# TIFF


def _tiff(tags: list[tuple[int, int, int, int]], body: bytes = b"", *, order: str = "<") -> bytes:
    start = 8 + len(body) + (len(body) & 1)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, start)
    entries = b"".join(
        struct.pack(order + "HHI", tag, kind, count)
        + (
            struct.pack(order + "HH", value, 0)
            if kind == 3 and count == 1
            else struct.pack(order + "I", value)
        )
        for tag, kind, count, value in sorted(tags)
    )
    return head + body + bytes(len(body) & 1) + struct.pack(order + "H", len(tags)) + entries + bytes(4)


def _tiff_base(width: int, height: int, compression: int = 1) -> list[tuple[int, int, int, int]]:
    return [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (277, 3, 1, 1),
    ]


def _tiff_tiles(width: int, height: int, tile: tuple[int, int], count: int) -> bytes:
    body = bytes(4) + struct.pack("<I", 8) * count + struct.pack("<I", 1) * count
    tags = [
        *_tiff_base(width, height),
        (322, 4, 1, tile[0]),
        (323, 4, 1, tile[1]),
        (324, 4, count, 12),
        (325, 4, count, 12 + 4 * count),
    ]
    return _tiff(tags, body)


def _tiff_values(tag: int, kind: int, size: int) -> bytes:
    body = bytes(LIMIT)
    return _tiff([*_tiff_base(16, 16), (273, 4, 1, 8), (279, 4, 1, 256), (tag, kind, LIMIT // size, 8)], body)


def _tiff_many_strips(count: int) -> bytes:
    tags = [*_tiff_base(16, 16), (273, 4, count, 8), (278, 4, 1, 1), (279, 4, count, 8)]
    return _tiff(tags, bytes(8 + 4 * count))


def _tiff_strips(width: int, height: int, compression: int) -> bytes:
    packed = zlib.compress(bytes(1 << 20), 9) * 8
    body = packed + struct.pack("<I", 8) * height + struct.pack("<I", len(packed)) * height
    tags = [
        *_tiff_base(width, height, compression),
        (273, 4, height, 8 + len(packed)),
        (278, 4, 1, 1),
        (279, 4, height, 8 + len(packed) + 4 * height),
    ]
    return _tiff(tags, body)


def _tiff_ring() -> bytes:
    tags = [*_tiff_base(16, 16), (273, 4, 1, 8), (279, 4, 1, 256)]
    data = bytearray(_tiff(tags, bytes(256)))
    data[-4:] = struct.pack("<I", 8 + 256)
    return bytes(data)


def _bigtiff(count: int) -> bytes:
    return b"II" + struct.pack("<HHHQ", 43, 8, 0, 16) + struct.pack("<Q", count) + bytes(20) * 1000


# BMP, GIF, WebP, AVIF


def _bmp(width: int, height: int, compression: int, body: bytes, bits: int = 8) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1024 + len(body), 0, 0, 54 + 1024) + head + bytes(1024) + body


def _gif(width: int, height: int, *, frame: tuple[int, int] = (1, 1), extra: bytes = b"") -> bytes:
    small = _encoded(Image.new("P", frame), "GIF")
    data = bytearray(small)
    data[6:10] = struct.pack("<HH", width, height)
    head = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    return bytes(data[:head]) + extra + bytes(data[head:])


def _gif_frames(count: int) -> bytes:
    frames = [Image.new("P", (16, 16), number % 250) for number in range(count)]
    return _encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def _webp(width: int, height: int, *, lossless: bool = True, mode: str = "RGB") -> bytes:
    image = Image.new(mode, (width, height))
    return _encoded(image, "WEBP", lossless=lossless, quality=0, method=0)


def _webp_canvas(width: int, height: int, *, animated: bool) -> bytes:
    tiny = _encoded(Image.new("RGB", (1, 1)), "WEBP", lossless=True)[12:]
    canvas = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"VP8X" + struct.pack("<I", 10) + bytes([2 if animated else 0, 0, 0, 0]) + canvas
    if animated:
        frame = bytes(6) + bytes(6) + bytes(3) + b"\0" + tiny
        body += b"ANIM" + struct.pack("<I", 6) + bytes(6)
        body += b"ANMF" + struct.pack("<I", len(frame)) + frame + bytes(len(frame) & 1)
    else:
        body += tiny
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _webp_chunks(count: int) -> bytes:
    small = _encoded(Image.new("RGB", (4, 4)), "WEBP", lossless=True)[12:]
    body = b"VP8X" + struct.pack("<I", 10) + bytes(4) + bytes([3, 0, 0, 3, 0, 0])
    body += (b"JUNK" + bytes(4)) * count + small
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _avif(width: int, height: int) -> bytes:
    return _encoded(Image.new("RGB", (width, height)), "AVIF", quality=10, speed=10)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "JPEG of empty segments": partial(_jpeg_with, b"\xff\xfe\x00\x02"),
    "JPEG of empty application segments": partial(_jpeg_with, b"\xff\xe5\x00\x02"),
    "JPEG of one-byte comments": partial(_jpeg_with, b"\xff\xfe\x00\x03x"),
    "JPEG of restart intervals": partial(_jpeg_with, b"\xff\xdd\x00\x04\x00\x00"),
    "JPEG of quantisation tables": partial(_jpeg_with, b"\xff\xdb\x00\x43\x00" + b"\1" * 64),
    "JPEG of Huffman tables": partial(_jpeg_with, b"\xff\xc4\x00\x14\x00\x01" + bytes(15) + b"\x00"),
    "JPEG of empty ICC parts": partial(_jpeg_with, b"\xff\xe2\x00\x10ICC_PROFILE\0\x01\x01"),
    "JPEG of EXIF segments": partial(
        _jpeg_with,
        b"\xff\xe1\xea\x72Exif\0\0MM\0*\0\0\0\x08\x13\x88" + b"\x01\x12\0\3\0\0\0\1\0\6\0\0" * 5000,
    ),
    "JPEG of Photoshop resources": partial(
        _jpeg_with, b"\xff\xed\xea\x70Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * 5000
    ),
    "JPEG of MPF entries": partial(_jpeg_with, b"\xff\xe2\x00\x08MPF\0II"),
    "JPEG of fill bytes": partial(_jpeg_with, b"\xff"),
    "JPEG of fill bytes and zeros": partial(_jpeg_with, b"\xff\xff\xff\x00"),
    "JPEG of zeros between segments": partial(_jpeg_with, b"\x00"),
    "JPEG of fill bytes in the scan": partial(_jpeg_in_scan, b"\xff"),
    "JPEG of fill bytes and zeros in the scan": partial(_jpeg_in_scan, b"\xff\xff\x00"),
    "JPEG of restart markers in the scan": partial(_jpeg_in_scan, b"\xff\xd0"),
    "JPEG of empty scans": partial(_jpeg_in_scan, b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"),
    "JPEG of end markers": partial(_jpeg_in_scan, b"\xff\xd9"),
    "JPEG of 90 progressive scans": partial(_jpeg_scans, 90, (4900, 4900)),
    "JPEG of 5,000 progressive scans": partial(_jpeg_scans, 5000, (512, 512)),
    "JPEG that claims 65500 x 65500": partial(_jpeg_claims, 65500, 65500),
    "JPEG that claims 15000 x 15000": partial(_jpeg_claims, 15000, 15000),
    "progressive JPEG that claims 15000 x 15000": partial(_jpeg_claims, 15000, 15000, progressive=True),
    "progressive JPEG that claims 5000 x 5000": partial(_jpeg_claims, 5000, 5000, progressive=True),
    "PNG of empty text chunks": partial(_png_chunks, b"tEXt", b"", 1_600_000),
    "PNG of unknown chunks": partial(_png_chunks, b"abCd", b"", 1_600_000),
    "PNG of empty data chunks": partial(_png_chunks, b"IDAT", b"", 1_600_000),
    "PNG of palettes": partial(_png_chunks, b"PLTE", bytes(3), 1_200_000),
    "PNG of gamma chunks": partial(_png_chunks, b"gAMA", bytes(4), 1_200_000),
    "PNG of data chunks of 1 byte": partial(_png_idats, 1),
    "PNG of data chunks of 7 bytes": partial(_png_idats, 7),
    "PNG of compressed text": partial(_png_text, b"zTXt", b"k\0\0", 60_000_000, 1),
    "PNG of compressed texts": partial(_png_text, b"zTXt", b"k\0\0", 900_000, 1000),
    "PNG of international texts": partial(_png_text, b"iTXt", b"k\0\1\0\0\0", 900_000, 1000),
    "PNG of a compressed profile": partial(_png_text, b"iCCP", b"k\0\0", 200_000_000, 1),
    "PNG with 400 MB behind the image": _png_too_much_data,
    "PNG of 5000 x 5000 RGBA": partial(_png_flat, 5000, 5000, colour=6),
    "PNG of 5000 x 5000 RGBA, 16 bit": partial(_png_flat, 5000, 5000, colour=6, depth=16),
    "PNG of 5000 x 5000 grey with a transparent colour, 16 bit": partial(
        _png_flat, 5000, 5000, colour=0, depth=16, transparent=bytes(2)
    ),
    "PNG of 5000 x 5000 interlaced": partial(_png_flat, 5000, 5000, colour=6, interlace=1),
    "PNG of 16384 x 1525 palette": partial(_png_flat, 16_384, 1525, colour=3),
    "PNG of 1 x 16384": partial(_png_flat, 1, 16_384, colour=2),
    "TIFF of 1 x 1 tiles": partial(_tiff_tiles, 1500, 1500, (1, 1), 2_250_000),
    "TIFF of 16 x 1 tiles": partial(_tiff_tiles, 5000, 5000, (16, 1), 1_500_000),
    "TIFF of 8 x 8 tiles": partial(_tiff_tiles, 5000, 5000, (8, 8), 390_625),
    "TIFF of 16 x 16 tiles": partial(_tiff_tiles, 5000, 5000, (16, 16), 97_969),
    "TIFF of one huge tile": partial(_tiff_tiles, 16, 16, (60_000, 60_000), 1),
    "TIFF of many offsets": partial(_tiff_values, 324, 4, 4),
    "TIFF of many shorts": partial(_tiff_values, 700, 3, 2),
    "TIFF of many rationals": partial(_tiff_values, 33_432, 5, 8),
    "TIFF of many signed bytes": partial(_tiff_values, 40_000, 6, 1),
    "TIFF of many bytes": partial(_tiff_values, 700, 7, 1),
    "TIFF of overlapping deflated strips": partial(_tiff_strips, 16_000, 1500, 8),
    "TIFF of overlapping LZW strips": partial(_tiff_strips, 16_000, 1500, 5),
    "TIFF of overlapping PackBits strips": partial(_tiff_strips, 16_000, 1500, 32_773),
    "TIFF of more strips than rows": partial(_tiff_many_strips, 180_000),
    "TIFF whose directory follows itself": _tiff_ring,
    "TIFF of 5000 x 5000 group 4": lambda: _encoded(
        Image.new("1", (5000, 5000)), "TIFF", compression="group4"
    ),
    "BigTIFF of 2^40 tags": partial(_bigtiff, 2**40),
    "BigTIFF of 900 tags": partial(_bigtiff, 900),
    "BMP of zero-length runs": partial(_bmp, 4000, 4000, 1, b"\x00\x02\x00\x00" * (LIMIT // 4)),
    "BMP of one-pixel runs": partial(_bmp, 4000, 4000, 1, b"\x01\x07" * (LIMIT // 2)),
    "BMP of line ends": partial(_bmp, 5000, 5000, 1, b"\x00\x00" * (LIMIT // 2)),
    "BMP of runs for a tiny image": partial(_bmp, 4, 4, 1, b"\x01\x07" * (LIMIT // 2)),
    "BMP of short runs, 4 bit": partial(_bmp, 5000, 4900, 2, b"\x01\x07" * (LIMIT // 2), 4),
    "BMP that claims 5000 x 5000": partial(_bmp, 5000, 5000, 0, b""),
    "GIF that claims 60000 x 60000": partial(_gif, 60_000, 60_000),
    "GIF of 5000 x 5000": partial(_gif, 5000, 5000),
    "GIF of empty comments": partial(_gif, 64, 64, extra=b"\x21\xfe\x00" * (LIMIT // 3)),
    "GIF of one-byte comments": partial(_gif, 64, 64, extra=b"\x21\xfe" + b"\1x" * (LIMIT // 2) + b"\0"),
    "GIF of bytes between its blocks": partial(_gif, 64, 64, extra=bytes(LIMIT)),
    "GIF of 5,000 frames": partial(_gif_frames, 5000),
    "WebP of 5000 x 5000": partial(_webp, 5000, 5000),
    "WebP of 5000 x 5000 RGBA": partial(_webp, 5000, 5000, mode="RGBA"),
    "WebP of 5000 x 5000, lossy": partial(_webp, 5000, 5000, lossless=False),
    "WebP canvas of 5000 x 5000": partial(_webp_canvas, 5000, 5000, animated=True),
    "WebP canvas of 16000 x 16000": partial(_webp_canvas, 16_000, 16_000, animated=True),
    "WebP canvas without animation": partial(_webp_canvas, 5000, 5000, animated=False),
    "WebP of empty chunks": partial(_webp_chunks, LIMIT // 8),
    "AVIF of 5000 x 5000": partial(_avif, 5000, 5000),
}
"""Files by description."""
