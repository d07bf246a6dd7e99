from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from promptvision.plugin import MASK, ArgumentsError, NotSupported, ToolFailed
from promptvision.testing import make_context, run_tool
from promptvision_opencv.plugin import SEGMENT_TOOL


def _iou(mask: Image.Image, true: np.ndarray) -> float:
    found = np.array(mask) > 0
    return float((found & true).sum() / (found | true).sum())


def test_one_mask_per_box_in_order_and_their_union(ball: Any, box: Any) -> None:
    image = Image.new("RGB", (1080, 450), (150, 146, 138))
    image.paste(ball.image, (0, 0))
    image.paste(box.image, (600, 0))
    boxes = [[box.box.x1 + 600, box.box.y1, box.box.x2 + 600, box.box.y2], list(ball.box)]
    context = make_context()
    result = run_tool(SEGMENT_TOOL, image, context=context, bounding_boxes=boxes)
    first, second = (context.open(ref) for ref in result.mask_urls)
    merged = context.open(result.merged_mask_url)
    assert {mask.mode for mask in (first, second, merged)} == {"L"}
    assert {mask.size for mask in (first, second, merged)} == {(1080, 450)}
    assert _iou(first.crop((600, 0, 1080, 360)), box.inside) > 0.93
    assert _iou(second.crop((0, 0, 600, 450)), ball.inside) > 0.93
    union = (np.array(first) > 0) | (np.array(second) > 0)
    assert (np.array(merged)[union] == 255).all()
    assert [saved.kind for saved in context.saved[1:]] == [MASK] * 3
    assert result.message is None


def test_box_over_the_border_is_clipped(ball: Any) -> None:
    context = make_context()
    result = run_tool(SEGMENT_TOOL, ball.image, context=context, bounding_boxes=[[-100, 60, 700, 400]])
    assert _iou(context.open(result.mask_urls[0]), ball.inside) > 0.9


def test_box_outside_the_image_is_refused_by_its_number(ball: Any) -> None:
    with pytest.raises(ArgumentsError, match=r"bounding_boxes\[1\].*600 x 450"):
        run_tool(SEGMENT_TOOL, ball.image, bounding_boxes=[[0, 0, 9, 9], [700, 0, 800, 10]])


def test_plain_surface_is_reported() -> None:
    result = run_tool(SEGMENT_TOOL, Image.new("L", (80, 80), 99), bounding_boxes=[[10, 10, 40, 40]])
    assert "Nothing stands out from its surroundings in box" in result.message


def test_target_with_an_exception_inverts_the_union(ball: Any) -> None:
    context = make_context()
    boxes = [list(ball.box)]
    plain = run_tool(SEGMENT_TOOL, ball.image, context=context, bounding_boxes=boxes, target="red ball")
    rest = run_tool(
        SEGMENT_TOOL, ball.image, context=context, bounding_boxes=boxes, target="everything but the red ball"
    )
    union, inverted = (np.array(context.open(made.merged_mask_url)) for made in (plain, rest))
    assert ((union > 0) != (inverted > 0)).all()
    assert _iou(context.open(plain.merged_mask_url), ball.inside) > 0.93


def test_background_is_masked_by_the_edge_of_the_image() -> None:
    image = Image.new("RGB", (200, 150), "white")
    image.paste((200, 30, 30), (60, 40, 140, 110))
    context = make_context()
    whole = [[0, 0, 200, 150]]
    made = run_tool(SEGMENT_TOOL, image, context=context, bounding_boxes=whole, target="white background")
    mask = np.array(context.open(made.merged_mask_url)) > 0
    assert mask[5, 5]
    assert not mask[40:110, 60:140].any()


def test_cut_of_another_colour_than_asked_is_refused(box: Any) -> None:
    with pytest.raises(ToolFailed, match="is not green"):
        run_tool(SEGMENT_TOOL, box.image, bounding_boxes=[list(box.box)], target="green car")


def test_named_thing_that_does_not_stand_out_is_refused() -> None:
    with pytest.raises(NotSupported, match="nothing is masked"):
        run_tool(SEGMENT_TOOL, Image.new("L", (80, 80), 99), bounding_boxes=[[10, 10, 40, 40]], target="face")


def test_thing_at_a_point_needs_no_box(ball: Any) -> None:
    context = make_context()
    result = run_tool(SEGMENT_TOOL, ball.image, context=context, points=[[300, 230]])
    assert _iou(context.open(result.merged_mask_url), ball.inside) > 0.9
    assert len(result.mask_urls) == 1


def test_masks_of_points_follow_those_of_boxes(ball: Any, box: Any) -> None:
    image = Image.new("RGB", (1080, 450), (150, 146, 138))
    image.paste(ball.image, (0, 0))
    image.paste(box.image, (600, 0))
    context = make_context()
    x, y = box.box.centroid
    result = run_tool(
        SEGMENT_TOOL, image, context=context, bounding_boxes=[list(ball.box)], points=[[x + 600, y]]
    )
    first, second = (context.open(ref) for ref in result.mask_urls)
    assert _iou(first.crop((0, 0, 600, 450)), ball.inside) > 0.93
    assert _iou(second.crop((600, 0, 1080, 360)), box.inside) > 0.93


@pytest.mark.parametrize("field", ["points", "background_points"])
def test_point_outside_of_the_image_is_refused_by_its_number(ball: Any, field: str) -> None:
    points: dict[str, Any] = {"points": [[5, 5]], field: [[5, 5], [600, 10]]}
    with pytest.raises(ArgumentsError, match=rf"{field}\[1\].*600 x 450"):
        run_tool(SEGMENT_TOOL, ball.image, **points)
