"""The tool ``opencv_segment``: one mask per box and per point, refined, and their union."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from promptvision.plugin import (
    ArgumentsError,
    Box,
    MaskRef,
    NotSupported,
    Point,
    SegmentResult,
    ToolContext,
    ToolFailed,
    is_complement,
    read_targets,
)
from promptvision_opencv.arrays import Array, clip_box, rgb_array
from promptvision_opencv.background import find_background
from promptvision_opencv.colour_cut import cut_by_colour, share_of_colour, without_other_colours
from promptvision_opencv.grabcut import cut_out
from promptvision_opencv.plugin import CutArgs
from promptvision_opencv.point_cut import cut_at
from promptvision_opencv.prompts import Kind, Request, read_request
from promptvision_opencv.refine import Mask, invert, merge, refine

__all__ = ["segment"]

_LEAST_COLOUR = 0.2
"""Minimum share of the requested colour in a cut; otherwise it is another object."""


@dataclass(frozen=True)
class _Cut:
    mask: Mask
    is_separated: bool = True


def segment(args: CutArgs, context: ToolContext) -> SegmentResult:
    """Cut out the object in each box, then the object at each point.

    If ``target`` says "everything except ...", the union of the masks is inverted.

    Raises:
        ArgumentsError: a box or a point lies outside the image.
        ToolFailed: the object in a box does not match the target.
    """
    rgb = rgb_array(context.open(args.image_url))
    boxes = _clipped(args.bounding_boxes, rgb.shape[1], rgb.shape[0])
    _check_points(args, rgb.shape[1], rgb.shape[0])
    total = len(boxes) + len(args.points)
    requests = _requests(args.target)
    masks: list[Mask] = []
    references: list[MaskRef] = []
    uncertain: list[str] = []
    for number, box in enumerate(boxes, start=1):
        context.progress(number - 1, total, f"cutting out box {number}")
        cut = _cut(rgb, box, requests, context.seed)
        if not cut.is_separated:
            uncertain.append(str(number))
        masks.append(cut.mask)
        references.append(context.save_mask(Image.fromarray(cut.mask)))
    if uncertain and args.target:
        raise NotSupported(_message(uncertain, "nothing is masked"))
    for number, point in enumerate(args.points, start=1):
        context.progress(len(masks), total, f"cutting out the object at point {number}")
        raw = cut_at(rgb, point, args.background_points, context.seed)
        refined = refine(raw)
        masks.append(refined if refined.any() else raw)  # refining drops what is only a few pixels large
        references.append(context.save_mask(Image.fromarray(masks[-1])))
    context.progress(total, total, "merging masks")
    merged = merge(masks)
    if args.target and is_complement(args.target):
        merged = invert(merged)
    return SegmentResult(
        original_image_url=args.image_url,
        merged_mask_url=context.save_mask(Image.fromarray(merged)),
        mask_urls=references,
        message=_message(uncertain, "the whole box is masked") if uncertain else None,
    )


def _requests(target: str | None) -> list[Request]:
    """The requests of the target; for a complement, those of its exceptions."""
    phrases = read_targets(target or "")
    things = [
        part for phrase in phrases for part in (phrase.exceptions if phrase.is_complement else (phrase,))
    ]
    read = (read_request(phrase) for phrase in things)
    return [request for request in read if request is not None]


def _cut(rgb: Array, box: Box, requests: list[Request], seed: int) -> _Cut:
    """Segment the object in a box by its requested colour, else by contrast."""
    if (surrounding := _surrounding(rgb, box, requests)) is not None:
        return _Cut(surrounding)
    coloured = [request for request in requests if request.kind is Kind.COLOUR]
    by_colour = [cut for request in coloured if (cut := _by_colour(rgb, box, request)) is not None]
    if by_colour:
        return _Cut(max(by_colour, key=lambda mask: int(mask.sum(dtype=np.int64))))
    mask, is_separated = cut_out(rgb, box, seed)
    if coloured and len(coloured) == len(requests) and not _has_a_colour(rgb, mask, coloured):
        names = " or ".join(dict.fromkeys(request.label for request in coloured))
        raise ToolFailed(f"opencv_segment: what stands out in box {list(box)} is not {names}")
    return _Cut(refine(mask), is_separated)


def _surrounding(rgb: Array, box: Box, requests: list[Request]) -> Mask | None:
    """The mask of a background or a border."""
    is_whole = (box.x2 - box.x1, box.y2 - box.y1) == (rgb.shape[1], rgb.shape[0])
    for request in requests:
        if request.kind is Kind.BACKGROUND and is_whole:
            background = find_background(rgb, request.colour)
            return None if background is None else np.where(background, 255, 0).astype(np.uint8)
    if requests and all(request.kind is Kind.BORDER for request in requests):
        mask = np.zeros(rgb.shape[:2], np.uint8)
        mask[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)] = 255
        return mask
    return None


def _by_colour(rgb: Array, box: Box, request: Request) -> Mask | None:
    """The cut by colour, dilated by refining but not into neighbours of another colour."""
    if request.colour is None or request.unchecked:
        return None
    cut = cut_by_colour(rgb, box, request.colour)
    if cut is None:
        return None
    wider = np.asarray(cv2.dilate(cut, np.ones((3, 3), np.uint8)), np.uint8)  # refining rounds corners off
    return without_other_colours(rgb, merge([refine(cut), wider]), cut, request.colour)


def _has_a_colour(rgb: Array, mask: Mask, requests: list[Request]) -> bool:
    shares = (share_of_colour(rgb, mask, request.colour) for request in requests if request.colour)
    return max(shares, default=1.0) >= _LEAST_COLOUR


def _clipped(boxes: list[Box], width: int, height: int) -> list[Box]:
    clipped = [clip_box(box, width, height) for box in boxes]
    outside = [
        f"bounding_boxes[{number}]: {list(box)} lies outside the image of {width} x {height} pixels"
        for number, (box, kept) in enumerate(zip(boxes, clipped, strict=True))
        if kept is None
    ]
    if outside:
        raise ArgumentsError(outside)
    return [box for box in clipped if box is not None]


def _check_points(args: CutArgs, width: int, height: int) -> None:
    named: list[tuple[str, list[Point]]] = [
        ("points", args.points),
        ("background_points", args.background_points),
    ]
    outside = [
        f"{name}[{number}]: {list(point)} lies outside the image of {width} x {height} pixels"
        for name, points in named
        for number, point in enumerate(points)
        if not (0 <= point.x < width and 0 <= point.y < height)
    ]
    if outside:
        raise ArgumentsError(outside)


def _message(uncertain: list[str], outcome: str) -> str:
    return f"Nothing stands out from its surroundings in box {', '.join(uncertain)}, so {outcome}."
