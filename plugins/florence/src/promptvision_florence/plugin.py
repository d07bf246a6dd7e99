"""Hook implementations of promptvision-florence."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from promptvision.plugin import (
    Batch,
    Gpu,
    ModelSpec,
    Requirements,
    Tier,
    Tool,
    WeightFile,
    hookimpl,
    operations,
)

__all__ = [
    "API_URL",
    "CAPTION",
    "CAPTION_REMOTE",
    "DETECT",
    "MODELS",
    "READ_TEXT",
    "REQUIRES",
    "promptvision_models",
    "promptvision_tools",
]

PLUGIN_API = 1

API_URL = "FLORENCE_API_URL"
"""The variable with the full URL of a captioning service, such as ``http://gpu-box:8000/caption``."""


FILES = ("config.json", "processor_config.json", "tokenizer.json", "*.json")
"""Further files of each repository; the remaining JSON files differ between old and new repositories."""


def _spec(
    name: str, revision: str, weights: WeightFile, *, parameters: int, peak_bytes: int, tier: Tier = ""
) -> ModelSpec:
    """One checkpoint, published in float16.

    Args:
        name: name of the hub repository.
        revision: commit.
        weights: the large file.
        parameters: number of parameters.
        peak_bytes: memory of one call in addition to the weights, in float32.
        tier: the profile that it belongs to.
    """
    half = 2 * parameters
    return ModelSpec(
        id=name.lower(),
        source=f"florence-community/{name}",
        revision=revision,
        files=(weights, *map(WeightFile, FILES)),
        license="MIT",
        license_url="https://huggingface.co/microsoft/Florence-2-large/blob/main/LICENSE",
        download_bytes=half,
        weight_bytes={"float16": half, "bfloat16": half, "float32": 2 * half},
        peak_bytes={"float16": peak_bytes // 2, "bfloat16": peak_bytes // 2, "float32": peak_bytes},
        dtypes={"cuda": ("float16", "bfloat16", "float32"), "cpu": ("float32",)},
        load="promptvision_florence.load:load",
        movable=True,
        tier=tier,
    )


_base = partial(_spec, parameters=231_400_000, peak_bytes=400_000_000)
_large = partial(_spec, parameters=776_500_000, peak_bytes=600_000_000)
# Peaks: measured on a CPU as growth of the process, 0.30 and 0.47 GB, plus a margin for the longest answer.

MODELS = (
    _large(
        "Florence-2-large",
        "4271c66b88cdbc05735372ec13b2360108de5317",
        WeightFile(
            "model.safetensors",
            "7715423d6549bf1e71188bdd84f4ac960cc0597886af24a5ef7b66f128660685",
            1_553_541_016,
        ),
        tier="full",
    ),
    _large(
        "Florence-2-large-ft",
        "26b734a54fdfbf9c398351eedfabb7f27fc470b7",
        WeightFile("model.safetensors"),  # no verifiable source for size and digest
    ),
    _base(
        "Florence-2-base",
        "00921df66db728a9ceb750f5eca43e5c203a2051",
        WeightFile(
            "model.safetensors",
            "62f3e696da74f8869a68ddb529a9b3e14eb25b21c592cb3dea6179bf944df6a0",
            463_178_864,
        ),
        tier="light",
    ),
    _base(
        "Florence-2-base-ft",
        "0b03b6f15a4a211370fb204aee4e7dd48887ea37",
        WeightFile(
            "model.safetensors",
            "ab06dea66b16d5e54513256d64854be2194443452fd0d84353b40a278bf87d42",
            463_178_864,
        ),
    ),
)
"""The fine-tuned ones are used only if the setting names one."""

REQUIRES = Requirements(
    models=("florence-2-large | florence-2-base",),
    chosen_by={"florence-2-large": "PROMPTVISION_FLORENCE_MODEL"},
    gpu=Gpu.PREFERRED,
)

CAPTION = Tool(
    name="florence",
    operation=operations.CAPTION,
    run="promptvision_florence.caption:caption",
    batch=Batch(run="promptvision_florence.caption:caption_all", key=lambda args: args.detail),
    requires=REQUIRES,
)

CAPTION_REMOTE = Tool(
    name="florence_remote",
    operation=operations.CAPTION,
    run="promptvision_florence.remote:caption",
    priority=40,
    requires=Requirements(settings={API_URL: "the full URL of a Florence-2 captioning service"}),
    limits="Always captions in full detail; promptvision-florence with local weights can be brief.",
    leaves_machine=True,
)

DETECT = Tool(
    name="florence_detect",
    operation=operations.DETECT,
    run="promptvision_florence.detect:detect",
    priority=30,
    requires=REQUIRES,
    limits="Processes the image once for each name and tends to return a box even for missing objects; "
    "promptvision-grounding-dino is better.",
)

READ_TEXT = Tool(
    name="florence_ocr",
    operation=operations.EXTRACT_TEXT,
    run="promptvision_florence.read:read_text",
    priority=30,
    requires=REQUIRES,
    limits="Good at signs in photos, weak at pages of text, and languages cannot be chosen; "
    "promptvision-tesseract reads pages.",
)


@hookimpl
def promptvision_tools() -> Iterable[Tool]:
    """Captions from the local model or a service, detection, and OCR."""
    return [CAPTION, CAPTION_REMOTE, DETECT, READ_TEXT]


@hookimpl
def promptvision_models() -> Iterable[ModelSpec]:
    """The four published checkpoints in the layout of transformers' own Florence-2 classes."""
    return MODELS
