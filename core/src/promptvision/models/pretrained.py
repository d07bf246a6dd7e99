"""Load models of transformers from a folder in the layout of ``save_pretrained``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from promptvision.models.loading import require_all_weights

__all__ = ["PretrainedModel", "load_pretrained"]


@dataclass(frozen=True, kw_only=True)
class PretrainedModel:
    """A loaded model with its processor.

    Args:
        processor: prepares the input, and decodes the output.
        model: on its device, in evaluation mode; calls may use it in parallel.
        lock: hold it around the processor. Each call changes its tokenizer, which raises "Already borrowed"
            if two calls overlap (transformers issue 9362).
    """

    processor: Any
    model: Any
    lock: Lock = field(default_factory=Lock)


def load_pretrained(
    owner: str, model_class: Any, folder: Path, device: str, dtype: str, **options: Any
) -> Any:
    """Load a model in evaluation mode, from local files only and from safetensors only.

    Args:
        owner: the plugin, for messages.
        model_class: a class of transformers with ``from_pretrained``.
        folder: with ``config.json`` and safetensors files.
        device: ``cpu`` or ``cuda``.
        dtype: ``float32``, ``float16`` or ``bfloat16``.
        options: further options of ``from_pretrained``.

    Raises:
        SetupError: the files do not contain all weights.
    """
    model, info = model_class.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=dtype, output_loading_info=True, **options
    )
    require_all_weights(owner, folder, info)
    return model.to(device).eval()
