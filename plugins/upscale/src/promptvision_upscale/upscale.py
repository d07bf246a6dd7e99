"""The tool ``swin2sr``: enlarge an image."""

from __future__ import annotations

from PIL import Image

from promptvision.plugin import ArgumentsError, ToolContext, flat_rgb
from promptvision_upscale.enlarge import count_tiles, enlarge
from promptvision_upscale.plugin import UPSCALE, UpscaleArgs, UpscaleResult

__all__ = ["upscale"]

_MAX_PIXELS, _MAX_SIDE = 25_000_000, 16_384
"""Limits of a result, equal to those of an upload."""


def upscale(args: UpscaleArgs, context: ToolContext) -> UpscaleResult:
    """Enlarge an image, with two runs for a factor of 4. Greyscale and transparency are kept.

    Raises:
        ArgumentsError: the result would be too large.
        ToolFailed: the model returned values that are not finite.
    """
    image = context.open(args.image_url)
    width, height = (side * args.factor for side in image.size)
    if width * height > _MAX_PIXELS or max(width, height) > _MAX_SIDE:
        raise ArgumentsError(
            f"factor: {args.factor} times this image is {width} x {height} pixels; the limits are "
            f"{_MAX_PIXELS // 1_000_000} megapixels and {_MAX_SIDE} pixels a side"
        )
    sizes = [(image.width * scale, image.height * scale) for scale in (1, 2, 4) if scale < args.factor]
    total = sum(map(count_tiles, sizes))
    context.progress(0, total, "loading Swin2SR")
    model = context.lease(*UPSCALE.requires.chosen_models(context.settings.value))
    done = 0

    def on_tile() -> None:
        nonlocal done
        done += 1
        context.progress(done, total, "upscaling")

    made = flat_rgb(image)
    while made.width < width:
        made = enlarge(model, made, on_tile)
    made = made.convert(image.mode)
    if "A" in image.getbands():
        made.putalpha(image.getchannel("A").resize((width, height), Image.Resampling.LANCZOS))
    return UpscaleResult(
        original_image_url=args.image_url,
        upscaled_image_url=context.save(made, parent=args.image_url),
        width=width,
        height=height,
    )
