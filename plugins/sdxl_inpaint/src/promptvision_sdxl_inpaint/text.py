"""Embeddings of the prompts of a call, from the cache of stages if an earlier call had the same prompts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from promptvision_sdxl_inpaint.denoise import Embeddings, embed_prompts, unread_notes
from promptvision_sdxl_inpaint.plugin import TEXT_ENCODER, TEXT_ENCODER_2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from promptvision.plugin import ToolContext
    from promptvision_sdxl_inpaint.load import TextEncoder
    from promptvision_sdxl_inpaint.staged import StagedRunner

__all__ = ["read_prompts"]

_PARTS = ("prompt", "pooled", "negative", "negative_pooled")


def read_prompts(
    context: ToolContext,
    runner: StagedRunner,
    *,
    following: Sequence[str],
    prompt: str,
    negative: str | None,
    guided: bool,
) -> tuple[Embeddings, Embeddings, list[str]]:
    """Encode the prompts of a call.

    Args:
        context: context of the call.
        runner: runs the encoders, unless the cache has the embeddings.
        following: models that are used next.
        prompt: what to paint.
        negative: what must not appear; None for an embedding of zeros in the base.
        guided: whether ``negative`` is used at all.

    Returns:
        The embeddings for the base, those for the refiner, and a note for each text that is too long.
    """

    def embed(device: str, first: TextEncoder, second: TextEncoder) -> dict[str, NDArray[Any]]:
        words: dict[str, Any] = {"prompt": prompt, "negative": negative, "guided": guided}
        notes = unread_notes(second, prompt=prompt, negative_prompt=negative or "")
        return {
            **_arrays("base", embed_prompts(device, first, second, **words)),
            **_arrays("refiner", embed_prompts(device, None, second, **words)),
            "notes": np.frombuffer(json.dumps(notes).encode(), np.uint8),
        }

    models = (TEXT_ENCODER, TEXT_ENCODER_2)
    arrays = context.cached(
        "text",
        lambda: runner.run("reading the prompt", models, embed, following=following),
        models=models,
        device=lambda: runner.device,
        libraries=("torch", "transformers", "diffusers"),
        parameters={"prompt": prompt, "negative": negative, "guided": guided},
    )
    notes: list[str] = json.loads(arrays["notes"].tobytes())
    return _embeddings("base", arrays), _embeddings("refiner", arrays), notes


def _arrays(model: str, embeddings: Embeddings) -> dict[str, NDArray[Any]]:
    parts = {f"{model}.{name}": getattr(embeddings, name) for name in _PARTS}
    return {name: part.numpy() for name, part in parts.items() if part is not None}


def _embeddings(model: str, arrays: Mapping[str, NDArray[Any]]) -> Embeddings:
    parts = {name: arrays.get(f"{model}.{name}") for name in _PARTS}
    tensors: dict[str, Any] = {
        name: part if part is None else torch.tensor(part) for name, part in parts.items()
    }
    return Embeddings(**tensors)
