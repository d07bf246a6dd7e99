"""Hook implementations of promptvision-transformers-llm."""

from __future__ import annotations

from collections.abc import Iterable

from promptvision.plugin import (
    LLMProvider,
    ModelPool,
    ModelSpec,
    ProviderFactory,
    Settings,
    WeightFile,
    hookimpl,
    missing_weights,
)

__all__ = ["CONTEXT_TOKENS", "MODEL", "NAME", "promptvision_llm_providers", "promptvision_models"]

PLUGIN_API = 1

NAME = "transformers_llm"
"""Its name in ``PROMPTVISION_PLANNER``."""

CONTEXT_TOKENS = 8192
"""Capacity of the key-value cache, for prompt and reply."""

_PARAMETERS = 596_049_920
_CACHED_VALUES = 28 * 2 * 8 * 128 * CONTEXT_TOKENS
"""Keys and values of a full context: 28 layers, 8 heads of 128 values."""

MODEL = ModelSpec(
    id="qwen3-0.6b",
    source="Qwen/Qwen3-0.6B",
    revision="c1899de289a04d12100db370d81485cdf75e47ca",
    files=(
        WeightFile(
            "model.safetensors",
            "f47f71177f32bcd101b7573ec9171e6a57f4f4d31148d38e382306f42996874b",
            1_503_300_328,
        ),
        WeightFile(
            "tokenizer.json",
            "aeb13307a71acd8fe81861d94ad54ab689df773318809eed3cbe794b4492dae4",
            11_422_654,
        ),
        WeightFile("tokenizer_config.json"),
        WeightFile("config.json"),
        WeightFile("generation_config.json"),
    ),
    # A chat template may be a file of its own; not every repository has one, but each has a config.json.
    hub_files=("*.safetensors", "*.json", "c*.j*"),
    license="Apache-2.0",
    license_url="https://huggingface.co/Qwen/Qwen3-0.6B/blob/main/LICENSE",
    weight_bytes={
        "bfloat16": 2 * (_PARAMETERS + _CACHED_VALUES),
        "float16": 2 * (_PARAMETERS + _CACHED_VALUES),
        "float32": 4 * (_PARAMETERS + _CACHED_VALUES),
    },
    peak_bytes={"bfloat16": 100_000_000, "float16": 100_000_000, "float32": 200_000_000},
    dtypes={"cuda": ("bfloat16", "float16", "float32"), "cpu": ("float32",)},
    load="promptvision_transformers_llm.load:load",
)
"""Qwen3-0.6B, or the chat model that ``PROMPTVISION_MODEL_QWEN3_0_6B`` names instead."""


def _unavailable(settings: Settings) -> str | None:
    missing = missing_weights(MODEL, settings)
    return f"{missing.what}; {missing.fix}" if missing else None


def _create(settings: Settings, pool: ModelPool) -> LLMProvider:
    from promptvision_transformers_llm.provider import create

    return create(settings, pool)


@hookimpl
def promptvision_llm_providers() -> Iterable[ProviderFactory]:
    """An LLM in this process; a configured host has priority."""
    return [
        ProviderFactory(name=NAME, priority=20, unavailable=_unavailable, create=_create, uses_models=True)
    ]


@hookimpl
def promptvision_models() -> Iterable[ModelSpec]:
    """The default model."""
    return [MODEL]
