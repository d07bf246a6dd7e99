"""Bytes to images and back: safe decoding of untrusted files, fast decoding of stored ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from promptvision.errors import InputError, SetupError, StoreError, TooLarge
from promptvision.images.colour import is_srgb, to_plain_mode, to_srgb
from promptvision.images.formats import ACCEPTED, JPEG, FileFormat, open_as, recognise
from promptvision.images.jpeg import JpegStructure, read_jpeg
from promptvision.images.png import write_png
from promptvision.images.structure import check_structure

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose
    from PIL.ImageFile import ImageFile

__all__ = ["MAX_BYTES", "MAX_PIXELS", "MAX_SIDE", "Normalised", "decode_stored", "encode_png", "normalise"]

MAX_BYTES = 20_000_000
"""Maximum size of an image file, in bytes."""
MAX_PIXELS = 25_000_000
"""Maximum width times height of an image; a larger JPEG is reduced while it is decoded."""
MAX_SIDE = 16_384
"""Maximum length of a side of an image, in pixels."""

_SMALLER = "scale it down and send it again"
_MAX_COEFFICIENTS = 100_000_000
"""Maximum number of coefficients of a progressive JPEG, which keeps them in memory, 2 bytes each."""
_MAX_REDUCED_PIXELS = 256_000_000
"""Largest JPEG that is reduced: phones take 200 megapixels."""
_MAX_STORED_SCANS = 32
"""A JPEG with more scans is stored as PNG, since each scan takes time on every decode."""
_SCALES = (1, 2, 4, 8)
_ORIENTATION = 0x0112
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
_COPIES = {"AVIF": 3, "HEIC": 3}
"""Copies of the pixels that a decoder holds at once, 4 bytes per pixel; 2 for other formats."""

BeforeDecoding = Callable[[int], None]
"""Called with an estimate of the memory that decoding needs, in bytes; may wait, or raise."""


@dataclass(frozen=True, kw_only=True)
class Normalised:
    """An image ready to be stored: upright, sRGB, free of metadata.

    Args:
        data: a PNG, or a JPEG that needed no change of its pixels.
        media_type: ``image/png`` or ``image/jpeg``.
        image: the image that the data decodes to; mode L, LA, RGB or RGBA.
        notes: sentences about what was changed, for the reply.
    """

    data: bytes
    media_type: str
    image: Image
    notes: tuple[str, ...] = ()


def normalise(data: bytes, *, before_decoding: BeforeDecoding | None = None) -> Normalised:
    """Decode untrusted bytes into a storable image: the pixels that a viewer shows, without metadata.

    The format is recognised by content. Of an animation, the first frame is taken. Orientation is applied;
    palettes, 16-bit samples, CMYK and other colour spaces become 8-bit sRGB. Nothing is compressed lossily
    again: an upright sRGB JPEG keeps its coded samples without the other segments, all other images become
        PNG. A JPEG that is too large is decoded at 1/2, 1/4 or 1/8; one that breaks off in its lower half is
        filled.

    Args:
        data: an image file.
        before_decoding: called once the header is checked and before pixels are decoded.

    Raises:
        TooLarge: over 20 MB, 25 megapixels or 16,384 pixels a side; checked before pixels are decoded.
        InputError: not an image, one of another format, or a damaged one.
        SetupError: the format needs an optional package.
    """
    if not data:
        raise InputError("image: the file is empty (0 bytes)", hint=ACCEPTED)
    if len(data) > MAX_BYTES:
        raise TooLarge(f"image: {len(data):,} bytes is over the limit of 20 MB", hint=_SMALLER)
    kind = recognise(data)
    prepare = before_decoding or (lambda _: None)
    try:
        if kind is JPEG:
            return _Jpeg(data, prepare).normalise()
        check_structure(kind.name, data)
        opened = open_as(kind, data)
        _check_size(opened.width, opened.height)
        prepare(opened.width * opened.height * 4 * _COPIES.get(kind.name, 2))
        return _make_png(opened, kind, data)
    except (InputError, SetupError):
        raise
    except MemoryError as exc:
        raise TooLarge("image: too large for the memory of this machine", hint=_SMALLER) from exc
    except Exception as exc:  # Pillow's parsers raise many types; all of them mean invalid bytes
        raise InputError(f"image: damaged or incomplete {kind.name} ({_cause(exc)})", hint=ACCEPTED) from exc


def _check_size(width: int, height: int) -> None:
    size = f"image: {width} x {height} pixels"
    if width < 1 or height < 1:
        raise InputError(f"{size}: the image is empty", hint=ACCEPTED)
    if max(width, height) > MAX_SIDE:
        raise TooLarge(f"{size} is over the limit of {MAX_SIDE:,} pixels a side", hint=_SMALLER)
    if width * height > MAX_PIXELS:
        raise TooLarge(f"{size} is over the limit of {MAX_PIXELS // 10**6} megapixels", hint=_SMALLER)


def _cause(exc: Exception) -> str:
    return (str(exc) or type(exc).__name__).splitlines()[0][:120]


class _Jpeg:
    """One JPEG that is being normalised."""

    def __init__(self, data: bytes, prepare: BeforeDecoding) -> None:
        self._cut = data
        self._structure: JpegStructure = read_jpeg(data)
        self._data = self._structure.repaired or data
        self._prepare = prepare
        self._notes: list[str] = []

    def normalise(self) -> Normalised:
        opened = open_as(JPEG, self._data)
        is_reduced = self._reduce(opened)
        _check_size(opened.width, opened.height)
        self._prepare(self._memory(opened))
        if self._structure.repaired is not None:
            self._check_rows(opened, is_reduced=is_reduced)
        kept = None if is_reduced else self._keep(opened)
        made = kept or _make_png(opened, JPEG, self._data)
        return Normalised(
            data=made.data, media_type=made.media_type, image=made.image, notes=tuple(self._notes)
        )

    def _reduce(self, opened: ImageFile) -> bool:
        """Decode an image over the limits at a fraction of its size."""
        width, height = opened.size
        for scale in _SCALES:
            if width * height <= MAX_PIXELS * scale**2 and max(width, height) <= MAX_SIDE * scale:
                break
        if scale == 1 or min(width, height) < scale or width * height > _MAX_REDUCED_PIXELS:
            return False
        opened.draft(opened.mode, (width // scale, height // scale))
        self._notes.append(
            f"The image has {width:,} x {height:,} pixels and was read at 1/{scale} of its size, "
            f"{opened.width:,} x {opened.height:,}."
        )
        return True

    def _memory(self, opened: ImageFile) -> int:
        structure = self._structure
        coefficients = structure.coefficients if structure.is_progressive else 0
        if coefficients > _MAX_COEFFICIENTS:
            raise TooLarge(
                f"image: a progressive JPEG of {coefficients // 10**6} million coefficients is over the "
                f"limit of {_MAX_COEFFICIENTS // 10**6} million",
                hint="save it as a baseline JPEG, or scale it down",
            )
        return opened.width * opened.height * 8 + 2 * coefficients

    def _check_rows(self, opened: ImageFile, *, is_reduced: bool) -> None:
        """Reject a truncated image of which less than half of the rows can be read."""
        height = opened.height
        rows = height if is_reduced else _readable_rows(self._cut, self._data, self._structure)
        if rows * 2 < height:
            raise InputError(
                f"image: incomplete JPEG: only {rows} of {height} rows can be read",
                hint="copy the file again",
            )
        self._notes.append(
            "The JPEG breaks off before its end"
            + (f"; {rows} of {height} rows could be read and the rest is filled." if rows < height else ".")
        )

    def _keep(self, opened: ImageFile) -> Normalised | None:
        """The JPEG stripped of metadata, if that alone leaves the pixels that a viewer shows."""
        stripped = self._structure.stripped
        if stripped is None or opened.mode not in ("L", "RGB") or self._structure.scans > _MAX_STORED_SCANS:
            return None
        if len(stripped) > 4 * opened.width * opened.height + 65_536:  # more than the pixels can need
            return None
        if _turn(opened) is not None or not is_srgb(opened):
            return None
        decoded = open_as(JPEG, stripped)
        decoded.load()
        return Normalised(data=stripped, media_type="image/jpeg", image=decoded)


def _readable_rows(cut: bytes, repaired: bytes, structure: JpegStructure) -> int:
    """Number of rows that a truncated JPEG contains.

    A baseline decoder stops where the data ends and leaves the remaining rows black; with an end marker it
    fills them. A truncated first scan of a progressive JPEG leaves the rest mid grey.
    """
    from PIL.Image import new
    from PIL.ImageChops import difference

    whole = open_as(JPEG, repaired)
    whole.load()
    if structure.is_progressive:
        if structure.scans > 1 or whole.mode not in ("L", "RGB"):
            return whole.height
        box = difference(whole, new(whole.mode, whole.size, "#808080")).getbbox()
        return box[3] if box else 0
    partial = open_as(JPEG, cut)
    with suppress(OSError):  # truncated; the decoded part is kept
        partial.load()
    partial.tile = []
    box = difference(whole.convert("RGB"), partial.convert("RGB")).getbbox()
    return box[1] if box else whole.height


def _make_png(opened: ImageFile, kind: FileFormat, data: bytes) -> Normalised:
    opened.load()
    turn = _turn(opened)
    image = to_srgb(*_as_meant(opened, kind, data))
    if turn is not None:
        image = image.transpose(turn)
    elif image is opened:
        image = opened._new(opened.im)  # noqa: SLF001  # the pixels without the file; copy() takes them twice
    image.info.clear()
    return Normalised(data=write_png(image), media_type="image/png", image=image)


def _as_meant(opened: ImageFile, kind: FileFormat, data: bytes) -> tuple[Image, bytes | None]:
    """The loaded image, with format features that Pillow ignores, and the colour profile to apply."""
    profile = opened.info.get("icc_profile")
    if kind.name == "PNG":
        from promptvision.images.png_chunks import colour_profile, with_transparent_colour

        return with_transparent_colour(opened, data, kind) or opened, colour_profile(opened, data)
    if kind.name == "TIFF" and opened.mode not in ("CMYK", "LAB"):
        from promptvision.images.tiff import TiffFile

        return (opened.plain() if isinstance(opened, TiffFile) else opened), profile
    if kind.name == "BMP" and opened.mode == "RGBA" and opened.getchannel("A").getextrema() == (0, 0):
        return opened.convert("RGB"), profile  # an unused fourth byte
    return opened, profile


def _turn(opened: ImageFile) -> Transpose | None:
    """The transposition that makes the image upright; None when it is. Pillow rotates a TIFF on load."""
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
        image: any mode; modes other than L, LA, RGB and RGBA are converted first.
    """
    return write_png(to_plain_mode(image))


def decode_stored(data: bytes) -> Image:
    """Decode stored bytes into a fully loaded image of mode L, LA, RGB or RGBA.

    Raises:
        StoreError: the bytes are damaged.
    """
    try:
        opened = open_as(recognise(data), data)
        opened.load()
        return to_plain_mode(opened)
    except Exception as exc:  # Pillow's parsers raise many types
        raise StoreError(f"image store: a stored image cannot be decoded ({_cause(exc)})") from exc
