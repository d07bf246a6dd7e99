"""Bytes to images and back: safe decoding of what strangers send, fast decoding of what we stored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from promptvision.errors import InputError, StoreError, TooLarge
from promptvision.images.colour import is_srgb, to_plain_mode, to_srgb
from promptvision.images.jpeg import MAX_SCANS, strip_jpeg
from promptvision.images.png import write_png

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose
    from PIL.ImageFile import ImageFile

__all__ = ["MAX_BYTES", "MAX_PIXELS", "MAX_SIDE", "Normalised", "decode_stored", "encode_png", "normalise"]

MAX_BYTES = 20_000_000
"""Largest image file that is taken in, in bytes."""
MAX_PIXELS = 25_000_000
"""Largest image that is taken in, width times height."""
MAX_SIDE = 16_384
"""Longest side of an image that is taken in, in pixels."""

_ACCEPTED = "send a PNG, JPEG, WebP, GIF, BMP or TIFF"
_SMALLER = "scale it down and send it again"
_ORIENTATION = 0x0112
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}


class _Format(NamedTuple):
    """A kind of file, told by its first bytes; ``reader`` is the Pillow class, None if it is refused."""

    name: str
    magic: re.Pattern[bytes]
    reader: str | None = None


def _format(name: str, magic: bytes, reader: str | None = None) -> _Format:
    return _Format(
        name, re.compile(magic, re.DOTALL | re.IGNORECASE if reader is None else re.DOTALL), reader
    )


_JPEG = _format("JPEG", rb"\xff\xd8\xff", "JpegImagePlugin:JpegImageFile")
_FORMATS = (
    _format("PNG", rb"\x89PNG\r\n\x1a\n", "PngImagePlugin:PngImageFile"),
    _JPEG,
    _format("WebP", rb"RIFF....WEBP", "WebPImagePlugin:WebPImageFile"),
    _format("GIF", rb"GIF8[79]a", "GifImagePlugin:GifImageFile"),
    _format("BMP", rb"BM", "BmpImagePlugin:BmpImageFile"),
    _format("TIFF", rb"II[*+]\x00|MM\x00[*+]", "TiffImagePlugin:TiffImageFile"),
    _format("SVG", rb"(\xef\xbb\xbf)?\s*(<\?xml.*?|<!--.*?|<!DOCTYPE svg.*?)?<svg\b"),
    _format("web page or XML", rb"(\xef\xbb\xbf)?\s*<[!?a-z]"),
    _format("PDF", rb"%PDF"),
    _format("PostScript", rb"%!|\xc5\xd0\xd3\xc6"),
    _format("HEIC", rb"....ftyp(hei|hev|mif|msf)"),
    _format("AVIF", rb"....ftypavi"),
    _format("Photoshop", rb"8BPS"),
    _format("ZIP", rb"PK\x03\x04"),
)


@dataclass(frozen=True, kw_only=True)
class Normalised:
    """An image ready to be stored: upright, sRGB, free of metadata.

    Args:
        data: a PNG, or a JPEG that needed no change of its pixels.
        media_type: ``image/png`` or ``image/jpeg``.
        image: the image that the data decodes to; mode L, LA, RGB or RGBA.
    """

    data: bytes
    media_type: str
    image: Image


def normalise(data: bytes) -> Normalised:
    """Decode untrusted bytes and give back what may be stored: the pixels that a viewer shows, and no more.

    The format is told by content. The first frame of an animation counts. Orientation is applied; palettes,
    16-bit samples, CMYK and other colour spaces become 8-bit sRGB. Nothing is compressed lossily again: an
    upright sRGB JPEG keeps its coded samples and loses every other segment, all else becomes PNG.

    Raises:
        TooLarge: over 20 MB, 25 megapixels or 16,384 pixels a side; judged before pixels are decoded.
        InputError: no image, one of another format, or a damaged one.
    """
    if not data:
        raise InputError("picture: the file is empty (0 bytes)", hint=_ACCEPTED)
    if len(data) > MAX_BYTES:
        raise TooLarge(f"picture: {len(data):,} bytes is over the limit of 20 MB", hint=_SMALLER)
    kind = _tell_format(data)
    try:
        opened = _open(data, kind)
        _check_size(opened.width, opened.height)
        return _keep_jpeg(opened, data) or _make_png(opened)
    except InputError:
        raise
    except MemoryError as exc:
        raise TooLarge("picture: too large for the memory of this machine", hint=_SMALLER) from exc
    except Exception as exc:  # Pillow raises whatever its parsers meet, and all of it means bad bytes
        raise InputError(
            f"picture: damaged or incomplete {kind.name} ({_cause(exc)})", hint=_ACCEPTED
        ) from exc


def _tell_format(data: bytes) -> _Format:
    head = data[:1024]
    for kind in _FORMATS:
        if kind.magic.match(head):
            if kind.reader is None:
                raise InputError(f"picture: {kind.name} files are not accepted", hint=_ACCEPTED)
            return kind
    raise InputError("picture: this is no picture that can be read", hint=_ACCEPTED)


def _open(data: bytes, kind: _Format) -> ImageFile:
    # Image.open would judge size by a global of the host program and warn instead of raising.
    module, _, name = str(kind.reader).partition(":")
    reader: type[ImageFile] = getattr(import_module(f"PIL.{module}"), name)
    return reader(BytesIO(data))


def _check_size(width: int, height: int) -> None:
    size = f"picture: {width} x {height} pixels"
    if width < 1 or height < 1:
        raise InputError(f"{size} is nothing to look at", hint=_ACCEPTED)
    if max(width, height) > MAX_SIDE:
        raise TooLarge(f"{size} is over the limit of {MAX_SIDE:,} pixels a side", hint=_SMALLER)
    if width * height > MAX_PIXELS:
        raise TooLarge(f"{size} is over the limit of {MAX_PIXELS // 10**6} megapixels", hint=_SMALLER)


def _cause(exc: Exception) -> str:
    return (str(exc) or type(exc).__name__).splitlines()[0][:120]


def _keep_jpeg(opened: ImageFile, data: bytes) -> Normalised | None:
    """The JPEG stripped of metadata, if that alone leaves the pixels that a viewer shows."""
    if opened.format != "JPEG":
        return None
    stripped = strip_jpeg(data)
    if stripped is None:
        if (
            data.count(b"\xff\xda") > MAX_SCANS
        ):  # each scan of a progressive JPEG costs a pass over all pixels
            raise InputError(f"picture: a JPEG of over {MAX_SCANS} scans", hint=_ACCEPTED)
        return None
    if opened.mode not in ("L", "RGB") or _turn(opened) is not None or not is_srgb(opened):
        return None
    decoded = _open(stripped, _JPEG)
    decoded.load()
    return Normalised(data=stripped, media_type="image/jpeg", image=decoded)


def _make_png(opened: ImageFile) -> Normalised:
    opened.load()
    turn = _turn(opened)
    image = to_srgb(opened)
    image = image.copy() if turn is None else image.transpose(turn)  # a copy can do without its notes
    image.info.clear()
    return Normalised(data=write_png(image), media_type="image/png", image=image)


def _turn(opened: ImageFile) -> Transpose | None:
    """What makes the image upright; None when it is. Pillow itself turns a TIFF while it loads."""
    from PIL.Image import Exif, Transpose

    data = opened.info.get("exif")
    if opened.format == "TIFF" or not data:
        return None
    exif = Exif()
    try:
        exif.load(data)
        orientation = exif.get(_ORIENTATION)
    except Exception:  # noqa: BLE001  # the parser raises whatever it meets; a bad note spoils no image
        return None
    return Transpose(_TURNS[orientation]) if orientation in _TURNS else None


def encode_png(image: Image) -> bytes:
    """Encode losslessly as PNG, without metadata; fast rather than small.

    Args:
        image: any mode; what is not L, LA, RGB or RGBA is converted first.
    """
    return write_png(to_plain_mode(image))


def decode_stored(data: bytes) -> Image:
    """The image behind stored bytes, fully loaded: mode L, LA, RGB or RGBA.

    Raises:
        StoreError: the bytes are damaged.
    """
    try:
        opened = _open(data, _tell_format(data))
        opened.load()
        return to_plain_mode(opened)
    except Exception as exc:  # Pillow raises whatever its parsers meet
        raise StoreError(f"image store: a stored picture cannot be decoded ({_cause(exc)})") from exc
