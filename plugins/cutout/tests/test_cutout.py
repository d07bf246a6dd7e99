"""The tool, called as by the agent, on a graph for which all but green is the subject."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from promptvision.plugin import ArgumentsError, ToolFailed
from promptvision.testing import CallContext, run_tool
from promptvision_cutout.plugin import CUTOUT

Make = Callable[..., CallContext]
SIZE = (160, 120)
BACK = (30, 220, 90)


def scene(mode: str = "RGB") -> Image.Image:
    """Two red squares on green."""
    image = Image.new("RGB", SIZE, BACK)
    draw = ImageDraw.Draw(image)
    draw.rectangle((10, 30, 59, 79), fill="red")
    draw.rectangle((100, 30, 149, 79), fill="red")
    return image.convert(mode)


def cut(context: CallContext, image: Image.Image | None = None, **args: Any) -> tuple[Any, Image.Image]:
    result = run_tool(CUTOUT, image or scene(), context=context, **args)
    return result, context.open(result.cutout_image_url)


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image)


def test_background_is_transparent_without_colour(context: Make) -> None:
    result, made = cut(context())
    assert (made.mode, made.size) == ("RGBA", SIZE)
    shown = pixels(made)
    assert (shown[40:70, 20:50] == (255, 0, 0, 255)).all()
    assert (shown[100:, :] == 0).all()
    assert result.kept == pytest.approx(2 * 50 * 50 / (160 * 120), abs=0.03)


def test_edges_are_soft_without_green(context: Make) -> None:
    shown = pixels(cut(context())[1]).astype(int)
    soft = (shown[..., 3] > 20) & (shown[..., 3] < 235)
    assert soft.any()
    seen = pixels(scene()).astype(int)
    assert shown[soft][:, 1].mean() < 0.6 * seen[soft][:, 1].mean()


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_any_mode_is_cut_out(context: Make, mode: str) -> None:
    _, made = cut(context(), scene(mode))
    assert (made.mode, made.size) == ("RGBA", SIZE)
    assert pixels(made)[55, 35, 3] > 250


def test_transparency_of_the_image_is_kept(context: Make) -> None:
    image = scene("RGBA")
    alpha = Image.new("L", SIZE, 255)
    alpha.paste(0, (0, 0, 80, 120))
    image.putalpha(alpha)
    shown = pixels(cut(context(), image)[1])
    assert shown[55, 35, 3] == 0
    assert shown[55, 125, 3] == 255


@pytest.mark.parametrize(("background", "colour"), [("white", (255, 255, 255)), ("#102030", (16, 32, 48))])
def test_background_may_be_a_colour(context: Make, background: str, colour: tuple[int, ...]) -> None:
    shown = pixels(cut(context(), background=background)[1])
    assert shown.shape == (120, 160, 3)
    assert (shown[100:] == colour).all()
    assert (shown[40:70, 20:50] == (255, 0, 0)).all()


def test_background_may_be_another_image_cut_to_size(context: Make) -> None:
    held = context()
    other = Image.new("RGB", (50, 300), "blue")
    _, made = cut(held, background_url=held.save(other, kind="input"))
    assert made.size == SIZE
    assert (pixels(made)[100:] == (0, 0, 255)).all()
    assert (pixels(made)[40:70, 20:50] == (255, 0, 0)).all()


def test_blurred_background_does_not_contain_the_subject(context: Make) -> None:
    image = scene()
    ImageDraw.Draw(image).line((0, 110, 160, 110), fill=(30, 255, 255), width=2)
    shown = pixels(cut(context(), image, background="blur")[1]).astype(int)
    assert (shown[40:70, 20:50] == (255, 0, 0)).all()
    assert shown[95:, :, 0].max() <= 45, "red of the squares is not mixed in"
    assert 100 < shown[110, 80, 2] < 250


def test_unknown_background_is_named(context: Make) -> None:
    with pytest.raises(ArgumentsError, match="background: 'beach' is not"):
        cut(context(), background="beach")


def test_target_keeps_the_area_of_its_mask(context: Make) -> None:
    held = context()
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).rectangle((8, 28, 61, 81), fill=255)
    _, made = cut(held, target="left square", mask_url=held.save_mask(mask))
    shown = pixels(made)
    assert (shown[40:70, 20:50, 3] == 255).all()
    assert (shown[:, 90:, 3] == 0).all()


def test_mask_is_used_if_the_model_finds_another_subject(context: Make) -> None:
    held = context()
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).rectangle((70, 90, 90, 110), fill=255)
    result, made = cut(held, target="grass", mask_url=held.save_mask(mask))
    shown = pixels(made)
    assert "rough mask" in result.message
    assert (shown[92:108, 72:88, 3] == 255).all()
    assert (shown[:85, :, 3] == 0).all()


def test_image_without_subject_is_an_error(context: Make) -> None:
    with pytest.raises(ToolFailed, match="no subject stands out"):
        cut(context(), Image.new("RGB", (40, 40), BACK))


def test_setting_chooses_the_model(context: Make) -> None:
    held = context(PROMPTVISION_CUTOUT_MODEL="isnet-general-use")
    assert pixels(cut(held)[1])[55, 35, 3] == 255
    assert [loaded.id for loaded in held._pool.loaded()] == ["isnet-general-use"]
