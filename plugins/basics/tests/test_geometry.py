"""Crop, rotate, flip and resize, compared with Pillow's own results."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from promptvision.plugin import ArgumentsError, Box, ToolFailed
from promptvision.testing import make_context, run_tool
from promptvision_basics.geometry import fit_aspect, new_size, part_of
from promptvision_basics.models import CropArgs, ResizeArgs
from promptvision_basics.plugin import promptvision_tools

TOOLS = {tool.name: tool for tool in promptvision_tools()}


def gradient(size: tuple[int, int] = (120, 80), mode: str = "RGB") -> Image.Image:
    bands = [Image.linear_gradient("L").rotate(angle).resize(size) for angle in (0, 90, 180)]
    image = Image.merge("RGB", bands).convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.radial_gradient("L").resize(size))
    return image


def made(name: str, image: Image.Image, **args: Any) -> Image.Image:
    context = make_context()
    result = run_tool(TOOLS[name], image, context=context, **args)
    field = next(key for key in vars(result) if key.endswith("_image_url") and key != "original_image_url")
    return context.open(getattr(result, field))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_crop_equals_pillow(mode: str) -> None:
    image = gradient(mode=mode)
    result = made("pillow_crop", image, box=[10, 20, 70.4, 60])
    assert result.mode == mode
    assert result.tobytes() == image.crop((10, 20, 70, 60)).tobytes()


@pytest.mark.parametrize(
    ("part", "box"),
    [
        ("left half", (0, 0, 60, 80)),
        ("right third", (80, 0, 120, 80)),
        ("top half", (0, 0, 120, 40)),
        ("bottom left", (0, 40, 60, 80)),
        ("center", (30, 20, 90, 60)),
    ],
)
def test_named_parts(part: Any, box: tuple[int, int, int, int]) -> None:
    assert tuple(part_of(part, (120, 80))) == pytest.approx(box)
    image = gradient()
    assert made("pillow_crop", image, part=part).tobytes() == image.crop(box).tobytes()


@pytest.mark.parametrize(("aspect", "size"), [("16:9", (120, 68)), ("1:1", (80, 80)), ("1/2", (40, 80))])
def test_aspect_cuts_from_the_middle(aspect: str, size: tuple[int, int]) -> None:
    result = made("pillow_crop", gradient(), aspect=aspect)
    assert result.size == size


def test_target_with_an_aspect_is_kept_whole() -> None:
    context = make_context()
    result = run_tool(
        TOOLS["pillow_crop"],
        gradient(),
        context=context,
        target="cat",
        bounding_boxes=[[40, 30, 60, 50], [50, 30, 70, 50]],
        aspect="1:1",
    )
    assert result.box.x1 <= 40
    assert result.box.x2 >= 70
    assert (result.width, result.height) == (30, 30)


def test_box_outside_is_refused_with_the_size() -> None:
    with pytest.raises(ArgumentsError, match="no pixel in an image of 120 x 80"):
        made("pillow_crop", gradient(), box=[200, 10, 300, 20])


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({}, "say what to keep"),
        ({"part": "center", "box": [0, 0, 5, 5]}, "one of box, part and target"),
        ({"target": "cat"}, "boxes of the target are missing"),
        ({"aspect": "0:9"}, "pattern"),
    ],
)
def test_unclear_crops_are_refused(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        CropArgs.model_validate({"image_url": "0" * 64, **values})


@given(
    st.tuples(st.floats(0, 900), st.floats(0, 900), st.floats(1, 100), st.floats(1, 100)),
    st.floats(0.1, 10),
    st.booleans(),
)
def test_fitted_box_has_the_ratio_and_stays_inside(
    numbers: tuple[float, float, float, float], ratio: float, grow: bool
) -> None:
    left, top, width, height = numbers
    box = fit_aspect(Box(left, top, left + width, top + height), ratio, (1000, 1000), grow=grow)
    assert (box.x2 - box.x1) / (box.y2 - box.y1) == pytest.approx(ratio)
    assert box.x1 >= -1e-6
    assert box.y1 >= -1e-6
    assert box.x2 <= 1000 + 1e-6
    assert box.y2 <= 1000 + 1e-6


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize(
    ("degrees", "direction", "turn"),
    [
        (90, "clockwise", Image.Transpose.ROTATE_270),
        (90, "counterclockwise", Image.Transpose.ROTATE_90),
        (-180, "clockwise", Image.Transpose.ROTATE_180),
        (270, "clockwise", Image.Transpose.ROTATE_90),
    ],
)
def test_quarter_turns_are_lossless(mode: str, degrees: float, direction: str, turn: Image.Transpose) -> None:
    image = gradient(mode=mode)
    result = made("pillow_rotate", image, degrees=degrees, direction=direction)
    assert result.tobytes() == image.transpose(turn).tobytes()


def test_other_angles_equal_pillow() -> None:
    image = gradient()
    result = made("pillow_rotate", image, degrees=15, direction="counterclockwise", fill="white")
    expected = image.rotate(15, Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255))
    assert result.tobytes() == expected.tobytes()


def test_new_corners_are_transparent_by_default() -> None:
    result = made("pillow_rotate", gradient(), degrees=45)
    assert result.mode == "RGBA"
    assert result.getpixel((0, 0)) == (0, 0, 0, 0)


def test_without_expand_the_size_stays() -> None:
    assert made("pillow_rotate", gradient(), degrees=90, expand=False).size == (120, 80)


def test_flip_equals_pillow() -> None:
    image = gradient(mode="RGBA")
    left = made("pillow_flip", image, direction="horizontal")
    down = made("pillow_flip", image, direction="vertical")
    assert left.tobytes() == image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).tobytes()
    assert down.tobytes() == image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes()


@pytest.mark.parametrize(
    ("values", "size"),
    [
        ({"width": 60}, (60, 40)),
        ({"height": 40}, (60, 40)),
        ({"width": 60, "height": 60}, (60, 40)),
        ({"width": 60, "height": 60, "keep_aspect": False}, (60, 60)),
        ({"percent": 50}, (60, 40)),
        ({"percent": 0.1}, (1, 1)),
        ({"longest_side": 30}, (30, 20)),
    ],
)
def test_resize_equals_pillow(values: dict[str, Any], size: tuple[int, int]) -> None:
    image = gradient()
    assert new_size(ResizeArgs.model_validate({"image_url": "0" * 64, **values}), image.size) == size
    result = made("pillow_resize", image, **values)
    assert result.tobytes() == image.resize(size, Image.Resampling.LANCZOS).tobytes()


def test_too_large_a_result_is_refused_with_its_size() -> None:
    with pytest.raises(ToolFailed, match="would be 16384 x 10923 pixels"):
        made("pillow_resize", gradient(), width=16384)


def test_conflicting_sizes_are_refused() -> None:
    with pytest.raises(ValidationError, match="give width or height"):
        ResizeArgs.model_validate({"image_url": "0" * 64, "width": 5, "percent": 50})
