"""Convert any pixel layout and colour space to 8-bit greyscale or sRGB, with or without alpha."""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageCms import ImageCmsTransform

__all__ = ["flat_rgb", "is_srgb", "to_plain_mode", "to_srgb"]

_PLAIN = ("L", "LA", "RGB", "RGBA")
_PROFILE_MODES = {"RGB ": ("RGB", "RGBA"), "GRAY": ("L",), "CMYK": ("CMYK",)}
_LEAST_OF_255 = 4.0
"""Float samples below this maximum are read as 0..1 with highlights, not as a dark image of 0..255."""
_TOLERANCE = 2  # of 255: difference between sRGB profiles of different vendors


def flat_rgb(image: Image) -> Image:
    """An RGB copy with transparent pixels composited onto white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    from PIL import Image as images  # noqa: N813

    background = images.new("RGBA", image.size, "white")
    return images.alpha_composite(background, image.convert("RGBA")).convert("RGB")


def to_plain_mode(image: Image) -> Image:
    """The image in mode L, LA, RGB or RGBA, its colours read as sRGB; returned unchanged if already so.

    16-bit samples keep their high byte. 32-bit samples have no standard white level: the ranges 0..1 and
    0..255 (float) and 0..65535 (integer) are recognised; other values are stretched from the darkest (black)
    to the lightest (white).

    Raises:
        ValueError: float samples that are not numbers.
    """
    if image.mode.startswith("I;16"):
        return _scale(image.convert("I"), 0, 65536)
    if image.mode in ("I", "F"):
        return _scale(image, *_range(image))
    if image.mode == "LAB":
        return _from_lab(image)
    if image.has_transparency_data and not (image.mode in _PLAIN and image.mode.endswith("A")):
        return image.convert("LA" if image.mode in ("1", "L", "La") else "RGBA")
    if image.mode in _PLAIN:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def to_srgb(image: Image, profile: Any) -> Image:
    """The image in mode L, LA, RGB or RGBA with a colour profile applied.

    Args:
        image: any mode.
        profile: an ICC profile, or None. One that cannot be read, or is for another kind of image, is
            ignored, as viewers do.
    """
    if image.mode != "CMYK":
        image = to_plain_mode(image)
    if image.mode == "LA":
        from PIL.Image import merge

        grey, alpha = image.split()
        return merge("LA", (_apply(grey, _transform(profile, "L")), alpha))
    return _apply(image, _transform(profile, image.mode))


def is_srgb(image: Image) -> bool:
    """Whether the image looks the same without its colour profile, judged on sample colours.

    Args:
        image: mode L or RGB; reading its header is enough.
    """
    from PIL import ImageChops

    transform = _transform(image.info.get("icc_profile"), image.mode)
    if transform is None:
        return True
    probe = _probe(image.mode)
    difference: Any = ImageChops.difference(probe, _apply(probe, transform))
    highest = max(high for _, high in (band.getextrema() for band in difference.split()))
    return bool(highest <= _TOLERANCE)


def _range(image: Image) -> tuple[float, float]:
    low, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("samples that are not numbers")
    white = 65536.0 if image.mode == "I" else 256 / 255
    if image.mode == "F" and high >= _LEAST_OF_255:
        white = 256.0
    if low >= 0 and high <= white:
        return 0.0, white
    return low, high + (high - low or 1.0) / 255


def _scale(image: Image, low: float, high: float) -> Image:
    factor = 256 / (high - low)
    return image.point(lambda value: value * factor + -low * factor).convert("L")


def _from_lab(image: Image) -> Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
    return transform.apply(image)


def _transform(profile: Any, mode: str) -> ImageCmsTransform | None:
    """The transform from the profile to sRGB for this mode; None without a suitable profile."""
    if not isinstance(profile, bytes):
        return None
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if mode not in _PROFILE_MODES.get(source.profile.xcolor_space, ()):
            return None
        target = mode if mode == "RGBA" else "RGB"
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, target)
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return None


def _apply(image: Image, transform: ImageCmsTransform | None) -> Image:
    if transform is None:
        return to_plain_mode(image)
    shown: Image = transform.apply(image)
    return shown.convert("L") if image.mode == "L" else shown


def _probe(mode: str) -> Image:
    from PIL.Image import frombytes

    if mode == "L":
        return frombytes("L", (256, 1), bytes(range(256)))
    steps = range(0, 256, 15)
    lattice = bytes(value for r in steps for g in steps for b in steps for value in (r, g, b))
    return frombytes("RGB", (len(steps) ** 2, len(steps)), lattice)
