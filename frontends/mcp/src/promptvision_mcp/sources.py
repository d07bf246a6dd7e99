"""The forms in which a client names an image: handle, resource URI, path, https URL or data URI."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from promptvision.plugin import ImageRef, InputError, TooLarge, is_image_id

__all__ = ["ImageSources", "image_uri", "is_handle"]

SCHEME = "promptvision://images/"
MAX_BYTES = 20_000_000

_HANDLE = re.compile(r"\[?\s*img_[0-9]{1,9}\s*\]?", re.ASCII | re.IGNORECASE)


def is_handle(text: str) -> bool:
    """Whether a text has the form of a handle, such as ``img_3``."""
    return _HANDLE.fullmatch(text.strip()) is not None


def image_uri(image_id: str) -> str:
    """The URI of an image as a resource."""
    return SCHEME + image_id


class ImageSources:
    """Reads images in the forms that a client may send.

    Args:
        roots: folders in which paths may be read; none: paths are refused.
    """

    def __init__(self, roots: Sequence[Path] = ()) -> None:
        self._roots = tuple(root.expanduser().resolve() for root in roots)

    @property
    def forms(self) -> str:
        """Description of the accepted forms."""
        path = ", a path under an allowed folder" if self._roots else ""
        return f"a handle such as img_1, an https URL, a data: URI{path}"

    async def read(self, text: str) -> bytes | str | ImageRef:
        """The source of an image that is not named by its handle.

        Raises:
            InputError: it has another form, or the path is not in an allowed folder.
        """
        if text.startswith(SCHEME):
            return ImageRef(self.image_id(text))
        scheme = text[:10].partition(":")[0].lower()
        if scheme in ("http", "https", "data"):
            return text
        if "://" in text and scheme != "file":
            raise InputError("image: not an address that is accepted", hint=f"give {self.forms}")
        return await asyncio.to_thread(self._read_path, _path(text) if scheme == "file" else Path(text))

    @staticmethod
    def image_id(uri: str) -> str:
        """The image id in a resource URI.

        Raises:
            InputError: it is not the URI of an image.
        """
        image_id = uri.removeprefix(SCHEME)
        if not uri.startswith(SCHEME) or not is_image_id(image_id):
            raise InputError(f"not the URI of an image; write {SCHEME}ID")
        return image_id

    def _read_path(self, path: Path) -> bytes:
        """Read a file. Links are followed before the folder is checked."""
        if not self._roots:
            raise InputError(
                "image: paths are not read here",
                hint=f"give {self.forms}; `promptvision mcp --root FOLDER` allows paths in a folder",
            )
        try:
            tries = [path.expanduser()] if path.is_absolute() else [root / path for root in self._roots]
            found = [real for one in tries if (real := one.resolve()).is_file()]
            inside = [real for real in found if any(real.is_relative_to(root) for root in self._roots)]
            if not inside:
                folders = ", ".join(map(str, self._roots))
                raise InputError(f"image: no such file in the allowed folders ({folders})")
            with inside[0].open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, RuntimeError, ValueError) as exc:  # ValueError: a NUL in the path
            raise InputError("image: the file cannot be read") from exc
        if len(data) > MAX_BYTES:
            raise TooLarge(f"image: larger than {MAX_BYTES // 10**6} MB", hint="scale it down")
        return data


def _path(url: str) -> Path:
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise InputError("image: not a valid file URL") from exc
    if parts.netloc not in ("", "localhost"):
        raise InputError("image: a file URL of another machine")
    return Path(unquote(parts.path))
