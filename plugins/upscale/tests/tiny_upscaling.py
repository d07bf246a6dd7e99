"""Build ONNX graphs with the interface of the published super-resolution model.

Each repeats every pixel twice in both directions; ``soft`` averages 3 x 3 pixels first, with zeros beyond the
edge, so that tiles without an overlap would be visible. Tests of any package may load it by its path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["build"]


def build(file: Path, kind: str = "exact") -> Path:
    """Write the graph.

    Args:
        file: the file to write.
        kind: ``exact``, ``soft``, ``broken`` (values that are not finite) or ``same_size``.
    """
    weights = np.zeros((3, 3, 3, 3), np.float32)
    for channel in range(3):
        weights[channel, channel] = 1 / 9 if kind == "soft" else 0
        if kind != "soft":
            weights[channel, channel, 1, 1] = np.nan if kind == "broken" else 1
    scale = 1.0 if kind == "same_size" else 2.0
    nodes: list[Any] = [
        helper.make_node("Conv", ["pixel_values", "weights"], ["averaged"], pads=[1, 1, 1, 1]),
        helper.make_node("Resize", ["averaged", "", "scales"], ["reconstruction"], mode="nearest"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny_upscaling",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, [1, 3, "height", "width"])],
        [helper.make_tensor_value_info("reconstruction", TensorProto.FLOAT, [1, 3, "high", "wide"])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([1, 1, scale, scale], np.float32), "scales"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, file)
    return file
