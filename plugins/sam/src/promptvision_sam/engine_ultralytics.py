"""SAM 2.1 through ultralytics (AGPL-3.0), installed by the extra ``promptvision-sam[ultralytics]``."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

# Read by ultralytics at import: do not use the network, install packages, or print.
for _name, _value in (("YOLO_OFFLINE", "True"), ("YOLO_AUTOINSTALL", "False"), ("YOLO_VERBOSE", "False")):
    os.environ.setdefault(_name, _value)


@contextmanager
def _unchanged_process() -> Iterator[None]:
    """Revert process-wide changes of ultralytics: thread counts, functions of torch and OpenCV."""
    threads, opencv_threads = torch.get_num_threads(), cv2.getNumThreads()
    environment = os.environ.get("OMP_NUM_THREADS")
    functions = [(module, name, getattr(module, name)) for module, name in _PATCHED]
    try:
        yield
    finally:
        for module, name, function in functions:
            setattr(module, name, function)
        torch.set_num_threads(threads)
        cv2.setNumThreads(opencv_threads)
        if environment is None:
            os.environ.pop("OMP_NUM_THREADS", None)


_PATCHED = ((torch, "save"), (cv2, "imread"), (cv2, "imwrite"), (cv2, "imshow"))

with _unchanged_process():
    from ultralytics.models.sam import SAM2Predictor
    from ultralytics.models.sam import build as builders

from promptvision_sam.engine import Cached, EmbeddingCache, not_cached  # noqa: E402

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from promptvision.plugin import Box, Point

__all__ = ["IMAGE_SIZE", "UltralyticsEngine", "read_checkpoint"]

IMAGE_SIZE = 1024
"""Side of the encoder's square input in pixels, as in the training of SAM 2.1."""

_BUILDERS = {
    12: builders.build_sam2_t,
    16: builders.build_sam2_s,
    24: builders.build_sam2_b,
    48: builders.build_sam2_l,
}
"""Number of encoder blocks to architecture."""

_VIDEO_ONLY = ("no_obj_embed_spatial", "obj_ptr_tpos_proj.")
"""Weights that exist only in SAM 2.1, for tracking objects between frames."""


class UltralyticsEngine:
    """SAM 2.1 from one ``.pt`` file: ultralytics' ``sam2.1_l.pt`` or Meta's ``sam2.1_hiera_large.pt``.

    Args:
        file: the checkpoint; its size (tiny to large) is read from its contents, not from its name.
        device: the device to run on.
        dtype: ``float32``, or ``float16`` on a GPU.
    """

    name = "ultralytics"

    def __init__(self, file: Path, device: str, dtype: str) -> None:
        with _unchanged_process():
            self._set_up(file, device, dtype)
        self._embeddings: EmbeddingCache[dict[str, Any]] = EmbeddingCache(dtype=dtype)
        self._lock = threading.Lock()

    def _set_up(self, file: Path, device: str, dtype: str) -> None:
        options = {"task": "segment", "imgsz": IMAGE_SIZE, "save": False, "verbose": False}
        self._predictor: Any = SAM2Predictor(overrides=options)
        self._predictor.args.device = device
        self._predictor.args.quantize = 16 if dtype == "float16" else None
        self._predictor.setup_model(_build(read_checkpoint(file)), verbose=False)
        model: Any = self._predictor.model
        model.set_imgsz((IMAGE_SIZE, IMAGE_SIZE))  # else done by the first image that is encoded
        self.model = model

    def masks(
        self,
        image: Image,
        key: str,
        *,
        boxes: Sequence[Box] = (),
        points: Sequence[Point] = (),
        cached: Cached = not_cached,
    ) -> list[NDArray[np.bool_]]:
        """See :class:`~promptvision_sam.engine.Engine`.

        Uses the embedding directly instead of ``predict``, which drops masks by their score.
        """
        prompts: dict[str, Any] = {"bboxes": np.array(boxes)} if boxes else {"points": np.array(points)}
        # Outside the lock: an equal call of another thread may be computing what this one waits for.
        features = self._embeddings.get(key, lambda: self._embed(image, cached))
        with self._lock:  # the predictor stores the current image
            found, _ = self._predictor.inference_features(
                features, (image.height, image.width), (IMAGE_SIZE, IMAGE_SIZE), **prompts
            )
        return list(found.cpu().numpy())

    @property
    def device(self) -> str:
        """See :class:`~promptvision_sam.engine.Engine`."""
        kind: str = next(self.model.parameters()).device.type
        return kind

    def _embed(self, image: Image, cached: Cached) -> dict[str, Any]:
        arrays = cached(lambda: _to_arrays(self._locked_encode(image)))
        like = next(self.model.parameters())
        tensors = {name: torch.tensor(array).to(like.device) for name, array in arrays.items()}
        levels = range(len(tensors) - 1)
        return {
            "image_embed": tensors["image_embed"],
            "high_res_feats": [tensors[f"high_res_feats.{level}"] for level in levels],
        }

    def _locked_encode(self, image: Image) -> dict[str, Any]:
        with self._lock:
            return self._encode(image)

    def _encode(self, image: Image) -> dict[str, Any]:
        rgb = np.asarray(image.convert("RGB"))
        self._predictor.set_image(np.ascontiguousarray(rgb[..., ::-1]))  # it expects BGR, as in OpenCV
        features: dict[str, Any] = self._predictor.features
        self._predictor.reset_image()
        return features


def _to_arrays(features: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    levels = {f"high_res_feats.{level}": one for level, one in enumerate(features["high_res_feats"])}
    named = {"image_embed": features["image_embed"], **levels}
    return {name: tensor.cpu().numpy() for name, tensor in named.items()}


def read_checkpoint(file: Path) -> dict[str, torch.Tensor]:
    """The weights in a checkpoint; nothing in the file is executed.

    Raises:
        ValueError: the file does not contain weights of SAM 2 or 2.1.
    """
    loaded = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    state = loaded.get("model", loaded) if isinstance(loaded, Mapping) else None
    if not isinstance(state, Mapping) or "image_encoder.trunk.pos_embed" not in state:
        raise ValueError(f"{file.name} is not a SAM 2.1 checkpoint")
    return {name: value for name, value in state.items() if not name.startswith(_VIDEO_ONLY)}


def _build(state: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    blocks = {name.split(".")[3] for name in state if name.startswith("image_encoder.trunk.blocks.")}
    if len(blocks) not in _BUILDERS:
        raise ValueError(f"a SAM 2.1 model does not have {len(blocks)} encoder blocks")
    builder: Callable[[None], torch.nn.Module] = _BUILDERS[len(blocks)]
    model = builder(None)
    model.load_state_dict(state)
    return model
