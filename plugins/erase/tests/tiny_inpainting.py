"""Build ONNX graphs with the interfaces of the published inpainting models.

Each fills the hole with a fixed colour and changes the rest of the image slightly, as the real models do.
Tests of any package may load this file by its path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["FILLING", "build"]

FILLING = (40, 90, 200)
"""The colour of the hole after filling, RGB."""


def build(file: Path, kind: str = "migan", *, side: int | str = "side", broken: bool = False) -> Path:
    """Write the graph.

    Args:
        file: the file to write.
        kind: ``migan``, ``lama`` or ``lama_joined``.
        side: of the square input in pixels, or the name of free dimensions.
        broken: return values that are not finite.
    """
    scale = 1.0 if kind == "lama_joined" else 255.0
    constants: dict[str, NDArray[Any]] = {
        "filling": np.array(FILLING, np.float32).reshape(1, 3, 1, 1)
        / 255
        * scale
        * (np.nan if broken else 1),
        "one": np.array(1, np.float32),
        "change": np.array(scale * 0.97 if kind != "migan" else 0.97, np.float32),
        "most": np.array(255, np.float32),
    }
    height, width = (side, side) if isinstance(side, int) else (f"{side}_h", f"{side}_w")
    taken, nodes = _front(kind, height, width)
    nodes += [
        helper.make_node("Sub", ["one", "share"], ["rest"]),
        helper.make_node("Mul", ["image01", "change"], ["changed"]),
        helper.make_node("Mul", ["changed", "rest"], ["outside"]),
        helper.make_node("Mul", ["filling", "share"], ["inside"]),
        helper.make_node("Add", ["outside", "inside"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["result"], to=_returned(kind)),
    ]
    graph = helper.make_graph(
        nodes,
        f"tiny_{kind}",
        taken,
        [helper.make_tensor_value_info("result", _returned(kind), [1, 3, height, width])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, file)
    return file


def _returned(kind: str) -> int:
    return int(TensorProto.UINT8 if kind == "migan" else TensorProto.FLOAT)


def _front(kind: str, height: int | str, width: int | str) -> tuple[list[Any], list[Any]]:
    """Inputs, and the nodes that compute ``image01`` and ``share`` (1 in the hole) from them."""

    def given(name: str, channels: int, kind: int = TensorProto.FLOAT) -> Any:
        return helper.make_tensor_value_info(name, kind, [1, channels, height, width])

    if kind == "lama_joined":
        split = helper.make_node(
            "Split", ["joined"], ["red", "green", "blue", "share"], axis=1, num_outputs=4
        )
        join = helper.make_node("Concat", ["red", "green", "blue"], ["image01"], axis=1)
        return [given("joined", 4)], [split, join]
    if kind == "lama":
        same = [
            helper.make_node("Identity", [name], [to])
            for name, to in (("image", "image01"), ("mask", "share"))
        ]
        return [given("image", 3), given("mask", 1)], same
    return [given("image", 3, TensorProto.UINT8), given("mask", 1, TensorProto.UINT8)], [
        helper.make_node("Cast", ["image"], ["image01"], to=int(TensorProto.FLOAT)),
        helper.make_node("Cast", ["mask"], ["known"], to=int(TensorProto.FLOAT)),
        helper.make_node("Div", ["known", "most"], ["known_share"]),
        helper.make_node("Sub", ["one", "known_share"], ["share"]),
    ]
