from __future__ import annotations

import pytest
from PIL import Image, ImageChops

from promptvision.tools.drawing import draw_boxes, draw_mask_overlay
from promptvision.types import Box


def _changed(before: Image.Image, after: Image.Image) -> tuple[int, int, int, int] | None:
    return ImageChops.difference(before.convert("RGB"), after).getbbox()


def test_without_boxes_the_image_is_as_before() -> None:
    image = Image.new("RGB", (400, 300), "teal")
    assert _changed(image, draw_boxes(image, [], [], [])) is None


def test_input_is_not_changed() -> None:
    image = Image.new("RGB", (400, 300), "teal")
    draw_boxes(image, [Box(50, 50, 200, 200)], ["cup"], [0.9])
    assert image.getcolors() == [(400 * 300, (0, 128, 128))]


def test_inside_of_the_box_stays_visible() -> None:
    image = Image.new("RGB", (400, 300), "teal")
    drawn = draw_boxes(image, [Box(100, 100, 200, 200)], ["cup"], [0.9])
    assert drawn.getpixel((150, 150)) == (0, 128, 128)
    assert drawn.getpixel((100, 150)) != (0, 128, 128)


def test_same_label_shares_a_colour_and_others_differ() -> None:
    image = Image.new("RGB", (600, 400), "black")
    boxes = [Box(10, 50, 110, 150), Box(150, 50, 250, 150), Box(300, 50, 400, 150)]
    drawn = draw_boxes(image, boxes, ["cup", "cup", "dog"], [0.9, 0.8, 0.7])
    first, second, third = (drawn.getpixel((int(box.x1), 100)) for box in boxes)
    assert first == second != third


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_every_mode_gives_rgb_of_the_same_size(mode: str) -> None:
    drawn = draw_boxes(Image.new(mode, (640, 480)), [Box(1, 1, 600, 400)], ["cup"], [0.5])
    assert (drawn.mode, drawn.size) == ("RGB", (640, 480))


def test_tiny_image_is_enlarged_by_a_whole_factor() -> None:
    drawn = draw_boxes(Image.new("RGB", (64, 40)), [Box(4, 4, 60, 36)], ["cup"], [0.5])
    assert drawn.size == (320, 200)


@pytest.mark.parametrize("side", [320, 1000, 4000])
def test_label_grows_with_the_image(side: int) -> None:
    image = Image.new("RGB", (side, side), "black")
    box = Box(side * 0.3, side * 0.5, side * 0.7, side * 0.9)
    changed = _changed(image, draw_boxes(image, [box], ["cup"], [0.5]))
    assert changed is not None
    label_height = box.y1 - changed[1]
    assert max(15, side * 0.025) < label_height < max(30, side * 0.06)


@pytest.mark.parametrize(
    "box", [Box(-50, -50, 20, 20), Box(0, 0, 400, 300), Box(390, 290, 500, 400), Box(10.2, 10.4, 10.6, 10.8)]
)
def test_boxes_at_and_over_the_border_are_drawn(box: Box) -> None:
    image = Image.new("RGB", (400, 300), "black")
    assert _changed(image, draw_boxes(image, [box], ["a very long label " * 8], [0.5])) is not None


def test_labels_of_one_place_do_not_cover_each_other() -> None:
    image = Image.new("RGB", (600, 400), "black")
    box = Box(100, 150, 300, 300)
    one = draw_boxes(image, [box], ["cup"], [0.9])
    two = draw_boxes(image, [box, box], ["cup", "mug"], [0.9, 0.8])
    label = (100, 115, 160, 145)
    assert ImageChops.difference(one.crop(label), two.crop(label)).getbbox() is None
    below = (100, 305, 160, 330)
    assert ImageChops.difference(one.crop(below), two.crop(below)).getbbox() is not None


def test_numbers_must_agree() -> None:
    with pytest.raises(ValueError, match="zip"):
        draw_boxes(Image.new("RGB", (400, 300)), [Box(1, 1, 2, 2)], [], [])


def test_overlay_tints_inside_and_leaves_outside() -> None:
    image = Image.new("RGB", (400, 300), (10, 90, 10))
    mask = Image.new("L", image.size)
    mask.paste(255, (100, 100, 200, 200))
    drawn = draw_mask_overlay(image, mask)
    assert drawn.getpixel((150, 150)) != (10, 90, 10)
    assert drawn.getpixel((99, 150)) == (255, 255, 255)
    assert drawn.getpixel((50, 50)) == (10, 90, 10)
