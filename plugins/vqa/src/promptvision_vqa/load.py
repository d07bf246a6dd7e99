"""Load a vision-language model from a folder in the layout of ``save_pretrained``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from promptvision.plugin import require_all_weights

__all__ = ["Answerer", "load"]


@dataclass(frozen=True, kw_only=True)
class Answerer:
    """A loaded model.

    Args:
        processor: encodes image and question, and decodes the answer.
        model: on its device, in evaluation mode; calls may use it in parallel.
        lock: hold it around the processor: two threads cannot use a fast tokenizer at the same time.
    """

    processor: Any
    model: Any
    lock: Lock = field(default_factory=Lock)


def load(folder: Path, device: str, dtype: str) -> Answerer:
    """Load processor and model from local files only, weights from safetensors only.

    Args:
        folder: with ``config.json`` and ``model.safetensors``.
        device: ``cpu`` or ``cuda``.
        dtype: ``float32``, ``float16`` or ``bfloat16``.

    Raises:
        SetupError: some weights are missing.
    """
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)  # type: ignore[no-untyped-call]
    loaded: Any = AutoModelForImageTextToText.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        dtype=getattr(torch, dtype),
        output_loading_info=True,
    )
    model, info = loaded
    require_all_weights("promptvision-vqa", folder, info)
    return Answerer(processor=processor, model=model.to(device).eval())
