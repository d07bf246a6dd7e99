"""Hook implementations of promptvision-erase: one tool that removes objects, and its two models."""

from __future__ import annotations

import os

from promptvision.plugin import (
    InpaintArgs,
    ModelSpec,
    Requirements,
    Tool,
    WeightFile,
    hookimpl,
    operations,
)

__all__ = ["ERASE", "LAMA", "MIGAN", "PLUGIN_API", "promptvision_models", "promptvision_tools"]

PLUGIN_API = 1

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reads it when it is imported

MIGAN = ModelSpec(
    id="migan-512",
    source="andraniksargsyan/migan",
    revision="1538c135034b8cfe7a8472f34d09c8a5a45b17a7",
    files=(
        WeightFile(
            "migan_pipeline_v2.onnx",
            sha256="6f1f3530a1a2324b19752018ce756088b07973cda8d7d890034ace5c8a48c40b",
            size=28_079_181,
        ),
    ),
    hub_files=("*.onnx",),
    license="MIT",
    license_url="https://github.com/Picsart-AI-Research/MI-GAN/blob/main/LICENSE",
    weight_bytes={"float32": 28_079_181},
    peak_bytes={"float32": 600_000_000},
    load="promptvision_erase.fill:load",
    tier="light",
)
"""Trained on Places2 at 512 x 512. Size and digest as pinned by several public projects; ``peak_bytes`` is an
estimate, not measured."""

LAMA = ModelSpec(
    id="lama",
    source="Carve/LaMa-ONNX",
    revision="c3c0c9e468934d62e79c329e35d82dd09ff8c444",
    files=(
        WeightFile(
            "lama_fp32.onnx",
            sha256="1faef5301d78db7dda502fe59966957ec4b79dd64e16f03ed96913c7a4eb68d6",
            size=208_044_816,
        ),
    ),
    hub_files=("*.onnx",),
    license="Apache-2.0",
    license_url="https://github.com/advimman/lama/blob/main/LICENSE",
    weight_bytes={"float32": 208_044_816},
    peak_bytes={"float32": 1_500_000_000},
    load="promptvision_erase.fill:load",
)
"""Big-LaMa at 512 x 512. Size and digest as pinned by several public projects; ``peak_bytes`` is an estimate,
not measured."""


def removes(args: InpaintArgs) -> bool:
    """Whether the arguments ask only for removal."""
    return not args.prompt.strip()


ERASE = Tool(
    name="erase",
    operation=operations.INPAINT,
    run="promptvision_erase.erase:erase",
    priority=60,
    accepts=removes,
    requires=Requirements(
        models=(MIGAN.id,),
        chosen_by={MIGAN.id: "PROMPTVISION_ERASE_MODEL"},
        modules={"onnxruntime": "pip install onnxruntime"},
    ),
    limits=(
        "Removes an object (prompt empty), not its shadow; promptvision-sdxl-inpaint paints something new."
    ),
)


@hookimpl
def promptvision_tools() -> list[Tool]:
    """The tool ``erase``."""
    return [ERASE]


@hookimpl
def promptvision_models() -> list[ModelSpec]:
    """MI-GAN and LaMa."""
    return [MIGAN, LAMA]
