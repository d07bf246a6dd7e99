"""Loading Florence-2 from a folder in the layout of ``save_pretrained``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from transformers import AutoProcessor, Florence2ForConditionalGeneration

__all__ = ["Florence", "load"]


@dataclass(frozen=True, kw_only=True)
class Florence:
    """A loaded Florence-2.

    Args:
        processor: prepares task and image, and reads what the model wrote.
        model: on its device, in evaluation mode; calls may run in it at the same time.
        lock: hold it around the processor. Its tokenizer is changed by each call and raises "Already
            borrowed" when two come together (transformers issue 9362).
    """

    processor: Any
    model: Any
    lock: Lock = field(default_factory=Lock)


def load(folder: Path, device: str, dtype: str) -> Florence:
    """Load processor and model from local files alone, weights from safetensors only.

    Args:
        folder: with ``config.json`` and ``model.safetensors``.
        device: ``cpu`` or ``cuda``.
        dtype: ``float32``, ``float16`` or ``bfloat16``.
    """
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)  # type: ignore[no-untyped-call]
    model: Any = Florence2ForConditionalGeneration.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=getattr(torch, dtype)
    )
    return Florence(processor=processor, model=model.to(device).eval())
