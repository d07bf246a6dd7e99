"""Parse the locations that Florence-2 writes into boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from promptvision.plugin import Box
from promptvision_florence.generation import BINS

__all__ = ["Region", "bounding_box", "split_regions"]


@dataclass(frozen=True)
class Region:
    """Some words and the locations that follow them, as positions in the token ids."""

    text: range
    locations: range


def split_regions(ids: Sequence[int], first_location: int) -> Iterator[Region]:
    """Split an answer into regions.

    Args:
        ids: token ids.
        first_location: id of ``<loc_0>``.
    """
    start = run = 0
    for position in range(len(ids) + 1):
        if position < len(ids) and first_location <= ids[position] < first_location + BINS:
            continue
        if run < position:
            yield Region(range(start, run), range(run, position))
            start = position
        run = position + 1


def bounding_box(bins: Sequence[int], width: int, height: int) -> Box | None:
    """The bounding box of points in bins; None if it has no area.

    Args:
        bins: x and y alternately, 0 to 999.
        width: of the image, in pixels.
        height: likewise.
    """
    x1, x2 = (_pixels(pick(bins[0::2]), width) for pick in (min, max))
    y1, y2 = (_pixels(pick(bins[1::2]), height) for pick in (min, max))
    return Box(x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def _pixels(bin_: int, side: int) -> float:
    """The centre of a bin, as in transformers' ``Florence2PostProcessor.dequantize``."""
    return round((bin_ + 0.5) * side / BINS, 2)
