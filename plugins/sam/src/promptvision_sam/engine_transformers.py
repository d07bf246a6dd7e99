"""SAM 2.1 through transformers (Apache-2.0): the engine without copyleft."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import Sam2Model, Sam2Processor

from promptvision_sam.engine import EmbeddingCache

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from promptvision.plugin import Box, Point

__all__ = ["TransformersEngine"]


class TransformersEngine:
    """SAM 2.1 from a folder with ``config.json`` and ``model.safetensors``.

    Args:
        folder: in the layout of ``facebook/sam2.1-hiera-large``.
        device: where to run.
        dtype: ``float32`` or ``bfloat16``.
    """

    name = "transformers"

    def __init__(self, folder: Path, device: str, dtype: str) -> None:
        self.processor: Any = Sam2Processor.from_pretrained(folder, local_files_only=True)
        self.model = Sam2Model.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=getattr(torch, dtype)
        )
        self.model.to(device).eval()  # type: ignore[arg-type]  # its stub forgets that devices may be names
        self._embeddings: EmbeddingCache[list[torch.Tensor]] = EmbeddingCache()

    @torch.inference_mode()
    def masks(
        self, picture: Image, key: str, *, boxes: Sequence[Box] = (), points: Sequence[Point] = ()
    ) -> list[NDArray[np.bool_]]:
        """See :class:`~promptvision_sam.engine.Engine`."""
        size = [[picture.height, picture.width]]
        embeddings = self._embeddings.get(key, lambda: self._encode(picture))
        prompts = self.processor(**_prompts(boxes, points), original_sizes=size, return_tensors="pt")
        coordinates = {name: self._placed(prompts[name]) for name in prompts if name.startswith("input_")}
        found = self.model(image_embeddings=embeddings, multimask_output=False, **coordinates)
        # One mask at a time: all of them together at full size could be larger than the model.
        return [self._full_size(found.pred_masks[:, [index]], size) for index in range(len(boxes or points))]

    def _encode(self, picture: Image) -> list[torch.Tensor]:
        pixels = self.processor(images=picture.convert("RGB"), return_tensors="pt")["pixel_values"]
        embeddings: list[torch.Tensor] = self.model.get_image_embeddings(self._placed(pixels))
        return embeddings

    def _placed(self, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.is_floating_point():
            return tensor.to(self.model.device, self.model.dtype)
        return tensor.to(self.model.device)

    def _full_size(self, mask: torch.Tensor, size: list[list[int]]) -> NDArray[np.bool_]:
        (full,) = self.processor.post_process_masks(mask.float(), size)
        array: NDArray[np.bool_] = full[0, 0].cpu().numpy()
        return array


def _prompts(boxes: Sequence[Box], points: Sequence[Point]) -> dict[str, Any]:
    if boxes:
        return {"input_boxes": [[list(box) for box in boxes]]}
    return {
        "input_points": [[[list(point)] for point in points]],
        "input_labels": [[[1] for _ in points]],
    }
