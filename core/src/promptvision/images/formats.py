"""Kinds of image file, recognised by their first bytes; names and declared types are not used."""

from __future__ import annotations

import re
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from promptvision.errors import InputError, SetupError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

__all__ = ["ACCEPTED", "JPEG", "FileFormat", "open_as", "recognise"]

ACCEPTED = "send a PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF"


class FileFormat(NamedTuple):
    """A kind of file.

    Args:
        name: for messages.
        magic: matches the first bytes.
        reader: module and class that read it; None if it is refused.
    """

    name: str
    magic: re.Pattern[bytes]
    reader: str | None = None


def _format(name: str, magic: bytes, reader: str | None = None) -> FileFormat:
    flags = re.DOTALL | re.IGNORECASE if reader is None else re.DOTALL
    return FileFormat(name, re.compile(magic, flags), reader)


JPEG = _format("JPEG", rb"\xff\xd8\xff", "PIL.JpegImagePlugin:JpegImageFile")
_FORMATS = (
    _format("PNG", rb"\x89PNG\r\n\x1a\n", "PIL.PngImagePlugin:PngImageFile"),
    JPEG,
    _format("WebP", rb"RIFF....WEBP", "promptvision.images.webp:WebPFile"),
    _format("GIF", rb"GIF8[79]a", "PIL.GifImagePlugin:GifImageFile"),
    _format("BMP", rb"BM", "PIL.BmpImagePlugin:BmpImageFile"),
    _format("TIFF", rb"II[*+]\x00|MM\x00\*", "promptvision.images.tiff:TiffFile"),
    _format("big-endian BigTIFF", rb"MM\x00\+"),  # Pillow reads its header in the other byte order
    _format(
        "AVIF",
        rb"....ftyp(avi[fs]|(mif1|miaf|msf1).{4}(.{4}){0,8}?avi[fs])",
        "promptvision.images.avif:AvifFile",
    ),
    _format("HEIC", rb"....ftyp(hei[a-z]|hev[a-z]|mif1|msf1)", "pillow_heif.as_plugin:HeifImageFile"),
    _format("SVG", rb"(\xef\xbb\xbf)?\s*(<\?xml.*?|<!--.*?|<!DOCTYPE svg.*?)?<svg\b"),
    _format("web page or XML", rb"(\xef\xbb\xbf)?\s*<[!?a-z]"),
    _format("PDF", rb"%PDF"),
    _format("PostScript", rb"%!|\xc5\xd0\xd3\xc6"),
    _format("JPEG XL", rb"\xff\x0a|\x00\x00\x00\x0cJXL "),
    _format("JPEG 2000", rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51"),
    _format("camera raw", rb"....ftypcrx|FUJIFILMCCD-RAW"),
    _format("Photoshop", rb"8BPS"),
    _format("ZIP", rb"PK\x03\x04"),
)


def recognise(data: bytes) -> FileFormat:
    """The kind of a file that can be read.

    Raises:
        InputError: the kind of file is not accepted or unknown.
    """
    head = data[:1024]
    for kind in _FORMATS:
        if kind.magic.match(head):
            if kind.reader is None:
                raise InputError(f"image: {kind.name} files are not accepted", hint=ACCEPTED)
            return kind
    raise InputError("image: this is not an image that can be read", hint=ACCEPTED)


def open_as(kind: FileFormat, data: bytes) -> ImageFile:
    """Read the header. Image.open would check the size against a global of the host program, and only warn.

    Raises:
        SetupError: the reader is an optional package that is not installed.
    """
    module, _, name = str(kind.reader).partition(":")
    try:
        reader: type[ImageFile] = getattr(import_module(module), name)
    except ImportError as exc:
        raise SetupError(
            f"image: {kind.name} files need the package {module.partition('.')[0]!r}",
            hint="run `pip install 'promptvision[heic]'`, or send a JPEG (on an iPhone: Settings > Camera > "
            "Formats > Most Compatible)",
        ) from exc
    return reader(BytesIO(data))
