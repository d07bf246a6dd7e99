"""Tiny SAM 2.1 checkpoints with random weights, in the file layouts of the two engines.

The tests of other members load this file by its path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["build_transformers", "build_ultralytics"]


def build_ultralytics(folder: Path) -> Path:
    """Write ``sam2.1_t.pt``: the real tiny architecture (39 M parameters) in 0.6 MB, and return its path.

    All matrices are views of one small random block, which is stored once.
    """
    import torch
    from ultralytics.models.sam import build

    builder: Any = build.build_sam2_t
    state = builder(None).state_dict()
    state["no_obj_embed_spatial"] = torch.zeros(1, 64)
    state["obj_ptr_tpos_proj.weight"] = torch.zeros(64, 256)
    state["obj_ptr_tpos_proj.bias"] = torch.zeros(64)
    longest = max(sum(tensor.shape) for tensor in state.values())
    base = torch.randn(longest, generator=torch.Generator().manual_seed(3)) * 0.05
    for name, tensor in state.items():
        if tensor.dim() > 1:
            state[name] = base.as_strided(tensor.shape, (1,) * tensor.dim())
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"model": state}, folder / "sam2.1_t.pt")
    return folder / "sam2.1_t.pt"


def build_transformers(folder: Path) -> Path:
    """Write a folder like ``facebook/sam2.1-hiera-large`` with 0.35 M parameters, and return it."""
    import torch
    from transformers import (
        Sam2Config,
        Sam2HieraDetConfig,
        Sam2ImageProcessor,
        Sam2MaskDecoderConfig,
        Sam2Model,
        Sam2Processor,
        Sam2PromptEncoderConfig,
        Sam2VisionConfig,
    )

    widths = [16, 32, 64, 128]
    backbone = Sam2HieraDetConfig(
        hidden_size=16,
        image_size=[256, 256],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=widths,
        num_attention_heads_per_stage=[1, 2, 4, 8],
        window_size_per_stage=[8, 4, 14, 7],
        global_attention_blocks=[3],
    )
    vision = Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=widths[::-1],
        backbone_feature_sizes=[[64, 64], [32, 32], [16, 16]],
        fpn_hidden_size=32,
    )
    prompts = Sam2PromptEncoderConfig(hidden_size=32, image_size=256)
    decoder = Sam2MaskDecoderConfig(hidden_size=32, mlp_dim=64, iou_head_hidden_dim=32)
    torch.manual_seed(5)
    model = Sam2Model(
        Sam2Config(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    )
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    pixels = Sam2ImageProcessor(size={"height": 256, "width": 256}, mask_size={"height": 64, "width": 64})
    Sam2Processor(pixels, target_size=256).save_pretrained(folder)
    return folder
