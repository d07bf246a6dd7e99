"""Loading and filling through each interface, compared with the formula of the graph."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from promptvision.plugin import SetupError, ToolFailed
from promptvision_erase.fill import Interface, fill, load

KINDS = {"migan": Interface.MIGAN, "lama": Interface.LAMA, "lama_joined": Interface.LAMA_JOINED}


@pytest.mark.parametrize("kind", KINDS)
def test_interface_is_recognised_by_the_inputs(graphs: dict[str, Path], kind: str) -> None:
    model = load(graphs[kind], "cpu", "float32")
    assert model.interface is KINDS[kind]
    assert model.size == ((64, 64) if kind == "lama" else None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(64, 64), (50, 33), (300, 90), (700, 1200), (1, 1)])
def test_hole_is_filled_and_the_rest_approximates_the_image(
    graphs: dict[str, Path], tiny_inpainting: ModuleType, kind: str, size: tuple[int, int]
) -> None:
    image, hole = Image.new("RGB", size, (200, 180, 100)), Image.new("L", size)
    hole.paste(255, (0, 0, max(1, size[0] // 2), size[1]))
    made = np.asarray(fill(load(graphs[kind], "cpu", "float32"), image, hole)).astype(int)
    assert made.shape == (size[1], size[0], 3)
    assert np.abs(made[:, : max(1, size[0] // 4)] - tiny_inpainting.FILLING).max() <= 2
    if size[0] > 1:
        expected = 0.97 * np.array((200, 180, 100))
        assert np.abs(made[:, -(size[0] // 4) :] - expected).max() <= 2


def test_folder_may_hold_the_file(graphs: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(graphs["migan"].read_bytes())
    assert load(tmp_path, "cpu", "float32").interface is Interface.MIGAN
    (tmp_path / "other.onnx").write_bytes(b"")
    with pytest.raises(SetupError, match="holds 2 ONNX files"):
        load(tmp_path, "cpu", "float32")


def test_graph_of_another_kind_is_refused(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "other", info[:1], info[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(SetupError, match="neither MI-GAN nor LaMa"):
        load(tmp_path / "other.onnx", "cpu", "float32")


def test_values_that_are_not_finite_are_an_error(tiny_inpainting: ModuleType, tmp_path: Path) -> None:
    model = load(tiny_inpainting.build(tmp_path / "nan.onnx", "lama", broken=True), "cpu", "float32")
    with pytest.raises(ToolFailed, match="not finite"):
        fill(model, Image.new("RGB", (8, 8)), Image.new("L", (8, 8), 255))
