"""Hook implementations of promptvision-vqa: one tool that answers questions, and its two models."""

from __future__ import annotations

from promptvision.plugin import Gpu, ModelSpec, Requirements, Tier, Tool, WeightFile, hookimpl, operations

__all__ = ["ASK", "LARGE", "PLUGIN_API", "SMALL", "promptvision_models", "promptvision_tools"]

PLUGIN_API = 1


def _smolvlm(id_: str, name: str, revision: str, sha256: str, size: int, tier: Tier = "") -> ModelSpec:
    """SmolVLM; its weights are published in bfloat16."""
    return ModelSpec(
        id=id_,
        source=f"HuggingFaceTB/{name}",
        revision=revision,
        files=(
            WeightFile("model.safetensors", sha256=sha256, size=size),
            WeightFile("config.json"),
            WeightFile("generation_config.json"),
            WeightFile("preprocessor_config.json"),
            WeightFile("processor_config.json"),
            WeightFile("chat_template.json"),
            WeightFile("tokenizer.json"),
            WeightFile("tokenizer_config.json"),
            WeightFile("special_tokens_map.json"),
        ),
        hub_files=("*.json", "*.safetensors", "*.jinja"),
        license="Apache-2.0",
        license_url=f"https://huggingface.co/HuggingFaceTB/{name}",
        weight_bytes={"bfloat16": size, "float16": size, "float32": 2 * size},
        peak_bytes={"bfloat16": 600_000_000, "float16": 600_000_000, "float32": 1_200_000_000},
        dtypes={"cuda": ("bfloat16", "float16"), "cpu": ("float32",)},
        load="promptvision_vqa.load:load",
        movable=True,
        tier=tier,
    )


SMALL = _smolvlm(
    "smolvlm-256m",
    "SmolVLM-256M-Instruct",
    "7e3e67edbbed1bf9888184d9df282b700a323964",
    "74dea5904032e5ae99a2e0eef5179e6ac0f1dedc3ab0c7c2a5d4d387c843203e",
    513_028_808,
    "light",
)
LARGE = _smolvlm(
    "smolvlm-500m",
    "SmolVLM-500M-Instruct",
    "a7da5b986cb59b408707209984f360a5f4ad7e47",
    "d05b567eeaf534e83d375551f068ed57b5f52d37c657197f644af5ef9db091a2",
    1_015_025_832,
)
"""Revisions, sizes and digests are those that several public projects pin; ``peak_bytes`` is an estimate."""

ASK = Tool(
    name="smolvlm",
    operation=operations.ASK,
    run="promptvision_vqa.ask:ask",
    requires=Requirements(
        models=(SMALL.id,), chosen_by={SMALL.id: "PROMPTVISION_VQA_MODEL"}, gpu=Gpu.PREFERRED
    ),
    limits="A small model that understands English: exact counts, small print and reasoning are unreliable.",
)


@hookimpl
def promptvision_tools() -> list[Tool]:
    """The one tool of this plugin."""
    return [ASK]


@hookimpl
def promptvision_models() -> list[ModelSpec]:
    """SmolVLM in two sizes."""
    return [SMALL, LARGE]
