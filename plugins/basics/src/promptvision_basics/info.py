"""Facts about an image."""

from __future__ import annotations

from PIL import Image

from promptvision.plugin import ImageArgs, ToolContext
from promptvision_basics.colours import colour_name
from promptvision_basics.models import Colour, InfoResult

__all__ = ["describe", "main_colours"]

_SAMPLE = 256
_COLOURS = 6


def describe(args: ImageArgs, context: ToolContext) -> InfoResult:
    """Size, mode, stored format and main colours."""
    image = context.open(args.image_url)
    stored = context.stat(args.image_url)
    context.check_cancelled()
    return InfoResult(
        original_image_url=args.image_url,
        width=image.width,
        height=image.height,
        megapixels=round(image.width * image.height / 1e6, 2),
        mode=image.mode,
        format=stored.media_type,
        file_bytes=stored.size,
        has_transparency=_has_transparency(image),
        colours=main_colours(image),
    )


def main_colours(image: Image.Image) -> list[Colour]:
    """The most frequent colours, by median cut on a copy of at most 256 pixels a side.

    Fully transparent pixels are ignored.
    """
    small = image.convert("RGBA")
    small.thumbnail((_SAMPLE, _SAMPLE), Image.Resampling.BOX)
    data = small.tobytes()
    seen = b"".join(data[at : at + 3] for at in range(0, len(data), 4) if data[at + 3])
    if not seen:
        return []
    pixels = Image.frombytes("RGB", (len(seen) // 3, 1), seen)
    quantized = pixels.quantize(_COLOURS, Image.Quantize.MEDIANCUT)
    table, counts = quantized.getpalette() or [], quantized.histogram()
    found = [
        _colour((table[3 * index], table[3 * index + 1], table[3 * index + 2]), count / pixels.width)
        for index, count in enumerate(counts)
        if count
    ]
    return sorted(found, key=lambda colour: -colour.share)


def _colour(rgb: tuple[int, int, int], share: float) -> Colour:
    return Colour(name=colour_name(rgb), hex="#{:02x}{:02x}{:02x}".format(*rgb), share=round(share, 3))


def _has_transparency(image: Image.Image) -> bool:
    return "A" in image.getbands() and image.getchannel("A").histogram()[255] < image.width * image.height
