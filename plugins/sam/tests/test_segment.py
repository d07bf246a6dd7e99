"""Tests of the tool, called as by the agent, with both engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from promptvision.plugin import ArgumentsError, Cancelled, MaskRef
from promptvision.testing import CallContext, CancelToken, run_tool
from promptvision_sam import segment as segmenting
from promptvision_sam.engine import Engine
from promptvision_sam.plugin import REQUIRES, segment_tool
from promptvision_sam.refine import refine

BOXES = [[30, 40, 130, 140], [190, 10, 270, 190]]
TOOL = segment_tool(ultralytics=True)
Make = Callable[..., CallContext]


def pixels(context: CallContext, ref: MaskRef) -> NDArray[np.uint8]:
    image = context.open(ref)
    assert image.mode == "L"
    return np.asarray(image)


def test_masks_are_those_of_the_engine_refined(context: Make, engine: Engine, sample: Image.Image) -> None:
    held = context()
    result = run_tool(TOOL, sample, context=held, bounding_boxes=BOXES)
    raw = engine.masks(sample, "a", boxes=BOXES)  # type: ignore[arg-type]  # lists are read like boxes
    wanted = [refine(mask.astype(np.uint8) * 255) for mask in raw]
    masks = [pixels(held, ref) for ref in result.mask_urls]
    assert all(np.array_equal(mask, want) for mask, want in zip(masks, wanted, strict=True))
    assert np.array_equal(pixels(held, result.merged_mask_url), np.maximum.reduce(wanted))


def test_target_with_an_exception_inverts_the_union(context: Make, sample: Image.Image) -> None:
    held = context()
    plain = run_tool(TOOL, sample, context=held, bounding_boxes=BOXES, target="boxes")
    rest = run_tool(TOOL, sample, context=held, bounding_boxes=BOXES, target="everything except the boxes")
    union, inverted = (pixels(held, made.merged_mask_url) for made in (plain, rest))
    assert ((union > 0) != (inverted > 0)).all()
    assert rest.mask_urls == plain.mask_urls


def test_images_are_saved_as_masks_of_the_image(context: Make, sample: Image.Image) -> None:
    held = context()
    result = run_tool(TOOL, sample, context=held, bounding_boxes=BOXES)
    made = [saved for saved in held.saved if saved.kind == "mask"]
    assert [saved.id for saved in made] == [ref.id for ref in (*result.mask_urls, result.merged_mask_url)]
    assert {saved.parent for saved in made} == {result.original_image_url.id}
    assert {(saved.width, saved.height) for saved in made} == {sample.size}


def test_masks_of_points_follow_those_of_boxes(context: Make, sample: Image.Image) -> None:
    held = context()
    points = [[80, 90], [230, 100]]
    both = run_tool(TOOL, sample, context=held, bounding_boxes=BOXES, points=points)
    boxes = run_tool(TOOL, sample, context=held, bounding_boxes=BOXES)
    alone = run_tool(TOOL, sample, context=held, points=points)
    assert both.mask_urls == [*boxes.mask_urls, *alone.mask_urls]


def test_boxes_are_clipped_to_the_image(context: Make, sample: Image.Image) -> None:
    held = context()
    wide = run_tool(TOOL, sample, context=held, bounding_boxes=[[-20, -5, 310, 220]])
    cut = run_tool(TOOL, sample, context=held, bounding_boxes=[[0, 0, 300, 200]])
    assert wide.mask_urls == cut.mask_urls


def test_prompts_outside_the_image_are_named(context: Make, sample: Image.Image) -> None:
    with pytest.raises(ArgumentsError, match=r"bounding_boxes\.1: .* lies outside the image \(300 x 200"):
        run_tool(TOOL, sample, context=context(), bounding_boxes=[BOXES[0], [300, 0, 320, 20]])
    with pytest.raises(ArgumentsError, match=r"points\.0"):
        run_tool(TOOL, sample, context=context(), points=[[10, 200]])


def test_many_prompts_go_in_batches_and_give_the_same_masks(
    context: Make, sample: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = context()
    boxes: Sequence[list[int]] = [[x, 10, x + 60, 150] for x in range(0, 200, 40)]
    together = run_tool(TOOL, sample, context=held, bounding_boxes=boxes)
    monkeypatch.setattr(segmenting, "BATCH_PIXELS", 2 * sample.width * sample.height)
    apart = run_tool(TOOL, sample, context=held, bounding_boxes=boxes)
    assert apart.mask_urls == together.mask_urls


def test_a_cancelled_call_stops_before_the_next_mask(context: Make, sample: Image.Image) -> None:
    token = CancelToken()

    def stop(done: float, total: float, message: str) -> None:
        if done == 1:
            token.cancel()

    held = context(cancel=token, on_progress=stop)
    with pytest.raises(Cancelled):
        run_tool(TOOL, sample, context=held, bounding_boxes=BOXES)
    assert len([saved for saved in held.saved if saved.kind == "mask"]) == 1


def test_empty_masks_are_reported(
    context: Make, sample: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mask that refinement empties is reported, and keeps its position in the list."""
    seen: list[int] = []

    def second_is_specks(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        seen.append(1)
        return np.zeros_like(mask) if len(seen) == 2 else refine(mask)

    monkeypatch.setattr(segmenting, "refine", second_is_specks)
    result = run_tool(TOOL, sample, context=context(), bounding_boxes=BOXES)
    assert result.success
    assert result.message == "Nothing was found at box 2."
    assert len(result.mask_urls) == 2


def test_second_call_on_an_image_runs_no_encoder_also_after_a_restart(
    context: Make, sample: Image.Image, tmp_path: Path
) -> None:
    encodings: list[int] = []

    def segmented(held: CallContext, boxes: list[list[int]]) -> list[str]:
        engine = held.lease(*REQUIRES.models)
        encoder = engine.model.image_encoder if engine.name == "ultralytics" else engine.model.vision_encoder
        hook = encoder.register_forward_hook(lambda *_: encodings.append(1))
        result = run_tool(TOOL, sample, context=held, bounding_boxes=boxes)
        hook.remove()
        return [ref.id for ref in (*result.mask_urls, result.merged_mask_url)]

    held, restarted, plain = context(home=tmp_path), context(home=tmp_path), context()
    plain._stages = None
    first = segmented(held, BOXES)
    assert len(encodings) == 1
    assert segmented(held, BOXES) == first
    held._stages.close()  # type: ignore[union-attr]
    assert segmented(restarted, BOXES) == first
    assert len(encodings) == 1
    assert segmented(plain, BOXES) == first
    assert len(encodings) == 2
