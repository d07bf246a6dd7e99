from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from promptvision.plugin import ArgumentsError, MaskRef, NotSupported, ToolFailed
from promptvision.testing import MASKS, CallContext, make_context, run_tool
from promptvision_opencv.plugin import INPAINT_TOOL

_COLOUR_MODE = {"L": "RGB", "LA": "RGBA", "RGB": "RGB", "RGBA": "RGBA"}


def _edit(image: Image.Image, mask: Image.Image, **args: Any) -> tuple[Any, Image.Image]:
    context: CallContext = make_context()
    result = run_tool(INPAINT_TOOL, image, context=context, mask_url=context.save_mask(mask), **args)
    return result, context.open(result.inpainted_image_url)


def _with_alpha(image: Image.Image, mode: str) -> Image.Image:
    converted = image.convert(mode)
    if "A" in mode:
        converted.putalpha(Image.linear_gradient("L").resize(image.size))
    return converted


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("prompt", ["", "blue"])
def test_outside_is_bit_identical_in_every_mode(ball: Any, mode: str, prompt: str) -> None:
    image = _with_alpha(ball.image, mode)
    _, edited = _edit(image, ball.mask, prompt=prompt)
    assert edited.size == image.size
    assert edited.mode == (_COLOUR_MODE[mode] if prompt else mode)
    outside = ~ball.inside
    assert (np.array(edited)[outside] == np.array(image.convert(edited.mode))[outside]).all()
    if "A" in mode:
        assert edited.getchannel("A").tobytes() == image.getchannel("A").tobytes()


def test_ball_becomes_blue(ball: Any) -> None:
    result, edited = _edit(ball.image, ball.mask, prompt="a blue ball", target="red ball")
    red, _, blue = np.array(edited)[200, 280].astype(int)
    assert blue > 2 * red
    assert result.message is None


def test_removal_is_reported_in_one_sentence(ball: Any) -> None:
    result, edited = _edit(ball.image, ball.mask)
    red, green, _ = np.array(edited)[220, 290].astype(int)
    assert red - green < 60
    assert result.message is None
    assert result.summary() == "Done; only the masked area has changed."


@pytest.mark.parametrize("prompt", ["an orange cat", "a castle", "red and white stripes"])
def test_new_content_is_not_supported(ball: Any, prompt: str) -> None:
    with pytest.raises(NotSupported, match="cannot paint"):
        _edit(ball.image, ball.mask, prompt=prompt, target="lion")


def test_mask_of_another_size(ball: Any) -> None:
    with pytest.raises(ArgumentsError, match="mask_url: the mask has 10 x 10 pixels and the image 600 x 450"):
        _edit(ball.image, Image.new("L", (10, 10), 255), prompt="blue")


def test_empty_mask(ball: Any) -> None:
    with pytest.raises(ArgumentsError, match="mask_url: the mask is empty"):
        _edit(ball.image, Image.new("L", ball.image.size), prompt="blue")


@pytest.mark.parametrize("kind", MASKS)
def test_kind_of_mask_changes_its_meaning(kind: str) -> None:
    case = MASKS[kind]
    selected = case.selects()
    context: CallContext = make_context()
    mask = MaskRef(context.save(case.make(), kind="mask").id)
    image = Image.new("RGB", selected.size, (200, 60, 40))
    result = run_tool(INPAINT_TOOL, image, context=context, mask_url=mask, prompt="blue")
    edited = context.open(result.inpainted_image_url)
    changed = (np.array(edited) != np.array(image)).any(axis=2)
    assert (changed != (np.array(selected) > 0)).mean() <= case.tolerance
    for part in case.notes:
        assert part in result.message


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_black_and_white_takes_the_colour_of_the_masked_part(ball: Any, mode: str) -> None:
    image = _with_alpha(ball.image, mode)
    _, edited = _edit(image, ball.mask, prompt="black and white")
    assert edited.mode == mode
    red, green, blue = (np.array(edited)[..., band] for band in range(3))
    assert (red == green)[ball.inside].all()
    assert (green == blue)[ball.inside].all()
    assert (np.array(edited)[~ball.inside] == np.array(image)[~ball.inside]).all()


def test_edit_that_changes_nothing_fails(ball: Any) -> None:
    grey = ball.image.convert("L").convert("RGB")
    with pytest.raises(ToolFailed, match="nothing changed: it already looks like 'black and white'"):
        _edit(grey, ball.mask, prompt="black and white")


def test_removal_of_most_of_a_photograph_is_refused(ball: Any) -> None:
    with pytest.raises(ToolFailed, match=r"cannot remove 8\d% of the image"):
        _edit(ball.image, ImageOps.invert(ball.mask))


def test_removal_of_all_objects_but_one_keeps_the_plain_background() -> None:
    image = Image.new("RGB", (300, 200), (206, 200, 189))
    image.paste((208, 28, 32), (40, 60, 100, 120))
    image.paste((40, 80, 200), (180, 60, 240, 120))
    kept = Image.new("L", image.size)
    kept.paste(255, (40, 60, 100, 120))
    result, edited = _edit(image, ImageOps.invert(kept), target="everything but the red box")
    assert edited.getpixel((70, 90)) == (208, 28, 32)
    assert edited.getpixel((210, 90)) == (206, 200, 189)
    assert "The background was kept" in result.message


def test_black_object_can_be_painted(ball: Any) -> None:
    image = ball.image.copy()
    image.paste((0, 0, 0), mask=ball.mask)
    _, edited = _edit(image, ball.mask, prompt="white")
    assert np.array(edited)[220, 290].min() > 200
