"""Hook implementations of promptvision-grounding-dino."""

from __future__ import annotations

from collections.abc import Iterable

from promptvision.plugin import Gpu, ModelSpec, Requirements, Tool, WeightFile, hookimpl, operations

__all__ = ["BASE", "DETECT", "TINY", "promptvision_models", "promptvision_tools"]

PLUGIN_API = 1

LICENSE_URL = "https://github.com/IDEA-Research/GroundingDINO/blob/main/LICENSE"

TOKENIZER = (
    WeightFile(
        "preprocessor_config.json", "8454179ba95e2ad22947835aad7b45862a601fc0055ab88bf1ee70892d3aea60", 457
    ),
    WeightFile(
        "special_tokens_map.json", "b6d346be366a7d1d48332dbc9fdf3bf8960b5d879522b7799ddba59e76237ee3", 125
    ),
    WeightFile("tokenizer.json", "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66", 711_396),
    WeightFile(
        "tokenizer_config.json", "d40ab645b68211910b9170d22433d43186a6ec8ee6fd10ba170524b25bf4fb56", 1_237
    ),
    WeightFile("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3", 231_508),
)
"""The five files that both repositories share."""

PEAK_BYTES = 1_500_000_000
"""Memory of one call in addition to the weights, in float32. Measured as growth of the process on a CPU: 1.41
GB for base and 1.44 GB for tiny, at 800 x 1333 pixels, the maximum size after scaling."""


def _by_dtype(float32: int) -> dict[str, int]:
    return {"float32": float32, "float16": float32 // 2, "bfloat16": float32 // 2}


BASE = ModelSpec(
    id="grounding-dino-base",
    source="IDEA-Research/grounding-dino-base",
    revision="12bdfa3120f3e7ec7b434d90674b3396eccf88eb",
    files=(
        WeightFile(
            "model.safetensors",
            "5548f844c928c4b6f411fa8cbcc2bfa8dbbba437cb1d513975519f93c2a9ed21",
            933_400_872,
        ),
        WeightFile("config.json", "eda416dae6f49419ff831b1c190ec430a060b19aae688dbaf2425a075b650608", 1_737),
        *TOKENIZER,
    ),
    hub_files=("model.safetensors", "*.json"),
    license="Apache-2.0",
    license_url=LICENSE_URL,
    weight_bytes=_by_dtype(933_400_872),
    peak_bytes=_by_dtype(PEAK_BYTES),
    dtypes={"cuda": ("float32", "float16", "bfloat16"), "cpu": ("float32",)},
    load="promptvision_grounding_dino.load:load",
    movable=True,
    tier="full",
)

TINY = ModelSpec(
    id="grounding-dino-tiny",
    source="IDEA-Research/grounding-dino-tiny",
    revision="a2bb814dd30d776dcf7e30523b00659f4f141c71",
    files=(
        WeightFile(
            "model.safetensors",
            "1a2412ef99bd74bcd3c2a246fa1e48581f8889a1300c9051974741314fc042f3",
            689_359_096,
        ),
        WeightFile("config.json", "eec82c5ab66e16df12a9a212e68ac011779927c2536cf9078658e35d85f0c67a"),
        *TOKENIZER,
    ),
    hub_files=("model.safetensors", "*.json"),
    license="Apache-2.0",
    license_url=LICENSE_URL,
    weight_bytes=_by_dtype(689_359_096),
    peak_bytes=_by_dtype(PEAK_BYTES),
    dtypes=BASE.dtypes,
    load=BASE.load,
    movable=True,
    tier="light",
)

DETECT = Tool(
    name="grounding_dino",
    operation=operations.DETECT,
    run="promptvision_grounding_dino.detect:detect",
    requires=Requirements(
        models=(f"{BASE.id} | {TINY.id}",),
        chosen_by={BASE.id: "PROMPTVISION_GROUNDING_DINO_MODEL"},
        gpu=Gpu.PREFERRED,
    ),
)


@hookimpl
def promptvision_tools() -> Iterable[Tool]:
    """Open-vocabulary detection."""
    return [DETECT]


@hookimpl
def promptvision_models() -> Iterable[ModelSpec]:
    """The two published checkpoints of Grounding DINO."""
    return [BASE, TINY]
