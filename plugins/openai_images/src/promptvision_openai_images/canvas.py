"""Fit an image onto a canvas of a size that image models support, and extract it in its original size."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageChops

__all__ = ["SIZES", "Canvas", "make_canvas", "png"]

SIZES = {"square": (1024, 1024), "landscape": (1536, 1024), "portrait": (1024, 1536)}
"""Format to width and height in pixels, as supported by OpenAI's image models."""


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """An image scaled and centred on a canvas.

    Args:
        size: of the canvas.
        content: the box of the image on it, ``(left, top, right, bottom)``.
        original: size of the image.
    """

    size: tuple[int, int]
    content: tuple[int, int, int, int]
    original: tuple[int, int]

    def place(self, image: Image.Image) -> Image.Image:
        """The image on the canvas; the margin repeats its edge. Mode RGB."""
        left, top, right, bottom = self.content
        inner = image.convert("RGB").resize((right - left, bottom - top), Image.Resampling.LANCZOS)
        canvas = Image.new("RGB", self.size)
        for box, strip in (
            ((0, top, left, bottom), (0, 0, 1, inner.height)),
            ((right, top, self.size[0], bottom), (inner.width - 1, 0, inner.width, inner.height)),
            ((left, 0, right, top), (0, 0, inner.width, 1)),
            ((left, bottom, right, self.size[1]), (0, inner.height - 1, inner.width, inner.height)),
        ):
            if box[0] < box[2] and box[1] < box[3]:
                canvas.paste(inner.crop(strip).resize((box[2] - box[0], box[3] - box[1])), box[:2])
        canvas.paste(inner, (left, top))
        return canvas

    def place_mask(self, mask: Image.Image) -> Image.Image:
        """A mask (L, 255 = edit) in the format of hosts: RGBA, transparent where the image may change."""
        left, top, right, bottom = self.content
        alpha = Image.new("L", self.size, 255)
        inner = mask.resize((right - left, bottom - top), Image.Resampling.BOX)
        alpha.paste(ImageChops.invert(inner.point(lambda value: 255 if value else 0)), (left, top))
        made = Image.new("RGBA", self.size)
        made.putalpha(alpha)
        return made

    def take(self, made: Image.Image) -> Image.Image:
        """Extract the image from a canvas of any size, in the size of the original. Mode RGB."""
        scaled = made.convert("RGB")
        if scaled.size != self.size:
            scaled = scaled.resize(self.size, Image.Resampling.LANCZOS)
        return scaled.crop(self.content).resize(self.original, Image.Resampling.LANCZOS)


def make_canvas(size: tuple[int, int]) -> Canvas:
    """The canvas on which an image of this size is drawn largest."""
    scales = {canvas: min(canvas[0] / size[0], canvas[1] / size[1]) for canvas in SIZES.values()}
    chosen = max(scales, key=lambda canvas: scales[canvas] ** 2 / (canvas[0] * canvas[1]))
    width, height = (max(1, round(side * scales[chosen])) for side in size)
    left, top = (chosen[0] - width) // 2, (chosen[1] - height) // 2
    return Canvas(size=chosen, content=(left, top, left + width, top + height), original=size)


def png(image: Image.Image) -> bytes:
    """The image as a PNG file."""
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
