"""The forms in which Python callers give an image, reduced to those that requests carry."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias

from promptvision.agent.request import Source
from promptvision.errors import InputError
from promptvision.images.codec import MAX_BYTES, encode_png
from promptvision.types import ImageRef

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ImageArray", "ImageInput", "to_source"]


class ImageArray(Protocol):
    """A numpy array, or anything else with its array interface."""

    @property
    def __array_interface__(self) -> dict[str, Any]: ...


ImageInput: TypeAlias = "Source | Image | ImageArray | BinaryIO"
"""A :data:`~promptvision.agent.request.Source`, a PIL image, a numpy array or an open binary file.

An array is H x W (greyscale), H x W x 3 (RGB) or H x W x 4 (RGBA), uint8; or H x W, bool.
"""


async def to_source(image: ImageInput | None) -> Source | None:
    """Convert an image to a request source: encode pixels as PNG and read files, in a thread.

    Raises:
        InputError: the array has another shape or type, or the file was opened as text.
    """
    if image is None or isinstance(image, bytes | str | Path | ImageRef):
        return image
    return await asyncio.to_thread(_encode, image)


def _encode(image: Image | ImageArray | BinaryIO) -> bytes:
    from PIL import Image as images  # noqa: N813

    if isinstance(image, images.Image):
        return encode_png(image)
    if hasattr(image, "__array_interface__"):
        return encode_png(_from_array(image))
    if hasattr(image, "read"):
        data = image.read(MAX_BYTES + 1)
        if isinstance(data, bytes):
            return data
        raise InputError("image: the file is open in text mode", hint="open it with mode 'rb'")
    raise InputError(
        f"image: {type(image).__name__} is not an image",
        hint="give a path, a URL, bytes, a PIL image, a numpy array or an open binary file",
    )


def _from_array(array: ImageArray) -> Image:
    from PIL import Image as images  # noqa: N813

    shape, kind = tuple(array.__array_interface__["shape"]), array.__array_interface__["typestr"]
    is_mask = kind == "|b1" and len(shape) == 2
    is_image = kind == "|u1" and (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4)))
    if not (is_mask or is_image) or 0 in shape:
        raise InputError(
            f"image: an array of shape {shape} and type {kind!r} is not an image",
            hint="give uint8 of shape H x W, H x W x 3 (RGB) or H x W x 4 (RGBA)",
        )
    return images.fromarray(array)
