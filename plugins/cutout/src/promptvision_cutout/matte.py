"""Load matting models as ONNX, and compute the share of the subject in each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image

from promptvision.plugin import SetupError, ToolFailed

__all__ = ["Alpha", "MattingModel", "load_birefnet", "load_isnet", "matte"]

Alpha: TypeAlias = NDArray[np.float32]
"""H x W, 0 = background, 1 = subject."""

_DEFAULT_SIDE = 1024
_RGB_CHANNELS = 3
_ERRORS_ONLY = 3


@dataclass(frozen=True, kw_only=True)
class MattingModel:
    """A loaded model. Safe across threads.

    Args:
        session: maps 1 x 3 x side x side float32 to 1 x 1 x side x side as its first output.
        side: in pixels; images are scaled to a square of this side.
        mean: per channel, for values in 0..1.
        deviation: per channel.
        is_logit: whether the result still needs the logistic function.
    """

    session: Any
    side: int
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    is_logit: bool


def load_birefnet(path: Path, device: str, dtype: str) -> MattingModel:
    """Load BiRefNet. Its input is normalised as in ImageNet; it returns logits."""
    return _load(path, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), is_logit=True)


def load_isnet(path: Path, device: str, dtype: str) -> MattingModel:
    """Load IS-Net. Its input ranges from -0.5 to 0.5; it returns alpha."""
    return _load(path, (0.5, 0.5, 0.5), (1.0, 1.0, 1.0), is_logit=False)


def _load(
    path: Path, mean: tuple[float, float, float], deviation: tuple[float, float, float], *, is_logit: bool
) -> MattingModel:
    options = ort.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    session = ort.InferenceSession(_find_file(path), options, providers=["CPUExecutionProvider"])
    taken, returned = session.get_inputs(), session.get_outputs()
    shape = list(taken[0].shape) if taken else []
    if len(taken) != 1 or len(shape) != 4 or shape[1] != _RGB_CHANNELS or not returned:
        raise SetupError(
            f"promptvision-cutout: {path} takes {[(one.name, one.shape) for one in taken]}, not one image "
            "of shape 1 x 3 x side x side",
            hint="name an ONNX export of BiRefNet or IS-Net",
        )
    side = shape[2] if isinstance(shape[2], int) else _DEFAULT_SIDE
    return MattingModel(session=session, side=side, mean=mean, deviation=deviation, is_logit=is_logit)


def _find_file(path: Path) -> Path:
    files = sorted(path.glob("*.onnx")) if path.is_dir() else [path]
    if len(files) != 1:
        raise SetupError(
            f"promptvision-cutout: {path} holds {len(files)} ONNX files", hint="name the file itself"
        )
    return files[0]


def matte(model: MattingModel, image: Image.Image) -> Alpha:
    """The share of the subject in each pixel.

    Args:
        model: a model of :func:`load_birefnet` or :func:`load_isnet`.
        image: RGB, any size. It is scaled to the square that the model works on, and the result back.

    Raises:
        ToolFailed: the model returned values that are not finite.
    """
    scaled = image.resize((model.side, model.side), Image.Resampling.BILINEAR)
    pixels = np.asarray(scaled, np.float32) / 255
    values = (pixels - np.array(model.mean, np.float32)) / np.array(model.deviation, np.float32)
    feed = {model.session.get_inputs()[0].name: np.ascontiguousarray(values.transpose(2, 0, 1)[None])}
    output = np.asarray(model.session.run([model.session.get_outputs()[0].name], feed)[0], np.float32)
    plane = output.reshape(output.shape[-2:])
    if not np.isfinite(plane).all():
        raise ToolFailed("promptvision-cutout: the model returned values that are not finite")
    if model.is_logit:
        plane = np.asarray(1 / (1 + np.exp(-np.clip(plane, -30, 30))), np.float32)
    alpha = Image.fromarray(np.ascontiguousarray(plane)).resize(image.size, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(alpha, np.float32), 0, 1)
