"""Super-resolution with an ONNX model, in overlapping tiles with blended seams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image

from promptvision.plugin import SetupError, ToolFailed

__all__ = ["FACTOR", "OVERLAP", "TILE", "Enlarger", "count_tiles", "enlarge", "load"]

FACTOR = 2
"""Scale factor of one run."""
TILE = 128
"""Side of a tile in pixels: twice the size of the patches that the model was trained on."""
OVERLAP = 16
"""Pixels that neighbouring tiles share: two of the model's attention windows."""
_MULTIPLE = 8
"""Sides that the model accepts are multiples of this number."""
_ERRORS_ONLY = 3

_Values: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Enlarger:
    """A loaded model. Safe across threads.

    Args:
        session: accepts 1 x 3 x H x W float32 in 0..1 and returns it at twice the height and width.
    """

    session: Any


def load(path: Path, device: str, dtype: str) -> Enlarger:
    """Load a model.

    Args:
        path: an ONNX file, or a folder with one.
        device: ``cpu``.
        dtype: ignored; it is that of the file.

    Raises:
        SetupError: there is not exactly one file, or its input is not an image.
    """
    files = sorted(path.rglob("*.onnx")) if path.is_dir() else [path]
    if len(files) != 1:
        raise SetupError(
            f"promptvision-upscale: {path} holds {len(files)} ONNX files", hint="name the file itself"
        )
    options = ort.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    session = ort.InferenceSession(files[0], options, providers=["CPUExecutionProvider"])
    shapes = [list(one.shape) for one in session.get_inputs()]
    if len(shapes) != 1 or len(shapes[0]) != 4 or any(isinstance(side, int) for side in shapes[0][2:]):
        raise SetupError(
            f"promptvision-upscale: {path} takes {shapes}, not one image of any size",
            hint="name an ONNX export of Swin2SR with free height and width",
        )
    return Enlarger(session=session)


def enlarge(model: Enlarger, image: Image.Image, on_tile: Callable[[], None]) -> Image.Image:
    """Scale an image by :data:`SCALE`.

    Args:
        model: a model of :func:`load`.
        image: RGB.
        on_tile: called after each tile; may raise to stop.

    Raises:
        ToolFailed: the model returned another shape, or values that are not finite.
    """
    width, height = image.size
    pixels = np.asarray(np.asarray(image) / 255, np.float32)
    total = np.zeros((height * FACTOR, width * FACTOR, 3), np.float32)
    weights = np.zeros((height * FACTOR, width * FACTOR, 1), np.float32)
    for top, left in _positions(width, height):
        part = pixels[top : top + TILE, left : left + TILE]
        share = _ramp(part.shape[0])[:, None, None] * _ramp(part.shape[1])[None, :, None]
        rows = slice(top * FACTOR, (top + part.shape[0]) * FACTOR)
        columns = slice(left * FACTOR, (left + part.shape[1]) * FACTOR)
        total[rows, columns] += share * _run(model, part)
        weights[rows, columns] += share
        on_tile()
    return Image.fromarray(np.clip(np.rint(total / weights * 255), 0, 255).astype(np.uint8))


def count_tiles(size: tuple[int, int]) -> int:
    """Number of tiles of an image of this size."""
    return sum(1 for _ in _positions(*size))


def _positions(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Top and left of each tile; the last tile of a row or column ends at the border."""
    for top in _starts(height):
        for left in _starts(width):
            yield top, left


def _starts(length: int) -> list[int]:
    if length <= TILE:
        return [0]
    return [*range(0, length - TILE, TILE - OVERLAP), length - TILE]


def _ramp(length: int) -> _Values:
    """Weights along one side of an enlarged tile: increasing over the overlap, 1 in the middle."""
    places = np.arange(length * FACTOR, dtype=np.float32)
    distance = np.minimum(places, places[::-1]) + 1
    return np.asarray(np.minimum(distance / (OVERLAP * FACTOR), 1), np.float32)


def _run(model: Enlarger, part: _Values) -> _Values:
    """Enlarge one tile, H x W x 3, padded by reflection to a size that the model accepts."""
    height, width = part.shape[:2]
    room = [(0, -height % _MULTIPLE), (0, -width % _MULTIPLE), (0, 0)]
    padded = np.pad(part, room, mode="symmetric")
    feed = {model.session.get_inputs()[0].name: np.ascontiguousarray(padded.transpose(2, 0, 1)[None])}
    output = np.asarray(model.session.run([model.session.get_outputs()[0].name], feed)[0], np.float32)
    expected = (1, 3, padded.shape[0] * FACTOR, padded.shape[1] * FACTOR)
    if output.shape != expected:
        raise ToolFailed(f"promptvision-upscale: the model returned shape {output.shape}, not {expected}")
    if not np.isfinite(output).all():
        raise ToolFailed("promptvision-upscale: the model returned values that are not finite")
    return np.asarray(output[0].transpose(1, 2, 0)[: height * FACTOR, : width * FACTOR], np.float32)
