"""Parse colour names, and name the colours of an image."""

from __future__ import annotations

from functools import lru_cache

from PIL import ImageColor

from promptvision.plugin import ArgumentsError

__all__ = ["colour_name", "luminance", "read_colour"]

RGB = tuple[int, int, int]


def read_colour(argument: str, text: str) -> RGB:
    """The colour of a CSS name or a hex code.

    Args:
        argument: name of the argument, for the error.
        text: such as ``"white"`` or ``"#1e90ff"``.

    Raises:
        ArgumentsError: it is not a colour.
    """
    try:
        red, green, blue = ImageColor.getrgb(text.strip().lower().replace(" ", ""))[:3]
    except ValueError as exc:
        problem = (
            f"{argument}: {text!r} is not a colour; use a CSS name such as 'navy' or a code such as '#1e90ff'"
        )
        raise ArgumentsError(problem) from exc
    return red, green, blue


def luminance(colour: RGB) -> float:
    """Perceived brightness, 0 to 255 (ITU-R BT.601 weights)."""
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue


@lru_cache(maxsize=1)
def _named() -> tuple[tuple[str, RGB], ...]:
    return tuple((name, read_colour("name", name)) for name in ImageColor.colormap)


@lru_cache(maxsize=4096)
def colour_name(colour: RGB) -> str:
    """The CSS colour name that is nearest in sRGB, weighted by how well the eye distinguishes the channels.

    Source: the "redmean" approximation, https://www.compuphase.com/cmetric.htm.
    """

    def distance(other: RGB) -> float:
        mean = (colour[0] + other[0]) / 2
        red, green, blue = (a - b for a, b in zip(colour, other, strict=True))
        return (2 + mean / 256) * red**2 + 4 * green**2 + (2 + (255 - mean) / 256) * blue**2

    return min(_named(), key=lambda named: distance(named[1]))[0]
