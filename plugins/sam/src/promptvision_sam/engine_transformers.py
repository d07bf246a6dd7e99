"""SAM 2.1 through transformers, an engine with a permissive licence (Apache-2.0)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import Sam2Model, Sam2Processor

from promptvision.plugin import load_pretrained
from promptvision_sam.engine import Cached, EmbeddingCache, not_cached

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from promptvision.plugin import Box, Point

__all__ = ["TransformersEngine", "to_array"]


class TransformersEngine:
    """SAM 2.1 from a folder with ``config.json`` and ``model.safetensors``.

    Args:
        folder: in the layout of ``facebook/sam2.1-hiera-large``.
        device: the device to run on.
        dtype: ``float32`` or ``bfloat16``.
    """

    name = "transformers"

    def __init__(self, folder: Path, device: str, dtype: str) -> None:
        self.processor: Any = Sam2Processor.from_pretrained(folder, local_files_only=True)
        self.model = load_pretrained("promptvision-sam", Sam2Model, folder, device, dtype)
        _keep_coordinates(self.model)
        self._embeddings: EmbeddingCache[list[torch.Tensor]] = EmbeddingCache(dtype=dtype)

    @torch.inference_mode()
    def masks(
        self,
        image: Image,
        key: str,
        *,
        boxes: Sequence[Box] = (),
        points: Sequence[Point] = (),
        cached: Cached = not_cached,
    ) -> list[NDArray[np.bool_]]:
        """See :class:`~promptvision_sam.engine.Engine`."""
        size = [[image.height, image.width]]
        embeddings = self._embeddings.get(key, lambda: self._embed(image, cached))
        prompts = self.processor(**_prompts(boxes, points), original_sizes=size, return_tensors="pt")
        coordinates = {
            name: prompts[name].to(self.model.device) for name in prompts if name.startswith("input_")
        }
        found = self.model(image_embeddings=embeddings, multimask_output=False, **coordinates)
        # One mask at a time: all of them at full size could need more memory than the model.
        return [self._full_size(found.pred_masks[:, [index]], size) for index in range(len(boxes or points))]

    @property
    def device(self) -> str:
        """See :class:`~promptvision_sam.engine.Engine`."""
        kind: str = self.model.device.type
        return kind

    def _embed(self, image: Image, cached: Cached) -> list[torch.Tensor]:
        arrays = cached(lambda: {str(level): to_array(one) for level, one in enumerate(self._encode(image))})
        tensors = [torch.tensor(arrays[str(level)]) for level in range(len(arrays))]
        return [tensor.to(self.model.device, self.model.dtype) for tensor in tensors]

    def _encode(self, image: Image) -> list[torch.Tensor]:
        pixels = self.processor(images=image.convert("RGB"), return_tensors="pt")["pixel_values"]
        embeddings: list[torch.Tensor] = self.model.get_image_embeddings(
            pixels.to(self.model.device, self.model.dtype)
        )
        return embeddings

    def _full_size(self, mask: torch.Tensor, size: list[list[int]]) -> NDArray[np.bool_]:
        (full,) = self.processor.post_process_masks(mask.float(), size)
        array: NDArray[np.bool_] = full[0, 0].cpu().numpy()
        return array


def to_array(tensor: torch.Tensor) -> NDArray[Any]:
    """A tensor as an array with the same values; numpy has no bfloat16."""
    exact = tensor.float() if tensor.dtype is torch.bfloat16 else tensor
    array: NDArray[Any] = exact.cpu().numpy()
    return array


def _keep_coordinates(model: Any) -> None:
    """Encode prompts in float32: bfloat16 rounds coordinates over 512 to multiples of 4 pixels."""
    dtype = model.dtype
    if dtype is torch.float32:
        return

    def cast(module: Any, inputs: Any, embeddings: tuple[torch.Tensor | None, ...]) -> Any:
        return tuple(each if each is None else each.to(dtype) for each in embeddings)

    model.prompt_encoder.float()
    model.prompt_encoder.register_forward_hook(cast)


def _prompts(boxes: Sequence[Box], points: Sequence[Point]) -> dict[str, Any]:
    if boxes:
        return {"input_boxes": [[list(box) for box in boxes]]}
    return {
        "input_points": [[[list(point)] for point in points]],
        "input_labels": [[[1] for _ in points]],
    }
