"""Load Grounding DINO from a folder in the layout of ``save_pretrained``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

from promptvision.plugin import require_all_weights

__all__ = ["Detector", "load"]


@dataclass(frozen=True, kw_only=True)
class Detector:
    """A loaded Grounding DINO.

    Args:
        processor: prepares text and image.
        model: on its device, in evaluation mode; calls may use it in parallel.
        lock: hold it around the processor. Each call changes its tokenizer, which raises "Already borrowed"
            if two calls overlap (transformers issue 9362).
    """

    processor: Any
    model: Any
    lock: Lock = field(default_factory=Lock)


def load(folder: Path, device: str, dtype: str) -> Detector:
    """Load processor and model from local files only, weights from safetensors only.

    Args:
        folder: contains ``config.json`` and ``model.safetensors``.
        device: ``cpu`` or ``cuda``.
        dtype: ``float32``, ``float16`` or ``bfloat16``.

    Raises:
        SetupError: the files do not contain all weights.
    """
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)  # type: ignore[no-untyped-call]
    model, info = AutoModelForZeroShotObjectDetection.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        dtype=getattr(torch, dtype),
        output_loading_info=True,
    )
    require_all_weights("promptvision-grounding-dino", folder, info)
    return Detector(processor=processor, model=model.to(device).eval())
