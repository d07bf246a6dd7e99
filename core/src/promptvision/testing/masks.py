"""Masks as created by users, programs and other APIs, each with the area that it selects.

They are used in the tests of all tools that accept masks. All are 640 x 360 or of that aspect ratio, and
select :func:`area` unless the case says otherwise. The cases are described in ``docs/masks.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MASKS", "SIZE", "MaskCase", "area", "photograph", "rectangles"]

SIZE = (640, 360)
"""Width and height of the image that the masks are for."""

_MINOR = (30, 250, 90, 330)


def rectangles(size: tuple[int, int], *boxes: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """A mask as an array, H x W bool: true inside the boxes. Needs numpy.

    Args:
        size: width and height in pixels.
        boxes: left, top, right and bottom in pixels; right and bottom are outside.
    """
    import numpy as np

    mask = np.zeros(size[::-1], bool)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


def area() -> Image.Image:
    """The expected area: a disc and a stroke, 6 % of the image; mode L, 0 and 255."""
    mask = Image.new("L", SIZE)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((100, 60, 200, 160), fill=255)
    draw.line((300, 300, 500, 260), fill=255, width=24)
    return mask


def photograph() -> Image.Image:
    """A textured colour image of the masks' size, mode RGB."""
    red = Image.linear_gradient("L").resize(SIZE)
    green = Image.radial_gradient("L").resize(SIZE)
    blue = Image.effect_noise(SIZE, 60)
    return Image.merge("RGB", (red, green, blue))


@dataclass(frozen=True, kw_only=True)
class MaskCase:
    """One kind of mask.

    Args:
        make: creates the mask.
        selects: creates the expected area, mode L, 0 and 255.
        notes: words that the tool's message must contain; empty if no note is needed.
        tolerance: share of the image that may differ, for soft edges and changes of size.
    """

    make: Callable[[], Image.Image]
    selects: Callable[[], Image.Image] = area
    notes: tuple[str, ...] = ()
    tolerance: float = 0.0


def _both() -> Image.Image:
    return ImageChops.lighter(area(), _minor())


def _minor() -> Image.Image:
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).rectangle(_MINOR, fill=255)
    return mask


def _painted(
    mode: str, ground: str | tuple[int, ...] | int, paint: str | tuple[int, ...] | int
) -> Image.Image:
    canvas = Image.new(mode, SIZE, ground)
    canvas.paste(paint, mask=area())
    return canvas


def _classes() -> Image.Image:
    """A palette image with two classes, as in segmentation data sets."""
    ids = Image.new("P", SIZE)
    ids.putpalette([0, 0, 0, 128, 0, 0, 0, 0, 64])
    ids.paste(1, mask=area())
    ids.paste(2, mask=_minor())
    return ids


def _class_ids() -> Image.Image:
    ids = Image.new("L", SIZE)
    ids.paste(1, mask=area())
    ids.paste(2, mask=_minor())
    return ids


def _two_colours() -> Image.Image:
    canvas = _painted("RGBA", (0, 0, 0, 0), (255, 0, 0, 255))
    canvas.paste((0, 160, 255, 255), mask=_minor())
    return canvas


def _with_alpha(image: Image.Image, alpha: Image.Image) -> Image.Image:
    image.putalpha(alpha)
    return image


def _half_transparent() -> Image.Image:
    return area().point(lambda value: value // 2)


def _within_layer() -> Image.Image:
    """A black and white mask that was placed on a larger transparent layer."""
    layer = Image.new("RGBA", SIZE, (255, 255, 255, 0))
    layer.paste((0, 0, 0, 255), (60, 30, 560, 340))
    layer.paste((255, 255, 255, 255), mask=area())
    return layer


_OPAQUE = ("opaque part",)
_HOLE = ("transparent part",)

MASKS: dict[str, MaskCase] = {
    "white on black": MaskCase(make=area),
    "white on black, RGB": MaskCase(make=lambda: area().convert("RGB")),
    "1 bit": MaskCase(make=lambda: area().convert("1")),
    "0 and 1": MaskCase(make=lambda: area().point(lambda value: value // 255)),
    "16 bit": MaskCase(make=lambda: area().convert("I").point(lambda value: value * 257)),
    "float 0 to 1": MaskCase(make=lambda: area().convert("F").point(lambda value: value * (1 / 255) + 0)),
    "dark grey on black": MaskCase(make=lambda: area().point(lambda value: value // 4)),
    "red on black": MaskCase(make=lambda: _painted("RGB", "black", "red")),
    "green on black": MaskCase(make=lambda: _painted("RGB", "black", "#00ff00")),
    "blue on black": MaskCase(make=lambda: _painted("RGB", "black", "blue")),
    "palette of classes": MaskCase(make=_classes, selects=_both),
    "class numbers": MaskCase(make=_class_ids, selects=_both),
    "soft edges": MaskCase(make=lambda: area().filter(ImageFilter.GaussianBlur(5)), tolerance=0.01),
    "red on white": MaskCase(make=lambda: _painted("RGB", "white", "red"), notes=("background colour",)),
    "white strokes on a transparent layer": MaskCase(
        make=lambda: _painted("RGBA", (0, 0, 0, 0), (255, 255, 255, 255)), notes=_OPAQUE
    ),
    "black strokes on a transparent layer": MaskCase(
        make=lambda: _painted("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)), notes=_OPAQUE
    ),
    "red strokes on a transparent layer": MaskCase(
        make=lambda: _painted("RGBA", (0, 0, 0, 0), (255, 0, 0, 255)), notes=_OPAQUE
    ),
    "strokes of two colours on a transparent layer": MaskCase(
        make=_two_colours, selects=_both, notes=_OPAQUE
    ),
    "white strokes on a transparent white layer": MaskCase(
        make=lambda: _painted("RGBA", (255, 255, 255, 0), (255, 255, 255, 255)), notes=_OPAQUE
    ),
    "white with the mask in alpha": MaskCase(
        make=lambda: _with_alpha(Image.new("L", SIZE, 255), area()), notes=_OPAQUE
    ),
    "half transparent strokes": MaskCase(
        make=lambda: _with_alpha(Image.new("RGB", SIZE, "red"), _half_transparent()), notes=_OPAQUE
    ),
    "black and white on part of a transparent layer": MaskCase(
        make=_within_layer, notes=("opaque part of the mask that is not black",)
    ),
    "photograph with a transparent hole": MaskCase(
        make=lambda: _with_alpha(photograph(), ImageChops.invert(area())), notes=_HOLE
    ),
    "black with a transparent hole": MaskCase(
        make=lambda: _painted("RGBA", (0, 0, 0, 255), (0, 0, 0, 0)), notes=_HOLE
    ),
    "white with a transparent hole": MaskCase(
        make=lambda: _painted("RGBA", (255, 255, 255, 255), (255, 255, 255, 0)), notes=_HOLE
    ),
    "half the size": MaskCase(
        make=lambda: area().resize((320, 180), Image.Resampling.NEAREST), notes=("320 x 180",), tolerance=0.01
    ),
    "double the size": MaskCase(
        make=lambda: area().resize((1280, 720), Image.Resampling.NEAREST), notes=("1280 x 720",)
    ),
    "black on white": MaskCase(
        make=lambda: ImageChops.invert(area()),
        selects=lambda: ImageChops.invert(area()),
        notes=("invert it",),
    ),
    "all white": MaskCase(
        make=lambda: Image.new("L", SIZE, 255),
        selects=lambda: Image.new("L", SIZE, 255),
        notes=("100%",),
    ),
}
"""Kinds of mask by name."""
