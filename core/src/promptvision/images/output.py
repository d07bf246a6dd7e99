"""Write an image to a file, in the format of the file's extension.

:data:`FORMATS` lists the formats, their limits and options. It is documented in ``docs/formats.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from promptvision.errors import InputError
from promptvision.images.codec import encode_png
from promptvision.images.colour import flat_rgb

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "FORMATS",
    "JPEG_QUALITY",
    "OutputFormat",
    "encode_image",
    "output_format",
    "save_image",
    "save_stored",
]

JPEG_QUALITY = 95
"""High enough that an edit is not visibly worse than its original."""


@dataclass(frozen=True, kw_only=True)
class OutputFormat:
    """A format that images are written in, 8 bits per sample.

    Args:
        name: Pillow's name of the format.
        extensions: file name extensions, the usual one first.
        modes: supported pixel layouts; other images are converted, and an image with alpha is flattened onto
            white if the format has no alpha.
        max_side: longest side in pixels.
        options: encoder options.
    """

    name: str
    extensions: tuple[str, ...]
    modes: tuple[str, ...] = ("L", "RGB")
    max_side: int = 65_535
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def media_type(self) -> str:
        """Of a file in this format."""
        return f"image/{self.name.lower()}"

    @property
    def has_alpha(self) -> bool:
        """Whether it supports transparency."""
        return "RGBA" in self.modes


_ALL = ("L", "LA", "RGB", "RGBA")

FORMATS = (
    OutputFormat(name="PNG", extensions=(".png", ".apng"), modes=_ALL),
    OutputFormat(
        name="JPEG", extensions=(".jpg", ".jpeg", ".jpe", ".jfif"), options={"quality": JPEG_QUALITY}
    ),
    OutputFormat(
        name="WEBP",
        extensions=(".webp",),
        modes=("RGB", "RGBA"),
        max_side=16_383,
        options={"quality": 97, "alpha_quality": 100, "use_sharp_yuv": True},
    ),
    OutputFormat(
        name="AVIF", extensions=(".avif",), modes=("L", "RGB", "RGBA"), options={"quality": 92, "speed": 6}
    ),
    OutputFormat(name="GIF", extensions=(".gif",), modes=("L", "RGB", "RGBA")),
    OutputFormat(name="BMP", extensions=(".bmp", ".dib")),
    OutputFormat(
        name="TIFF", extensions=(".tif", ".tiff"), modes=_ALL, options={"compression": "tiff_adobe_deflate"}
    ),
    OutputFormat(
        name="JPEG2000", extensions=(".jp2", ".j2k", ".jpx", ".jpf", ".jpc", ".j2c"), modes=_ALL
    ),  # reversible
    OutputFormat(name="ICO", extensions=(".ico",), modes=("RGB", "RGBA"), max_side=256),
    OutputFormat(name="TGA", extensions=(".tga",), modes=_ALL),
    OutputFormat(name="QOI", extensions=(".qoi",), modes=("RGB", "RGBA")),
    OutputFormat(name="PPM", extensions=(".ppm", ".pnm")),
    OutputFormat(name="PPM", extensions=(".pgm",), modes=("L",)),
    OutputFormat(name="PCX", extensions=(".pcx",)),
    OutputFormat(name="SGI", extensions=(".sgi",), modes=("L", "RGB", "RGBA")),
    OutputFormat(name="EPS", extensions=(".eps", ".ps")),
    OutputFormat(name="PDF", extensions=(".pdf",), options={"quality": JPEG_QUALITY}),
)


def output_format(path: str | Path) -> OutputFormat:
    """The format of a file name.

    Raises:
        InputError: the name has no extension of a known format; the message lists the usual ones.
    """
    extension = Path(path).suffix.lower()
    for kind in FORMATS:
        if extension in kind.extensions:
            return kind
    usual = ", ".join(kind.extensions[0] for kind in FORMATS)
    raise InputError(f"{path}: the name must end in an image format", hint=f"use one of {usual}")


def save_image(image: Image, path: str | Path) -> None:
    """Write an image in the format of the file's extension, see :data:`FORMATS`.

    Args:
        image: any mode; it is not changed.
        path: a file name that ends in an image format, such as ``.png`` or ``.jpg``.

    Raises:
        InputError: the name has no known extension, the format cannot hold the image, or the file cannot be
            written. The format never causes a partly written file.
    """
    _write(path, lambda kind: encode_image(image, kind))


def save_stored(data: bytes, media_type: str, path: str | Path, open_image: Callable[[], Image]) -> None:
    """Write a stored image in the format of the file's extension: as it is stored, if that is its format.

    Args:
        data: the stored bytes.
        media_type: of the stored bytes.
        path: as for :func:`save_image`.
        open_image: gives the decoded image; called for another format.

    Raises:
        InputError: as :func:`save_image` does.
    """
    _write(
        path,
        lambda kind: data if kind.media_type == media_type else encode_image(open_image(), kind),
    )


def _write(path: str | Path, encode: Callable[[OutputFormat], bytes]) -> None:
    kind = output_format(path)
    try:
        Path(path).write_bytes(encode(kind))
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise InputError(f"{path}: {reason}", hint="choose another name or format") from exc


def encode_image(image: Image, kind: OutputFormat, quality: int | None = None) -> bytes:
    """The bytes of an image in a format.

    Args:
        image: any mode.
        kind: the format.
        quality: 1 to 100 for a format that has one; default: that of the format.

    Raises:
        InputError: the image is too large for the format.
    """
    longest = max(image.size)
    if longest > kind.max_side:
        raise InputError(
            f"{kind.extensions[0]} holds at most {kind.max_side:,} pixels a side and the image has "
            f"{longest:,}",
            hint="write a .png, or resize the image first",
        )
    if kind.name == "PNG":
        return encode_png(image)
    options = dict(kind.options)
    if quality is not None and "quality" in options:
        options["quality"] = quality
    if kind.name == "ICO":
        options["sizes"] = [image.size]
    with TemporaryFile() as out:  # Pillow encodes without the GIL only if there is a file descriptor
        _fitted(image, kind).save(out, kind.name, **options)
        out.seek(0)
        return out.read()


def _fitted(image: Image, kind: OutputFormat) -> Image:
    """The image in a mode that the format supports."""
    if image.mode in kind.modes:
        return image
    has_alpha = image.has_transparency_data
    if has_alpha and kind.has_alpha:
        return image.convert("RGBA")
    if has_alpha:
        image = flat_rgb(image) if image.mode != "LA" else flat_rgb(image).convert("L")
    if image.mode in kind.modes:
        return image
    return image.convert("RGB" if "RGB" in kind.modes else "L")
