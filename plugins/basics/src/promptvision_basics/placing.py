"""Convert named positions on an image to pixels."""

from __future__ import annotations

from promptvision_basics.models import Place

__all__ = ["corner_of"]


def corner_of(
    place: Place, outer: tuple[int, int], inner: tuple[int, int], margin: int = 0
) -> tuple[int, int]:
    """Left and top of a rectangle at a named position of a larger one.

    Args:
        place: such as ``"bottom right"``.
        outer: width and height of the image.
        inner: width and height of the rectangle.
        margin: distance from the edges in pixels.
    """
    left, top = (outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2
    if "left" in place:
        left = margin
    if "right" in place:
        left = outer[0] - inner[0] - margin
    if "top" in place:
        top = margin
    if "bottom" in place:
        top = outer[1] - inner[1] - margin
    return left, top
