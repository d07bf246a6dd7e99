"""Names of the results of a batch: the names of the images, made unique."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from promptvision.errors import InputError
from promptvision.images.output import OutputFormat, output_format

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ResultName", "name_results"]

_KEPT_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP")
"""Formats that lose little or no quality; results of images in other formats become PNG."""
_CONVERTED_FORMATS = tuple(
    output_format(f"x.{extension}") for extension in ("png", "jpg", "webp", "avif", "tiff")
)
"""Formats that tools convert images to."""


class ResultName:
    """The name of one result; its extension depends on the resulting image.

    Args:
        path: relative, with the name of the image.
        converted: the names in other formats, by Pillow's name of the format; at least PNG.
    """

    def __init__(self, path: PurePath, converted: Mapping[str, PurePath]) -> None:
        self.path = path
        self._converted = converted

    @property
    def candidates(self) -> set[PurePath]:
        """All names that the result of an edit may get."""
        return {self.path, self._converted["PNG"]}

    def select(self, image: Image) -> tuple[PurePath, OutputFormat]:
        """The name and format of an edited image: those of the original if they can hold it, else PNG.

        A result with transparency, such as a cut-out, stays transparent.
        """
        try:
            kind = output_format(Path(self.path))
        except InputError:
            kind = None
        if (
            kind is not None
            and kind.name in _KEPT_FORMATS
            and max(image.size) <= kind.max_side
            and (kind.has_alpha or not _is_transparent(image))
        ):
            return self.path, kind
        return self._converted["PNG"], output_format(Path("x.png"))

    def select_converted(self, media_type: str) -> PurePath | None:
        """The name of an image that was converted to a format; None if names have no such format."""
        names = (self._converted[kind.name] for kind in _CONVERTED_FORMATS if kind.media_type == media_type)
        return next(names, None)


def name_results(images: Sequence[Path]) -> list[ResultName]:
    """Names for the results of images: their paths below the common parent folder.

    Images of one folder keep their names; for several folders, ``2024/a.jpg`` and ``2025/a.jpg`` do not
    collide. Names that differ only in case or Unicode form are treated as equal, as some file systems do.

    Args:
        images: absolute paths without duplicates.
    """
    root = os.path.commonpath([path.parent for path in images])
    taken: set[str] = set()
    paths = []
    for image in images:
        path = PurePath(os.path.relpath(image, root))
        paths.append(_free(chain([path], _numbered(path)), taken))
    return [
        ResultName(path, {kind.name: _name_in(kind, path, taken) for kind in _CONVERTED_FORMATS})
        for path in paths
    ]


def _name_in(kind: OutputFormat, path: PurePath, taken: set[str]) -> PurePath:
    if path.suffix.lower() in kind.extensions:
        return path
    extension = kind.extensions[0]
    appended = path.with_name(f"{path.name}{extension}")
    return _free(chain([path.with_suffix(extension), appended], _numbered(appended)), taken)


def _free(names: Iterable[PurePath], taken: set[str]) -> PurePath:
    """Return the first name that is not taken, and reserve it."""
    name = next(name for name in names if _key(name) not in taken)
    taken.add(_key(name))
    return name


def _numbered(path: PurePath) -> Iterator[PurePath]:
    return (path.with_name(f"{path.stem}~{number}{path.suffix}") for number in count(2))


def _key(path: PurePath) -> str:
    return unicodedata.normalize("NFC", str(path)).casefold()


def _is_transparent(image: Image) -> bool:
    if not image.has_transparency_data:
        return False
    if "A" not in image.getbands():
        return True
    least = image.getchannel("A").getextrema()[0]
    return not isinstance(least, int | float) or least < 255
