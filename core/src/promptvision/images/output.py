"""Write an image to a file, in the format that the file's name asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from promptvision.errors import InputError
from promptvision.images.codec import encode_png
from promptvision.images.colour import flat_rgb

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["JPEG_QUALITY", "save_image"]

JPEG_QUALITY = 95
"""High enough that an edit is not visibly worse than its original."""


def save_image(image: Image, path: str | Path) -> None:
    """Write an image in the format of the file's extension; a JPEG is flattened onto white.

    Args:
        image: any mode; it is not changed.
        path: a file name that ends in an image format, such as ``.png`` or ``.jpg``.

    Raises:
        InputError: the name has no known extension, or the file cannot be written.
    """
    file = Path(path)
    extension = file.suffix.lower()
    try:
        if extension == ".png":
            file.write_bytes(encode_png(image))
        elif extension in (".jpg", ".jpeg"):
            flat_rgb(image).save(file, quality=JPEG_QUALITY)
        else:
            image.save(file)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise InputError(f"{path}: {reason}", hint="choose another name or format") from exc
