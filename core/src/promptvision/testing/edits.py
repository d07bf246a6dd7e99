"""A drawn scene with named regions, and requests with their expected changes, for tests of editing chains."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

__all__ = ["EDITS", "EditCase", "changed_shares", "edit_regions", "edit_scene"]

_SIZE = (480, 270)
_ZOOM = 4
"""The scene is drawn larger by this factor and scaled down, for smooth edges."""
_SAFE = 3
"""Margin in pixels between a region and the edge of its object, and around the background."""
_GROUND = (206, 200, 189)
_THINGS = {
    "big ball": ("ellipse", (45, 112, 135, 202), (204, 28, 30)),
    "blue box": ("rectangle", (180, 105, 254, 179), (50, 100, 224)),
    "dark box": ("rectangle", (390, 45, 449, 104), (20, 32, 112)),
    "cone": ("polygon", (285, 217, 307, 157, 329, 217), (40, 150, 68)),
    "small ball": ("ellipse", (316, 150, 360, 194), (204, 28, 30)),
}


@dataclass(frozen=True)
class EditCase:
    """A request about :func:`edit_scene`.

    Args:
        request: the user's message.
        changes: regions that must change; all others must stay bit-identical. Empty: the request is refused,
            or changes nothing.
    """

    request: str
    changes: tuple[str, ...]


def edit_scene() -> Image.Image:
    """Two red balls, a blue and a dark blue box and a green cone on a grey ground; 480 x 270, RGB."""
    return _drawn_scene().copy()


def edit_regions() -> dict[str, Image.Image]:
    """Masks of the objects (L, 255 inside) and of the background, each with a margin to its borders."""
    return {name: region.copy() for name, region in _drawn_regions().items()}


@cache
def _drawn_scene() -> Image.Image:
    scene = Image.new("RGB", (_SIZE[0] * _ZOOM, _SIZE[1] * _ZOOM), _GROUND)
    for kind, corners, colour in _THINGS.values():
        _draw(scene, kind, corners, colour)
    return scene.resize(_SIZE, Image.Resampling.BOX)


@cache
def _drawn_regions() -> dict[str, Image.Image]:
    regions: dict[str, Image.Image] = {}
    near = Image.new("L", _SIZE)
    for name, (kind, corners, _) in _THINGS.items():
        mask = Image.new("L", (_SIZE[0] * _ZOOM, _SIZE[1] * _ZOOM))
        _draw(mask, kind, corners, 255)
        mask = mask.resize(_SIZE, Image.Resampling.BOX)
        near = ImageChops.lighter(near, _grown(mask, _SAFE))
        for other in regions:  # objects drawn later are in front
            regions[other] = ImageChops.subtract(regions[other], _grown(mask, _SAFE))
        regions[name] = _shrunk(mask, _SAFE)
    regions["background"] = ImageChops.invert(near).point(lambda value: 255 if value == 255 else 0)
    return regions


def changed_shares(
    before: Image.Image, after: Image.Image, regions: dict[str, Image.Image]
) -> dict[str, float]:
    """Share of each region's pixels that differ between two images, 0 to 1."""
    bands = ImageChops.difference(before.convert("RGB"), after.convert("RGB")).split()
    changed = (
        ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2]).point(bool, "1").convert("L")
    )
    shares = {}
    for name, region in regions.items():
        inside = region.point(lambda value: 255 if value == 255 else 0)
        total = inside.histogram()[255]
        shares[name] = ImageChops.multiply(changed, inside).histogram()[255] / total
    return shares


def _draw(image: Image.Image, kind: str, corners: tuple[int, ...], fill: tuple[int, int, int] | int) -> None:
    getattr(ImageDraw.Draw(image), kind)([corner * _ZOOM for corner in corners], fill=fill)


def _grown(mask: Image.Image, pixels: int) -> Image.Image:
    return mask.filter(ImageFilter.MaxFilter(2 * pixels + 1)).point(lambda value: 255 if value else 0)


def _shrunk(mask: Image.Image, pixels: int) -> Image.Image:
    return mask.filter(ImageFilter.MinFilter(2 * pixels + 1)).point(lambda value: 255 if value == 255 else 0)


_RED, _BLUE = ("big ball", "small ball"), ("blue box", "dark box")
_ALL = (*_RED, *_BLUE, "cone")

EDITS = tuple(
    EditCase(request, changes)
    for request, changes in (
        ("change the green cone to purple", ("cone",)),
        ("remove the green cone", ("cone",)),
        ("make the red balls yellow", _RED),
        ("make the red ball yellow", ("big ball",)),
        ("remove one of the red balls", ("big ball",)),
        ("remove both red balls", _RED),
        ("remove every blue box", _BLUE),
        ("remove three red balls", ()),
        ("make the left red ball green", ("big ball",)),
        ("make the red ball on the right green", ("small ball",)),
        ("remove the second red ball from the left", ("small ball",)),
        ("remove the third red ball from the left", ()),
        ("make the last red ball blue", ("small ball",)),
        ("remove the biggest red ball", ("big ball",)),
        ("make the small red ball white", ("small ball",)),
        ("make the second largest red ball pink", ("small ball",)),
        ("make the top blue box red", ("dark box",)),
        ("make the smaller of the two red balls blue", ("small ball",)),
        ("make the navy box red", ("dark box",)),
        ("remove the blue box furthest to the right", ("dark box",)),
        ("make the upper right blue box orange", ("dark box",)),
        ("remove the dark blue box", ("dark box",)),
        ("remove the light blue box", ("blue box",)),
        ("make the red ball next to the green cone blue", ("small ball",)),
        ("remove the red ball left of the light blue box", ("big ball",)),
        ("make the blue box right of the green cone white", ("dark box",)),
        ("make the red things orange", _RED),
        ("make everything blue yellow", _BLUE),
        ("make everything that is red green", _RED),
        ("remove the red balls except the left one", ("small ball",)),
        ("make all red balls green except the biggest one", ("small ball",)),
        ("remove the red ball but not the blue box", ("big ball",)),
        ("remove the green cone, not the red balls", ("cone",)),
        ("make the red balls yellow but leave the small one alone", ("big ball",)),
        ("remove everything except the red balls", ("blue box", "dark box", "cone")),
        ("remove all but the light blue box", ("big ball", "small ball", "dark box", "cone")),
        ("remove all objects other than the light blue box", (*_RED, "dark box", "cone")),
        ("remove the non-red things", (*_BLUE, "cone")),
        ("leave only the blue boxes", (*_RED, "cone")),
        ("remove anything that is not blue", ("big ball", "small ball", "cone")),
        (
            "make everything except the light blue box black and white",
            (*_RED, "dark box", "cone", "background"),
        ),
        ("change everything but the red balls to blue", (*_BLUE, "cone", "background")),
        ("make the background blue", ("background",)),
        ("make the background black and white", ("background",)),
        ("make everything but the background black and white", _ALL),
        ("make the yellow background blue", ()),
        ("remove the background", ()),
        ("make the red balls green and the light blue box yellow", (*_RED, "blue box")),
        ("change the green cone to red and the dark blue box to white", ("cone", "dark box")),
        ("make the green cone and the dark blue box yellow", ("cone", "dark box")),
        ("change the green cone's colour to pink", ("cone",)),
        ("remove the green cone, please, thanks a lot!", ("cone",)),
        ("remove the green cone, cheers mate", ("cone",)),
        ("make the light blue box black and white", ("blue box",)),
        ("remove the balls that are not red", ()),
        ("remove the blue box's shadow", ()),
        ("remove the wooden table", ()),
        ("remove the red car", ()),
        ("remove the plastic red ball", ()),
        ("remove the red ball with dots", ()),
        ("make the green cone a rose", ()),
        ("remove the yellow ball", ()),
        ("don't remove the blue box", ()),
        ("make it red", ()),
        ("make the picture red", ()),
        ("remove the left one", ()),
        ("swap the colors of the red balls and the blue box", ()),
        ("undo", ()),
        ("hello", ()),
    )
)
"""Requests of every kind: counts, positions, sizes, shades, relations, exceptions, clauses, and cases that no
detector without a model can decide."""
