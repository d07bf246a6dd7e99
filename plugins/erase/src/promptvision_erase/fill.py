"""Load inpainting models as ONNX, and fill holes in images.

Three interfaces are recognised by the inputs of the graph:

- the pipeline of MI-GAN: ``image`` 1 x 3 x H x W and ``mask`` 1 x 1 x H x W as uint8, 0 in the hole;
- LaMa with two inputs: ``image`` 0..1 and ``mask``, 1 in the hole; it returns values up to 255;
- LaMa with one input of 1 x 4 x H x W: the image with an empty hole, and the mask; it returns values up to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image

from promptvision.plugin import SetupError, ToolFailed

__all__ = ["WORK_SIDE", "Filler", "Interface", "fill", "load"]

WORK_SIDE = 512
"""Both models were trained on squares of this side; longer windows are scaled down to it."""

_MULTIPLE = 32
"""Sides that LaMa accepts are multiples of this number."""
_ERRORS_ONLY = 3


class Interface(Enum):
    """The inputs and outputs of a graph."""

    MIGAN = "MI-GAN pipeline"
    LAMA = "LaMa, image and mask"
    LAMA_JOINED = "LaMa, image and mask in one"


@dataclass(frozen=True, kw_only=True)
class Filler:
    """A loaded model. Safe across threads.

    Args:
        session: the ONNX Runtime session.
        interface: its inputs and outputs.
        size: width and height of its input if they are fixed.
    """

    session: Any
    interface: Interface
    size: tuple[int, int] | None


def load(path: Path, device: str, dtype: str) -> Filler:
    """Load an inpainting model.

    Args:
        path: an ONNX file, or a folder with one.
        device: ``cpu``.
        dtype: ignored; it is that of the file.

    Raises:
        SetupError: there is not exactly one file, or its interface is unknown.
    """
    files = sorted(path.glob("*.onnx")) if path.is_dir() else [path]
    if len(files) != 1:
        raise SetupError(
            f"promptvision-erase: {path} holds {len(files)} ONNX files", hint="name the file itself"
        )
    options = ort.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    session = ort.InferenceSession(files[0], options, providers=["CPUExecutionProvider"])
    taken = session.get_inputs()
    height, width = taken[0].shape[2:4] if taken and len(taken[0].shape) == 4 else (None, None)
    is_fixed = isinstance(width, int) and isinstance(height, int)
    return Filler(
        session=session,
        interface=_interface(path, taken),
        size=(width, height) if is_fixed else None,  # type: ignore[arg-type]
    )


def _interface(path: Path, taken: list[Any]) -> Interface:
    kinds = [(one.type, one.shape[1] if len(one.shape) == 4 else None) for one in taken]
    match kinds:
        case [("tensor(uint8)", 3), ("tensor(uint8)", 1)]:
            return Interface.MIGAN
        case [("tensor(float)", 3), ("tensor(float)", 1)]:
            return Interface.LAMA
        case [("tensor(float)", 4)]:
            return Interface.LAMA_JOINED
    raise SetupError(
        f"promptvision-erase: {path} takes {kinds}, which is neither MI-GAN nor LaMa",
        hint="name an ONNX export of one of them; docs/tools/inpaint_image.md lists the interfaces",
    )


def fill(model: Filler, image: Image.Image, hole: Image.Image) -> Image.Image:
    """Fill a hole from its surroundings.

    Args:
        model: a model of :func:`load`.
        image: RGB. It is scaled down, and padded with its edge, to the size of the model's input.
        hole: mode L, of the image's size; 255 where to fill.

    Returns:
        RGB, of the image's size. Pixels outside the hole only approximate those of the image.

    Raises:
        ToolFailed: the model returned values that are not finite.
    """
    inner, outer = _sizes(image.size, model.size)
    pixels = np.asarray(image.resize(inner, Image.Resampling.LANCZOS))
    selected = np.asarray(hole.resize(inner, Image.Resampling.BOX)) > 0
    room = ((0, outer[1] - inner[1]), (0, outer[0] - inner[0]))
    filled = _run(model, np.pad(pixels, (*room, (0, 0)), mode="edge"), np.pad(selected, room))
    part = Image.fromarray(np.ascontiguousarray(filled[: inner[1], : inner[0]]))
    return part.resize(image.size, Image.Resampling.LANCZOS)


def _sizes(size: tuple[int, int], fixed: tuple[int, int] | None) -> tuple[tuple[int, int], tuple[int, int]]:
    """Size of the image within the model's input, and of that input."""
    limit = fixed or (WORK_SIDE, WORK_SIDE)
    scale = min(limit[0] / size[0], limit[1] / size[1], 1.0)
    inner = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    if fixed:
        return inner, fixed
    return inner, (-(-inner[0] // _MULTIPLE) * _MULTIPLE, -(-inner[1] // _MULTIPLE) * _MULTIPLE)


def _run(model: Filler, pixels: NDArray[np.uint8], selected: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Run the model on an image (H x W x 3) and a mask (H x W); return H x W x 3."""
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
    mask = np.ascontiguousarray(selected[None, None])
    names = [one.name for one in model.session.get_inputs()]
    if model.interface is Interface.MIGAN:
        values: list[Any] = [planes, np.where(mask, 0, 255).astype(np.uint8)]
    else:
        image, share = np.asarray(planes / 255, np.float32), mask.astype(np.float32)
        is_joined = model.interface is Interface.LAMA_JOINED
        values = [np.concatenate((image * (1 - share), share), axis=1)] if is_joined else [image, share]
    first = model.session.get_outputs()[0].name
    output = np.asarray(model.session.run([first], dict(zip(names, values, strict=True)))[0], np.float32)
    if not np.isfinite(output).all():
        raise ToolFailed("promptvision-erase: the model returned values that are not finite")
    levels = output[0].transpose(1, 2, 0) * (255 if model.interface is Interface.LAMA_JOINED else 1)
    return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)
