"""``segment_objects`` with SAM 2.1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image

from promptvision.plugin import ArgumentsError, Box, Point, PointSegmentArgs, SegmentResult, is_complement
from promptvision_sam.plugin import REQUIRES
from promptvision_sam.refine import refine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from promptvision.plugin import ImageRef, MaskRef, ToolContext
    from promptvision_sam.engine import Cached, Engine

__all__ = ["BATCH_PIXELS", "segment"]

BATCH_PIXELS = 2**28
"""Maximum number of mask pixels per batch, 1 GiB as float32; more prompts run in several batches."""

_LIBRARIES = ("torch", "transformers", "ultralytics", "ultralytics-opencv-headless")
"""Their versions are part of the key of an embedding."""

P = TypeVar("P", Box, Point)


def segment(args: PointSegmentArgs, context: ToolContext) -> SegmentResult:
    """Make one refined mask per box and per point, in that order, and their union.

    If ``target`` says "everything except ...", the union is inverted.

    Raises:
        ArgumentsError: a box or a point lies outside the image.
    """
    image = context.open(args.image_url)
    boxes = _inside(args.bounding_boxes, image.size)
    _check_points(args.points, image.size)
    engine: Engine = context.lease(*REQUIRES.models)
    total = len(boxes) + len(args.points)
    refs: list[MaskRef] = []
    empty: list[str] = []
    union = np.zeros((image.height, image.width), np.uint8)
    context.progress(0, total, f"segmenting with {engine.name}")
    cached = _embedding_cache(engine, args.image_url, context)
    for raw in _raw_masks(engine, image, args.image_url.id, boxes, args.points, cached):
        mask = refine(raw.astype(np.uint8) * 255)
        if not mask.any():
            empty.append(_prompt_name(len(refs), len(boxes)))
        union |= mask
        refs.append(context.save_mask(Image.fromarray(mask), parent=args.image_url))
        context.progress(len(refs), total)
    context.release(*REQUIRES.models)
    if args.target and is_complement(args.target):
        union = np.where(union > 0, 0, 255).astype(np.uint8)
    return SegmentResult(
        original_image_url=args.image_url,
        mask_urls=refs,
        merged_mask_url=context.save_mask(Image.fromarray(union), parent=args.image_url),
        message=f"Nothing was found at {', '.join(empty)}." if empty else None,
    )


def _embedding_cache(engine: Engine, image: ImageRef, context: ToolContext) -> Cached:
    """The cache of the image's embedding, which outlasts the loaded model."""
    return partial(
        context.cached,
        "embedding",
        models=REQUIRES.models,
        device=engine.device,
        images=(image,),
        libraries=_LIBRARIES,
        parameters={"engine": engine.name},
    )


def _raw_masks(
    engine: Engine,
    image: Image.Image,
    key: str,
    boxes: Sequence[Box],
    points: Sequence[Point],
    cached: Cached,
) -> Iterator[NDArray[np.bool_]]:
    pixels = image.width * image.height
    for group in _batches(boxes, pixels):
        yield from engine.masks(image, key, boxes=group, cached=cached)
    for some in _batches(points, pixels):
        yield from engine.masks(image, key, points=some, cached=cached)


def _batches(prompts: Sequence[P], pixels: int) -> Iterator[Sequence[P]]:
    size = max(1, BATCH_PIXELS // pixels)
    return (prompts[start : start + size] for start in range(0, len(prompts), size))


def _inside(boxes: Sequence[Box], size: tuple[int, int]) -> list[Box]:
    """Boxes clipped to the image."""
    width, height = size
    cut = [(max(b.x1, 0), max(b.y1, 0), min(b.x2, width), min(b.y2, height)) for b in boxes]
    problems = [
        f"bounding_boxes.{index}: {list(boxes[index])} lies outside the image ({width} x {height} pixels)"
        for index, (x1, y1, x2, y2) in enumerate(cut)
        if x1 >= x2 or y1 >= y2
    ]
    if problems:
        raise ArgumentsError(problems)
    return [Box(*corners) for corners in cut]


def _check_points(points: Sequence[Point], size: tuple[int, int]) -> None:
    width, height = size
    problems = [
        f"points.{index}: {list(point)} lies outside the image ({width} x {height} pixels)"
        for index, point in enumerate(points)
        if not (0 <= point.x < width and 0 <= point.y < height)
    ]
    if problems:
        raise ArgumentsError(problems)


def _prompt_name(index: int, boxes: int) -> str:
    return f"box {index + 1}" if index < boxes else f"point {index - boxes + 1}"
