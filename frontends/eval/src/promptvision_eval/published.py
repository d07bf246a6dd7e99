"""Published figures with their sources, and under which conditions they were measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["PUBLISHED", "Published", "differences", "find_published"]


@dataclass(frozen=True, kw_only=True)
class Published:
    """A published figure.

    Args:
        operation, metric: what it compares with.
        low, high: the figure, or its range.
        model: what was measured.
        data: the data set.
        source: where it is published.
        unit: of the figure.
        conditions: what a run must have in common with it, by name.
        remark: what else the reader must know.
    """

    operation: str
    metric: str
    low: float
    high: float
    model: str
    data: str
    source: str
    unit: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""

    @property
    def value(self) -> str:
        """The figure as text, with its unit."""
        value = f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"
        return f"{value} {self.unit}".strip()


PUBLISHED = (
    Published(
        operation="detect_objects",
        metric="AP",
        low=56.7,
        high=56.7,
        model="Grounding DINO B (Swin-B)",
        data="COCO val2017",
        unit="%",
        source="https://github.com/IDEA-Research/GroundingDINO/releases/tag/v0.1.0-alpha2",
        conditions={
            "model": "grounding-dino-base",
            "annotations": "instances_val2017.json",
            "images": "5000",
            "prompts": "all",
            "box_threshold": "0",
        },
        remark="its training data include COCO, so it is not a zero-shot figure",
    ),
    Published(
        operation="segment_objects",
        metric="mIoU",
        low=79.5,
        high=79.5,
        model="SAM ViT-L",
        data="mean of DIS, COIFT, HRSOD and ThinObject-5K, boxes of the labels",
        unit="%",
        source="https://arxiv.org/abs/2306.01567",
        conditions={"model": "sam-vit-l", "boxes": "of the labels"},
        remark="the figure is the mean of four data sets, and of SAM 1; this tool runs SAM 2.1",
    ),
    Published(
        operation="generate_image",
        metric="FID",
        low=23.5,
        high=23.5,
        model="SDXL 1.0 base, text to image",
        data="5,000 captions of COCO val2014",
        source="https://mlcommons.org/2024/08/sdxl-mlperf-text-to-image-generation-benchmark/",
        conditions={"model": "sdxl-base", "images": "5000", "steps": "20", "guidance": "8"},
        remark="MLPerf uses its own selection of captions, another solver, and prepared starting noise",
    ),
    Published(
        operation="generate_image",
        metric="CLIP score",
        low=31.75,
        high=31.75,
        model="SDXL 1.0 base, text to image",
        data="5,000 captions of COCO val2014",
        source="https://mlcommons.org/2024/08/sdxl-mlperf-text-to-image-generation-benchmark/",
        conditions={"model": "sdxl-base", "images": "5000", "steps": "20", "guidance": "8"},
        remark="MLPerf uses its own selection of captions, another solver, and prepared starting noise",
    ),
    Published(
        operation="caption_image",
        metric="CIDEr",
        low=135.6,
        high=135.6,
        model="Florence-2 large",
        data="COCO, Karpathy test split",
        source="https://arxiv.org/abs/2311.06242",
        conditions={
            "model": "florence-2-large",
            "images": "5000",
            "detail": "brief",
            "tokenizer": "PTB",
        },
    ),
    Published(
        operation="extract_text",
        metric="character accuracy",
        low=95,
        high=98,
        model="Tesseract 4",
        data="clean printed text, not named by the source",
        unit="%",
        source="https://mljourney.com/trocr-vs-tesseract-comparison-of-ocr-tools-for-modern-applications/",
        conditions={"tool": "tesseract"},
        remark="the source names no data set, so the figure cannot be reproduced exactly",
    ),
)


def find_published(operation: str, metric: str) -> tuple[Published, ...]:
    """The published figures of a metric."""
    return tuple(each for each in PUBLISHED if (each.operation, each.metric) == (operation, metric))


def differences(published: Published, conditions: Mapping[str, str]) -> list[str]:
    """The settings in which a run differs from a published measurement, one line each.

    Args:
        published: the figure.
        conditions: of the run, by name; models are separated by commas.
    """
    return [
        f"{name}: {here} here, {wanted} published"
        for name, wanted in published.conditions.items()
        if (here := conditions.get(name, "not set")) != wanted and wanted not in here.split(", ")
    ]
