"""Loading, normalisation and the matte, compared with the formula that the graph computes."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from promptvision.plugin import SetupError, ToolFailed
from promptvision_cutout.matte import MattingModel, load_birefnet, load_isnet, matte

LOADERS = {"birefnet-lite": load_birefnet, "isnet-general-use": load_isnet}


def load(graphs: dict[str, Path], model: str) -> MattingModel:
    return LOADERS[model](graphs[model], "cpu", "float32")


@pytest.mark.parametrize("model", LOADERS)
@pytest.mark.parametrize("green", [0, 100, 120, 128, 140, 255])
def test_alpha_is_the_output_of_the_graph(graphs: dict[str, Path], model: str, green: int) -> None:
    image = Image.new("RGB", (48, 20), (200, green, 10))
    expected = 1 / (1 + np.exp(-24 * (0.5 - green / 255)))
    alpha = matte(load(graphs, model), image)
    assert alpha.shape == (20, 48)
    assert alpha == pytest.approx(expected, abs=1e-4)


def test_alpha_lies_where_the_subject_is(graphs: dict[str, Path]) -> None:
    image = Image.new("RGB", (200, 100), "white")
    image.paste((255, 0, 0), (0, 0, 100, 100))
    alpha = matte(load(graphs, "birefnet-lite"), image)
    assert alpha[:, :90].min() > 0.99
    assert alpha[:, 110:].max() < 0.01


def test_side_is_that_of_the_graph_or_the_published_one(tiny_matting: ModuleType, tmp_path: Path) -> None:
    fixed = load_birefnet(tiny_matting.build(tmp_path / "fixed.onnx", side=64), "cpu", "float32")
    free = load_birefnet(tiny_matting.build(tmp_path / "free.onnx", side="side"), "cpu", "float32")
    assert (fixed.side, free.side) == (64, 1024)


def test_folder_may_hold_the_file(graphs: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(graphs["birefnet-lite"].read_bytes())
    assert load_birefnet(tmp_path, "cpu", "float32").side == 32
    (tmp_path / "other.onnx").write_bytes(b"")
    with pytest.raises(SetupError, match="holds 2 ONNX files"):
        load_birefnet(tmp_path, "cpu", "float32")


def test_graph_of_another_kind_is_refused(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "other", info[:1], info[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(SetupError, match="not one image of shape"):
        load_birefnet(tmp_path / "other.onnx", "cpu", "float32")


def test_values_that_are_not_finite_are_an_error(tiny_matting: ModuleType, tmp_path: Path) -> None:
    model = load_birefnet(tiny_matting.build(tmp_path / "nan.onnx", broken=True), "cpu", "float32")
    with pytest.raises(ToolFailed, match="not finite"):
        matte(model, Image.new("RGB", (8, 8)))
