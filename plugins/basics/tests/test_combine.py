"""Combining several images in one."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from promptvision.plugin import ArgumentsError, ToolFailed
from promptvision.testing import make_context, run_tool
from promptvision_basics.plugin import promptvision_tools

COMBINE = next(tool for tool in promptvision_tools() if tool.name == "pillow_combine")
RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 128, 0)


def combined(
    first: Image.Image, *others: Image.Image, mask: Image.Image | None = None, **args: Any
) -> Image.Image:
    context = make_context()
    refs = [context.save(image, kind="input") for image in others]
    if mask is not None:
        args["mask_url"] = context.save_mask(mask)
    return context.open(run_tool(COMBINE, first, context=context, others=refs, **args).combined_image_url)


def plain(colour: Any, size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.new("RGB", size, colour)


def test_side_by_side_scales_all_to_one_height() -> None:
    made = combined(plain(RED), plain(BLUE, (20, 60)), gap=4)
    assert made.size == (40 + 4 + 10, 30)
    assert [made.getpixel((x, 15)) for x in (5, 42, 50)] == [RED, (255, 255, 255), BLUE]


def test_stacked_scales_all_to_one_width() -> None:
    made = combined(plain(RED), plain(BLUE, (80, 20)), layout="stacked")
    assert made.size == (40, 40)
    assert [made.getpixel((20, y)) for y in (5, 35)] == [RED, BLUE]


def test_grid_of_three_has_two_columns() -> None:
    made = combined(plain(RED), plain(BLUE), plain(GREEN), layout="grid")
    assert made.size == (80, 60)
    assert [made.getpixel(at) for at in ((5, 5), (45, 5), (5, 35), (45, 35))] == [
        RED,
        BLUE,
        GREEN,
        (255,) * 3,
    ]


def test_paste_with_a_mask_uses_that_part_only() -> None:
    mask = Image.new("L", (20, 20))
    mask.paste(255, (0, 0, 10, 20))
    made = combined(plain(RED), plain(BLUE, (20, 20)), mask=mask, layout="paste", place="top left")
    assert made.size == (40, 30)
    assert [made.getpixel((x, 5)) for x in (5, 15)] == [BLUE, RED]


def test_paste_larger_than_the_image_is_cut() -> None:
    made = combined(plain(RED), plain(BLUE, (400, 300)), layout="paste")
    assert made.size == (40, 30)
    assert made.getpixel((20, 15)) == BLUE


def test_paste_of_two_images_is_refused() -> None:
    with pytest.raises(ArgumentsError, match="exactly one other image, not 2"):
        combined(plain(RED), plain(BLUE), plain(GREEN), layout="paste")


def test_too_large_a_result_is_refused() -> None:
    with pytest.raises(ToolFailed, match="too large"):
        combined(plain(RED, (9000, 10)), plain(BLUE, (9000, 10)))
