"""Weights of the networks that metrics use. They are light to declare: nothing is imported."""

from __future__ import annotations

from promptvision.plugin import ModelSpec, WeightFile

__all__ = ["ALEXNET", "CLIP", "INCEPTION"]

INCEPTION = ModelSpec(
    id="inception-v3-fid",
    source="https://github.com/toshas/torch-fidelity",
    revision="v0.2.0",
    files=(
        WeightFile(
            "weights-inception-2015-12-05-6726825d.pth",
            sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
            size=95_628_359,
            url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
            "weights-inception-2015-12-05-6726825d.pth",
        ),
    ),
    license="Apache-2.0",
    license_url="https://github.com/toshas/torch-fidelity/blob/master/LICENSE.md",
    weight_bytes={"float32": 95_628_359},
)
"""The network of the original FID, ported to PyTorch."""

CLIP = ModelSpec(
    id="clip-vit-base-patch32",
    source="openai/clip-vit-base-patch32",
    revision="c237dc49a33fc61debc9276459120b7eac67e7ef",
    files=(
        WeightFile("model.safetensors", size=605_157_884),
        *(
            WeightFile(name)
            for name in (
                *("config.json", "merges.txt", "preprocessor_config.json", "special_tokens_map.json"),
                *("tokenizer.json", "tokenizer_config.json", "vocab.json"),
            )
        ),
    ),
    hub_files=("model.safetensors", "*.json", "merges.txt"),
    download_bytes=608_500_000,
    license="MIT",
    license_url="https://github.com/openai/CLIP/blob/main/LICENSE",
    weight_bytes={"float32": 605_157_884},
)
"""ViT-B/32 by OpenAI, with which MLPerf measures SDXL; the hub's conversion to safetensors."""

ALEXNET = ModelSpec(
    id="alexnet-lpips",
    source="https://download.pytorch.org",
    revision="7be5be79",
    files=(
        WeightFile(
            "alexnet-owt-7be5be79.pth",
            size=244_408_911,
            url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        ),
    ),
    license="BSD-3-Clause",
    license_url="https://github.com/pytorch/vision/blob/main/LICENSE",
    weight_bytes={"float32": 244_408_911},
)
"""The network under LPIPS, as torchvision publishes it; the linear layers come with the lpips package."""
