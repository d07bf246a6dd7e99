"""Build ONNX graphs with the interface of the published matting models, which classify pixels by colour.

A pixel is subject if its green is below half: the graph is one 1 x 1 convolution, followed by the logistic
function if the published model ends with it. Tests of any package may load this file by its path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["build"]

_STEEPNESS = 24.0


def build(file: Path, *, side: int | str = 32, kind: str = "birefnet", broken: bool = False) -> Path:
    """Write the graph.

    Args:
        file: the file to write.
        side: of the square input in pixels, or the name of a free dimension.
        kind: ``birefnet`` returns logits of an image normalised as in ImageNet; ``isnet`` returns alpha, and
            further outputs after it.
        broken: return values that are not finite.
    """
    mean, deviation = (0.456, 0.224) if kind == "birefnet" else (0.5, 1.0)
    weights = np.zeros((1, 3, 1, 1), np.float32)
    weights[0, 1] = np.nan if broken else -_STEEPNESS * deviation
    bias = np.array([_STEEPNESS * (0.5 - mean)], np.float32)
    nodes: list[Any] = [helper.make_node("Conv", ["input", "weights", "bias"], ["logit"])]
    names = ["logit"]
    if kind == "isnet":
        nodes += [
            helper.make_node("Sigmoid", ["logit"], ["alpha"]),
            helper.make_node("Neg", ["alpha"], ["side_output"]),
        ]
        names = ["alpha", "side_output"]
    graph = helper.make_graph(
        nodes,
        "tiny_matting",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, side, side]) for name in names],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, file)
    return file
