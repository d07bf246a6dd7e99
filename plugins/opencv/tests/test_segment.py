from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from promptvision.plugin import MASK, ArgumentsError
from promptvision.testing import make_context, run_tool
from promptvision_opencv.plugin import SEGMENT_TOOL


def _iou(mask: Image.Image, true: np.ndarray) -> float:
    found = np.array(mask) > 0
    return float((found & true).sum() / (found | true).sum())


def test_one_mask_per_box_in_order_and_their_union(ball: Any, box: Any) -> None:
    picture = Image.new("RGB", (1080, 450), (150, 146, 138))
    picture.paste(ball.image, (0, 0))
    picture.paste(box.image, (600, 0))
    boxes = [[box.box.x1 + 600, box.box.y1, box.box.x2 + 600, box.box.y2], list(ball.box)]
    context = make_context()
    result = run_tool(SEGMENT_TOOL, picture, context=context, bounding_boxes=boxes)
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


def test_box_outside_of_the_image_is_refused_by_its_number(ball: Any) -> None:
    with pytest.raises(ArgumentsError, match=r"bounding_boxes\[1\].*600 x 450"):
        run_tool(SEGMENT_TOOL, ball.image, bounding_boxes=[[0, 0, 9, 9], [700, 0, 800, 10]])


def test_plain_surface_is_told() -> None:
    result = run_tool(SEGMENT_TOOL, Image.new("L", (80, 80), 99), bounding_boxes=[[10, 10, 40, 40]])
    assert "promptvision-sam" in result.message
