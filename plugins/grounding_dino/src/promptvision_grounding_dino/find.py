"""One run of Grounding DINO on one image.

The method of Liu et al., "Grounding DINO" (arXiv 2303.05499), through its port in transformers. A box is
named by the label whose tokens fit it best, where the usual recipe joins all tokens over a threshold and so
makes up labels that nobody asked for; boxes that were found twice are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torchvision.ops import (  # type: ignore[import-untyped]
    box_area,
    box_convert,
    clip_boxes_to_image,
    nms,
)

from promptvision.plugin import ArgumentsError, ToolFailed, flat_rgb
from promptvision_grounding_dino.load import Detector
from promptvision_grounding_dino.prompt import join_labels, label_spans

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_IOU", "Finding", "find"]

MAX_IOU = 0.8
"""Of two boxes that overlap by more than this (intersection over union) the weaker one is dropped, whatever
their labels. The value is that of the demo scripts of Grounded-Segment-Anything."""


@dataclass(frozen=True)
class Finding:
    """One box: ``[x1, y1, x2, y2]`` in pixels with two decimals, the label asked for, a score from 0 to 1."""

    box: tuple[float, float, float, float]
    label: str
    score: float


def find(detector: Detector, picture: Image, labels: list[str], threshold: float) -> list[Finding]:
    """Find labelled boxes, best first.

    Args:
        detector: what to run.
        image: any mode; what is transparent shows white.
        labels: as :func:`~promptvision.tools.labels.split_labels` gives them.
        threshold: boxes with a score above it are kept. A score is the highest probability among the tokens
            of the box's label.

    Raises:
        ArgumentsError: the labels have more tokens than the model reads.
        ToolFailed: the model returned values that are no numbers.
    """
    inputs = _prepare(detector, picture, join_labels(labels))
    probabilities, boxes = _run(detector.model, inputs)
    spans = label_spans(inputs["input_ids"][0].tolist())
    by_label = torch.stack([_best(probabilities[:, start:stop]) for start, stop in spans], dim=1)
    scores, indices = by_label.max(dim=1)
    boxes = _to_pixels(boxes, *picture.size)
    kept = torch.nonzero((scores > threshold) & (box_area(boxes) > 0))[:, 0]
    kept = kept[nms(boxes[kept], scores[kept], MAX_IOU)]
    rows = zip(boxes[kept].tolist(), indices[kept].tolist(), scores[kept].tolist(), strict=True)
    return [Finding(_short(box), labels[index], score) for box, index, score in rows]


def _prepare(detector: Detector, picture: Image, text: str) -> Any:
    with detector.lock:
        inputs = detector.processor(images=flat_rgb(picture), text=text, return_tensors="pt")
    count, limit = inputs["input_ids"].shape[1], detector.model.config.max_text_len
    if count > limit:
        raise ArgumentsError(
            f"prompt: {count} tokens, Grounding DINO reads {limit}; ask for fewer things at once"
        )
    return inputs


def _run(model: Any, inputs: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Token probabilities, queries x tokens; boxes, queries x 4, centre and size from 0 to 1."""
    with torch.inference_mode():
        output = model(**inputs.to(model.device, model.dtype))
    logits, boxes = output.logits[0].float().cpu(), output.pred_boxes[0].float().cpu()
    if logits.isnan().any() or not boxes.isfinite().all():
        raise ToolFailed(f"Grounding DINO in {model.dtype} returned values that are no numbers")
    return logits.sigmoid(), boxes


def _best(probabilities: torch.Tensor) -> torch.Tensor:
    """Highest probability of each row; 0 for a label that has no tokens."""
    return (
        probabilities.amax(dim=1) if probabilities.shape[1] else probabilities.new_zeros(len(probabilities))
    )


def _to_pixels(boxes: torch.Tensor, width: int, height: int) -> torch.Tensor:
    corners = box_convert(boxes, "cxcywh", "xyxy") * torch.tensor([width, height, width, height])
    clipped: torch.Tensor = clip_boxes_to_image(corners, (height, width))
    return clipped.round(decimals=2)


def _short(box: list[float]) -> tuple[float, float, float, float]:
    """float32 values as doubles that print with two decimals."""
    x1, y1, x2, y2 = (round(value, 2) for value in box)
    return x1, y1, x2, y2
