"""Tests that every tool that edits within a mask must pass; a plugin runs them by subclassing."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from PIL import Image, ImageChops

from promptvision.runtime.context import CallContext
from promptvision.testing.context import run_tool
from promptvision.testing.masks import MASKS
from promptvision.tools.decorator import ToolLike
from promptvision.tools.tool import Result
from promptvision.types import MaskRef

__all__ = ["EDIT_MODES", "EDIT_REGIONS", "EDIT_SIZES", "MaskedEditContract"]

_SIZE = (101, 77)

EDIT_REGIONS: dict[str, tuple[tuple[int, int, int, int], ...]] = {
    "1 percent": ((40, 30, 49, 39),),
    "90 percent": ((3, 2, 98, 76),),
    "all": ((0, 0, *_SIZE),),
    "at the border": ((0, 50, 30, 77),),
    "several regions": ((5, 5, 20, 20), (60, 40, 90, 70), (95, 0, 101, 9)),
    "one pixel": ((50, 40, 51, 41),),
}
"""Masks of an image of 101 x 77 pixels, as boxes."""

EDIT_MODES = ("L", "LA", "RGB", "RGBA")
EDIT_SIZES = ((57, 133), (133, 57), (9, 9))


class MaskedEditContract:
    """Subclass it in a test file, set :attr:`tool` and :attr:`field`, and override :meth:`edit_context`.

    Pixels outside the mask must be bit-identical for masks of every size, mode of image and kind of mask, and
    pixels inside must change. So the model must paint something that differs from noise.
    """

    tool: ClassVar[ToolLike]
    """The tool under test."""
    field: ClassVar[str] = "inpainted_image_url"
    """Field of the result that holds the edited image."""
    values: ClassVar[Mapping[str, Any]] = {}
    """Arguments beside the image and the mask."""

    def edit_context(self, image: Image.Image) -> CallContext:
        """The context of one call on an image, in which the tool can run."""
        raise NotImplementedError

    def edit(self, image: Image.Image, mask: Image.Image) -> tuple[Result, Image.Image]:
        """Make one call; the result and the edited image."""
        context = self.edit_context(image)
        ref = MaskRef(context.save(mask, kind="mask").id)
        result: Result = run_tool(self.tool, image, context=context, mask_url=ref, **self.values)
        return result, context.open(getattr(result, self.field))

    @pytest.mark.parametrize("region", EDIT_REGIONS)
    def test_pixels_outside_the_mask_are_bit_identical(self, region: str) -> None:
        """Masks of one pixel, of all, at the border and in several parts."""
        image, mask = _noise("RGB", _SIZE), _mask(_SIZE, *EDIT_REGIONS[region])
        _, made = self.edit(image, mask)
        assert made.size == image.size
        changed = _changed(image, made)
        assert ImageChops.subtract(changed, mask).getbbox() is None, "a pixel outside the mask changed"
        assert ImageChops.darker(changed, mask).getbbox() is not None, "no pixel inside the mask changed"

    @pytest.mark.parametrize("mode", EDIT_MODES)
    @pytest.mark.parametrize("size", EDIT_SIZES)
    def test_size_and_mode_are_kept(self, size: tuple[int, int], mode: str) -> None:
        """Greyscale and transparent images, with odd sides."""
        image, mask = _noise(mode, size), _mask(size, (2, 3, 8, 9))
        _, made = self.edit(image, mask)
        assert (made.size, made.mode) == (image.size, image.mode)
        outside = ImageChops.subtract(_changed(image, made), mask)
        assert outside.getbbox() is None, "a pixel outside the mask changed"

    @pytest.mark.parametrize("kind", MASKS)
    def test_kind_of_mask_changes_what_it_means(self, kind: str) -> None:
        """Masks as users, programs and other APIs make them; see ``docs/masks.md``."""
        case = MASKS[kind]
        selected = case.selects()
        result, made = self.edit(_noise("RGB", selected.size), case.make())
        changed = _changed(_noise("RGB", selected.size), made)
        outside = ImageChops.subtract(changed, selected).histogram()[255]
        assert outside / (selected.width * selected.height) <= case.tolerance
        inside = ImageChops.darker(changed, selected).histogram()[255]
        assert inside / selected.histogram()[255] > 0.9
        for part in case.notes:
            assert part in (result.message or "")


def _noise(mode: str, size: tuple[int, int]) -> Image.Image:
    """An image whose pixels are independent of each other."""
    values = random.Random(7).randbytes(4 * size[0] * size[1])  # noqa: S311  # noise, not a secret
    return Image.frombytes("RGBA", size, values).convert(mode)


def _mask(size: tuple[int, int], *boxes: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", size)
    for box in boxes:
        mask.paste(255, box)
    return mask


def _changed(before: Image.Image, after: Image.Image) -> Image.Image:
    """Mode L: 255 where any channel of a pixel differs."""
    changed = Image.new("L", before.size)
    for band in ImageChops.difference(before, after).split():
        changed = ImageChops.lighter(changed, band.point(lambda value: 255 if value else 0))
    return changed
