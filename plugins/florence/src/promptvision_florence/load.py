"""Load Florence-2 from a folder in the layout of ``save_pretrained``."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoProcessor, Florence2ForConditionalGeneration

from promptvision.plugin import PretrainedModel, load_pretrained

__all__ = ["load"]


def load(folder: Path, device: str, dtype: str) -> PretrainedModel:
    """Load processor and model from local files only, weights from safetensors only.

    Args:
        folder: contains ``config.json`` and ``model.safetensors``.
        device: ``cpu`` or ``cuda``.
        dtype: ``float32``, ``float16`` or ``bfloat16``.

    Raises:
        SetupError: the files do not contain all weights.
    """
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)  # type: ignore[no-untyped-call]
    model = load_pretrained("promptvision-florence", Florence2ForConditionalGeneration, folder, device, dtype)
    return PretrainedModel(processor=processor, model=model)
