"""The tool ``opencv_segment``: one mask per box by GrabCut, refined, and their union."""

from __future__ import annotations

from PIL import Image

from promptvision.plugin import ArgumentsError, Box, MaskRef, SegmentArgs, SegmentResult, ToolContext
from promptvision_opencv.arrays import clip_box, flat_rgb
from promptvision_opencv.grabcut import cut_out
from promptvision_opencv.refine import Mask, merge, refine

__all__ = ["segment"]


def segment(args: SegmentArgs, context: ToolContext) -> SegmentResult:
    """Cut the thing out of each box.

    Raises:
        ArgumentsError: a box lies outside of the image.
    """
    rgb = flat_rgb(context.open(args.image_url))
    boxes = _clipped(args.bounding_boxes, rgb.shape[1], rgb.shape[0])
    masks: list[Mask] = []
    references: list[MaskRef] = []
    uncertain: list[str] = []
    for number, box in enumerate(boxes, start=1):
        context.progress(number - 1, len(boxes), f"cutting out box {number}")
        mask, is_told = cut_out(rgb, box, context.seed)
        if not is_told:
            uncertain.append(str(number))
        masks.append(refine(mask))
        references.append(context.save_mask(Image.fromarray(masks[-1])))
    context.progress(len(boxes), len(boxes), "merging masks")
    return SegmentResult(
        original_image_url=args.image_url,
        merged_mask_url=context.save_mask(Image.fromarray(refine(merge(masks)))),
        mask_urls=references,
        message=_message(uncertain),
    )


def _clipped(boxes: list[Box], width: int, height: int) -> list[Box]:
    clipped = [clip_box(box, width, height) for box in boxes]
    outside = [
        f"bounding_boxes[{number}]: {list(box)} lies outside of the picture of {width} x {height} pixels"
        for number, (box, kept) in enumerate(zip(boxes, clipped, strict=True))
        if kept is None
    ]
    if outside:
        raise ArgumentsError(outside)
    return [box for box in clipped if box is not None]


def _message(uncertain: list[str]) -> str | None:
    if not uncertain:
        return None
    return (
        f"Nothing stood out from its surroundings in box {', '.join(uncertain)}, so the whole box is masked; "
        "promptvision-sam cuts out what colour alone cannot tell apart."
    )
