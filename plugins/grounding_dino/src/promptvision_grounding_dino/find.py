"""Run Grounding DINO on one image.

The method of Liu et al., "Grounding DINO" (arXiv 2303.05499), through its port in transformers. The label of
a box is the requested name whose tokens match it best; the usual recipe joins all tokens over a threshold,
which creates labels that were not requested. Duplicate boxes are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torchvision.ops import (  # type: ignore[import-untyped]
    batched_nms,
    box_area,
    box_convert,
    box_iou,
    clip_boxes_to_image,
)

from promptvision.plugin import ArgumentsError, PretrainedModel, ToolFailed, flat_rgb, pad_aspect
from promptvision_grounding_dino.prompt import join_labels, label_spans

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_IOU", "SAME_IOU", "Finding", "find"]

MAX_IOU = 0.8
"""Of two boxes with one label that overlap by more than this (intersection over union) the weaker one is
dropped. The value is taken from the demo scripts of Grounded-Segment-Anything."""

SAME_IOU = 0.95
"""Two boxes with different labels that overlap by more than this are one box, which keeps the better label. A
shirt and the person who wears it overlap less."""

MAX_ASPECT = 8
"""Longer images are padded: the preprocessor scales the longer side to 1333 pixels."""


@dataclass(frozen=True)
class Finding:
    """One box.

    Args:
        box: ``[x1, y1, x2, y2]`` in pixels with two decimals.
        label: the requested label that matches best.
        score: from 0 to 1.
        also: other labels for which the same box was found.
    """

    box: tuple[float, float, float, float]
    label: str
    score: float
    also: tuple[str, ...] = ()


def find(detector: PretrainedModel, image: Image, labels: list[str], threshold: float) -> list[Finding]:
    """Find labelled boxes, best first.

    Args:
        detector: the model.
        image: any mode; transparent parts are read as white.
        labels: from :func:`~promptvision.plugin.split_labels`.
        threshold: boxes with a score above it are kept. A score is the highest probability among the tokens
            of the box's label.

    Raises:
        ArgumentsError: the labels have more tokens than the model reads, or one has no known token.
        ToolFailed: the model returned values that are not finite.
    """
    inputs = _prepare(detector, image, labels)
    probabilities, boxes = _run(detector.model, inputs)
    spans = label_spans(inputs["input_ids"][0].tolist())
    by_label = torch.stack([_best(probabilities[:, start:stop]) for start, stop in spans], dim=1)
    scores, indices = by_label.max(dim=1)
    boxes = _to_pixels(boxes, _padded(image).size, image.size)
    kept = torch.nonzero((scores > threshold) & (box_area(boxes) > 0))[:, 0]
    kept = kept[batched_nms(boxes[kept], scores[kept], indices[kept], MAX_IOU)]
    also = _merge_same(boxes[kept], indices[kept].tolist())
    rows = zip(boxes[kept].tolist(), indices[kept].tolist(), scores[kept].tolist(), strict=True)
    return [
        Finding(_short(box), labels[index], score, tuple(labels[other] for other in sorted(also[row])))
        for row, (box, index, score) in enumerate(rows)
        if row in also
    ]


def _merge_same(boxes: torch.Tensor, labels: list[int]) -> dict[int, set[int]]:
    """Map the row of each kept box to the other labels of the same box; boxes are sorted, best first."""
    overlaps = box_iou(boxes, boxes) > SAME_IOU
    stays: dict[int, set[int]] = {}
    for row, label in enumerate(labels):
        same = next((better for better in stays if overlaps[better, row] and labels[better] != label), None)
        if same is None:
            stays[row] = set()
        else:
            stays[same].add(label)
    return stays


def _padded(image: Image) -> Image:
    return pad_aspect(flat_rgb(image), MAX_ASPECT)


def _prepare(detector: PretrainedModel, image: Image, labels: list[str]) -> Any:
    with detector.lock:
        inputs = detector.processor(images=_padded(image), text=join_labels(labels), return_tensors="pt")
        unknown = detector.processor.tokenizer.unk_token_id
    ids = inputs["input_ids"][0].tolist()
    if len(ids) > (limit := detector.model.config.max_text_len):
        raise ArgumentsError(
            f"prompt: {len(ids)} tokens, Grounding DINO reads {limit}; name fewer objects at once"
        )
    tokens = [set(ids[start:stop]) for start, stop in label_spans(ids)]
    unread = [label for label, own in zip(labels, tokens, strict=True) if own == {unknown}]
    if unread or not any(tokens):
        names = ", ".join(map(repr, unread or labels))
        raise ArgumentsError(f"prompt: Grounding DINO cannot read {names}; name it with English words")
    return inputs


def _run(model: Any, inputs: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Run the model; return token probabilities (queries x tokens) and boxes (queries x 4, 0 to 1)."""
    with torch.inference_mode():
        output = model(**inputs.to(model.device, model.dtype))
    logits, boxes = output.logits[0].float().cpu(), output.pred_boxes[0].float().cpu()
    if logits.isnan().any() or not boxes.isfinite().all():
        raise ToolFailed(f"Grounding DINO in {model.dtype} returned values that are not finite")
    return logits.sigmoid(), boxes


def _best(probabilities: torch.Tensor) -> torch.Tensor:
    """Highest probability of each row; 0 for a label that has no tokens."""
    return (
        probabilities.amax(dim=1) if probabilities.shape[1] else probabilities.new_zeros(len(probabilities))
    )


def _to_pixels(boxes: torch.Tensor, padded: tuple[int, int], size: tuple[int, int]) -> torch.Tensor:
    corners = box_convert(boxes, "cxcywh", "xyxy") * torch.tensor([*padded, *padded])
    clipped: torch.Tensor = clip_boxes_to_image(corners, size[::-1])
    return clipped.round(decimals=2)


def _short(box: list[float]) -> tuple[float, float, float, float]:
    """Round float32 values to two decimals."""
    x1, y1, x2, y2 = (round(value, 2) for value in box)
    return x1, y1, x2, y2
