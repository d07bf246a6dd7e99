"""The networks of metrics with random weights, in the files that ``promptvision models pull`` fetches.

Benchmarks load this file by its path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

__all__ = ["build_alexnet", "build_clip", "build_inception", "make_inception"]


def make_inception(features: list[str]) -> Any:
    """Inception v3 as torch-fidelity builds it, without the download of its weights."""
    import torch
    from torch_fidelity import (  # type: ignore[import-untyped]
        feature_extractor_inceptionv3 as inception,
    )

    torch.manual_seed(0)
    with (
        mock.patch.object(inception, "load_state_dict_from_url", return_value={}),
        mock.patch.object(torch.nn.Module, "load_state_dict", return_value=None),
    ):
        network = inception.FeatureExtractorInceptionV3("inception-v3-compat", features)
    for name, tensor in network.named_parameters():
        if name.endswith("conv.weight"):  # so that the features do not vanish after many layers
            torch.nn.init.kaiming_normal_(tensor, nonlinearity="relu")
    return network


def build_inception(path: Path) -> Path:
    """Write Inception v3."""
    import torch

    torch.save(make_inception(["2048"]).state_dict(), path)
    return path


def build_alexnet(path: Path) -> Path:
    """Write AlexNet."""
    import torch
    import torchvision  # type: ignore[import-untyped]

    torch.manual_seed(0)
    torch.save(torchvision.models.alexnet(weights=None).state_dict(), path)
    return path


def build_clip(folder: Path) -> Path:
    """A CLIP of the published architecture with tiny layers and random weights."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    folder.mkdir()
    vocabulary = {
        token: at
        for at, token in enumerate(
            ["<|startoftext|>", "<|endoftext|>", *(chr(code) for code in range(33, 127)), *"\u0120\u010a"]
        )
    }
    torch.manual_seed(0)
    config = CLIPConfig(
        text_config={**sizes, "vocab_size": len(vocabulary), "bos_token_id": 0, "eos_token_id": 1},
        vision_config={**sizes, "image_size": 32, "patch_size": 8},
        projection_dim=8,
    )
    CLIPModel(config).save_pretrained(folder)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<|endoftext|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast = CLIPTokenizer(
        tokenizer_object=tokenizer,
        bos_token="<|startoftext|>",
        eos_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        model_max_length=77,
    )
    processor = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    CLIPProcessor(processor, fast).save_pretrained(folder)  # type: ignore[no-untyped-call]
    return folder
