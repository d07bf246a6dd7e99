"""The tool ``cutout``: keep the subject of an image and replace its background."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageColor, ImageFilter, ImageOps

from promptvision.plugin import ArgumentsError, ToolContext, ToolFailed, flat_rgb, read_mask
from promptvision_cutout.edges import Rgb, decontaminate
from promptvision_cutout.matte import Alpha, MattingModel, matte
from promptvision_cutout.plugin import BLUR, CUTOUT, TRANSPARENT, CutoutArgs, CutoutResult

__all__ = ["cut_out"]

_LEAST = 0.5
"""Minimum alpha of the most certain pixel of a subject."""
_ROOM = 0.15
"""Context that the model sees around a target, as a share of its size."""
_REACH = 0.02
"""How far a subject may extend beyond its rough mask, as a share of the image's longer side."""
_BLUR_RADIUS = 0.025
"""Radius of a blurred background, as a share of the image's longer side."""

_Background = Callable[[Image.Image, Alpha], Image.Image]


def cut_out(args: CutoutArgs, context: ToolContext) -> CutoutResult:
    """Keep the main subject, or the target.

    Raises:
        ArgumentsError: the background is not a colour, or the mask does not match the image.
        ToolFailed: no subject was found.
    """
    image = context.open(args.image_url)
    make_background = _background(args, context)
    limit = read_mask(context.open(args.mask_url), image.size).image if args.mask_url else None
    context.progress(0, 3, "loading the matting model")
    model = context.lease(*CUTOUT.requires.chosen_models(context.settings.value))
    context.progress(1, 3, "finding the subject")
    flat = flat_rgb(image)
    alpha, message = (matte(model, flat), None) if limit is None else _matte_within(model, flat, limit)
    if "A" in image.getbands():
        alpha = np.minimum(alpha, _share(image.getchannel("A")))
    levels = np.rint(alpha * 255).astype(np.uint8)
    if levels.max(initial=0) < _LEAST * 255:
        raise ToolFailed("cutout: no subject stands out in this image; name what to keep")
    context.progress(2, 3, "cleaning the edges")
    alpha = _share(Image.fromarray(levels))
    subject = decontaminate(np.asarray(flat), alpha)
    if make_background is None:
        made = _with_alpha(subject, levels)
    else:
        made = _over(subject, alpha, make_background(flat, alpha))
    return CutoutResult(
        original_image_url=args.image_url,
        cutout_image_url=context.save(made, parent=args.image_url),
        kept=round(float(alpha.mean()), 4),
        message=message,
    )


def _matte_within(model: MattingModel, image: Image.Image, mask: Image.Image) -> tuple[Alpha, str | None]:
    """The matte of the area of a rough mask, 0 to 1, and a note if the model found another subject."""
    box = mask.getbbox()
    if box is None:  # read_mask rejects an empty mask
        raise ToolFailed("cutout: the mask selects nothing")
    across, down = round(_ROOM * (box[2] - box[0])) + 8, round(_ROOM * (box[3] - box[1])) + 8
    window = (
        max(0, box[0] - across),
        max(0, box[1] - down),
        min(image.width, box[2] + across),
        min(image.height, box[3] + down),
    )
    found = np.zeros((image.height, image.width), np.float32)
    found[window[1] : window[3], window[0] : window[2]] = matte(model, image.crop(window))
    inside = np.asarray(mask) > 0
    if found[inside].mean() < _LEAST:
        note = "The matting model found another subject, so the edge of the rough mask is used."
        return _share(mask.filter(ImageFilter.BoxBlur(1))), note
    reach = max(1, round(_REACH * max(image.size)))
    allowed = _share(mask.filter(ImageFilter.BoxBlur(reach)))
    return found * np.clip(4 * allowed, 0, 1), None


def _share(channel: Image.Image) -> Alpha:
    """A channel as values from 0 to 1."""
    return np.asarray(np.asarray(channel) / 255, np.float32)


def _background(args: CutoutArgs, context: ToolContext) -> _Background | None:
    """The background of the result; None for transparency.

    Raises:
        ArgumentsError: ``background`` is neither a keyword nor a colour.
    """
    if args.background_url is not None:
        other = flat_rgb(context.open(args.background_url))
        return lambda image, alpha: ImageOps.fit(other, image.size, Image.Resampling.LANCZOS)
    wanted = args.background.strip().lower()
    if wanted == TRANSPARENT:
        return None
    if wanted == BLUR:
        return _blurred
    try:
        colour = ImageColor.getrgb(wanted)
    except ValueError as exc:
        raise ArgumentsError(
            f"background: {args.background!r} is not 'transparent', 'blur' or a colour such as 'white' "
            "or '#1e90ff'"
        ) from exc
    return lambda image, alpha: Image.new("RGB", image.size, colour[:3])


def _blurred(image: Image.Image, alpha: Alpha) -> Image.Image:
    """The background, blurred without the subject, which would bleed into it."""
    blur = ImageFilter.GaussianBlur(max(2, _BLUR_RADIUS * max(image.size)))
    rest = Image.fromarray(np.rint((1 - alpha) * 255).astype(np.uint8))
    held = Image.composite(image, Image.new("RGB", image.size), rest).filter(blur)
    weight = np.asarray(rest.filter(blur), np.float32)[..., None] / 255
    shown = np.asarray(held, np.float32) / np.maximum(weight, 1 / 255)
    return Image.fromarray(np.clip(np.rint(shown), 0, 255).astype(np.uint8))


def _with_alpha(subject: Rgb, levels: Rgb) -> Image.Image:
    """RGBA; fully transparent pixels have no colour, so that the background cannot be recovered."""
    made = Image.fromarray(np.where(levels[..., None] > 0, subject, 0).astype(np.uint8))
    made.putalpha(Image.fromarray(levels))
    return made


def _over(subject: Rgb, alpha: Alpha, background: Image.Image) -> Image.Image:
    share = alpha[..., None]
    mixed = share * subject + (1 - share) * np.asarray(background, np.float32)
    return Image.fromarray(np.rint(mixed).astype(np.uint8))
