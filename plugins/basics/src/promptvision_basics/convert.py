"""Store an image in another format."""

from __future__ import annotations

from promptvision.plugin import ToolContext
from promptvision_basics.models import ConvertArgs, ConvertResult

__all__ = ["convert"]

_LOSSLESS = ("png", "tiff")
_OPAQUE = ("jpeg", "jpg")


def convert(args: ConvertArgs, context: ToolContext) -> ConvertResult:
    """Encode the image; the message says what the format does not keep."""
    image = context.open(args.image_url)
    made = context.save_as(image, args.format, quality=args.quality, parent=args.image_url)
    stored = context.stat(made)
    result = ConvertResult(
        original_image_url=args.image_url,
        converted_image_url=made,
        format=stored.media_type,
        file_bytes=stored.size,
    )
    notes = []
    if args.quality is not None and args.format in _LOSSLESS:
        notes.append(f"{args.format.upper()} is lossless, so the quality has no effect.")
    if args.format in _OPAQUE and "A" in image.getbands():
        notes.append("JPEG has no transparency, so transparent parts are white.")
    return result.model_copy(update={"message": " ".join([result.summary(), *notes])}) if notes else result
