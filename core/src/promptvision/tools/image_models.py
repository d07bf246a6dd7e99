"""Arguments and results that operations on one image share."""

from __future__ import annotations

from pydantic import Field

from promptvision.tools.tool import Args, Result
from promptvision.types import ImageRef

__all__ = ["ImageArgs", "ImageResult"]


class ImageArgs(Args):
    """Arguments of an operation that needs only an image."""

    image_url: ImageRef = Field(description="Handle of the image to work on, such as img_1.")


class ImageResult(Result):
    """Result of any operation on one image."""

    original_image_url: ImageRef
