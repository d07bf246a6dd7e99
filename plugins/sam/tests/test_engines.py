"""Tests that both engines must pass, and comparisons with the underlying libraries."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file

from promptvision.plugin import Box, Point, SetupError
from promptvision.testing import CallContext
from promptvision_sam.engine import EMBEDDING_VALUES, EmbeddingCache, Engine
from promptvision_sam.load import load
from promptvision_sam.plugin import REQUIRES

BOXES = [Box(30, 40, 130, 140), Box(190, 10, 270, 190), Box(5, 5, 60, 50)]


def same(left: Sequence[NDArray[np.bool_]], right: Sequence[NDArray[np.bool_]]) -> bool:
    return len(left) == len(right) and all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def count_encodings(engine: Any) -> list[int]:
    """Count how often the image encoder runs."""
    calls: list[int] = []
    model = engine.model
    encoder = model.image_encoder if engine.name == "ultralytics" else model.vision_encoder
    encoder.register_forward_hook(lambda *_: calls.append(1))
    return calls


def test_one_mask_per_box_in_their_order(engine: Engine, sample: Image.Image) -> None:
    masks = engine.masks(sample, "a", boxes=BOXES)
    assert [mask.shape for mask in masks] == [(200, 300)] * 3
    assert {mask.dtype for mask in masks} == {np.dtype(bool)}
    backwards = engine.masks(sample, "a", boxes=BOXES[::-1])
    assert same(masks, backwards[::-1])
    assert not np.array_equal(masks[0], masks[1])


def test_one_mask_per_point_in_their_order(engine: Engine, sample: Image.Image) -> None:
    points = [Point(80, 90), Point(230, 100)]
    together = engine.masks(sample, "a", points=points)
    apart = [engine.masks(sample, "a", points=[point])[0] for point in points]
    assert same(together, apart)


@pytest.mark.parametrize("size", [(1, 1), (7, 301), (301, 7), (333, 257)])
def test_masks_have_exactly_the_size_of_the_image(engine: Engine, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    (mask,) = engine.masks(Image.fromarray(noise), "a", boxes=[Box(0, 0, *size)])
    assert mask.shape == size[::-1]


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_modes_give_the_mask_of_the_rgb_image(engine: Engine, sample: Image.Image, mode: str) -> None:
    grey = sample.convert("L") if mode.startswith("L") else sample
    plain = engine.masks(grey.convert("RGB"), "rgb", boxes=BOXES)
    assert same(engine.masks(grey.convert(mode), "mode", boxes=BOXES), plain)


def test_second_prompt_on_an_image_skips_the_encoder(engine: Engine, sample: Image.Image) -> None:
    calls = count_encodings(engine)
    first = engine.masks(sample, "a", boxes=BOXES)
    engine.masks(sample, "a", points=[Point(80, 90)])
    assert same(engine.masks(sample, "a", boxes=BOXES), first)
    assert len(calls) == 1
    engine.masks(sample.rotate(90, expand=True), "b", boxes=BOXES[:1])
    assert len(calls) == 2


def test_embeddings_of_images_are_not_mixed_up(engine: Engine, sample: Image.Image) -> None:
    other = sample.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    engine.masks(sample, "a", boxes=BOXES)
    second = engine.masks(other, "b", boxes=BOXES)
    assert same(engine.masks(other, "fresh", boxes=BOXES), second)
    assert not same(engine.masks(sample, "a", boxes=BOXES), second)


def test_cache_is_bounded_and_drops_the_oldest() -> None:
    cache: EmbeddingCache[str] = EmbeddingCache(limit=2)
    made: list[str] = []

    def encode(key: str) -> str:
        made.append(key)
        return key

    for key in ("a", "b", "a", "c", "a", "b"):
        assert cache.get(key, lambda key=key: encode(key)) == key  # type: ignore[misc]
    assert made == ["a", "b", "c", "b"]


@pytest.fixture
def reference(checkpoints: dict[str, Path], sample: Image.Image, tmp_path: Path) -> Any:
    """Ultralytics' own interface on an image file, which it decodes itself."""
    from ultralytics.models import SAM

    file = tmp_path / "sample.png"
    sample.save(file)
    model = SAM(str(checkpoints["ultralytics"]))

    def predict(conf: float) -> Any:
        boxes = [list(box) for box in BOXES]
        options = {"imgsz": 256, "conf": conf, "verbose": False, "save": False, "device": "cpu"}
        return model.predict(str(file), bboxes=boxes, **options)[0]

    return predict


def test_ultralytics_engine_equals_ultralytics_on_the_image_file(
    reference: Any, checkpoints: dict[str, Path], sample: Image.Image, small_encoder: None
) -> None:
    """Equal masks also prove the channel order: ultralytics reads the file as BGR with OpenCV."""
    engine = load(checkpoints["ultralytics"], "cpu", "float32")
    ours = engine.masks(sample, "a", boxes=BOXES)
    theirs = reference(0)
    assert theirs.boxes.cls.tolist() == [0, 1, 2]
    assert same(ours, list(theirs.masks.data.bool().numpy()))
    swapped = Image.merge("RGB", sample.split()[::-1])
    assert not same(engine.masks(swapped, "swapped", boxes=BOXES), ours)


def test_no_mask_is_dropped_for_its_score(
    reference: Any, checkpoints: dict[str, Path], sample: Image.Image, small_encoder: None
) -> None:
    scores = reference(0).boxes.conf
    kept = reference(float(scores.median())).masks.data
    assert len(kept) < len(BOXES)
    engine = load(checkpoints["ultralytics"], "cpu", "float32")
    assert len(engine.masks(sample, "a", boxes=BOXES)) == len(BOXES)


def test_transformers_engine_equals_transformers(checkpoints: dict[str, Path], sample: Image.Image) -> None:
    from transformers import Sam2Model, Sam2Processor

    model: Any = Sam2Model.from_pretrained(checkpoints["transformers"])
    processor: Any = Sam2Processor.from_pretrained(checkpoints["transformers"])
    inputs = processor(images=sample, input_boxes=[[list(box) for box in BOXES]], return_tensors="pt")
    with torch.inference_mode():
        found = model(**inputs, multimask_output=False)
    theirs = processor.post_process_masks(found.pred_masks, inputs["original_sizes"])[0][:, 0]
    ours = load(checkpoints["transformers"], "cpu", "float32").masks(sample, "a", boxes=BOXES)
    assert same(ours, list(theirs.numpy()))


def test_coordinates_keep_their_precision_in_bfloat16(
    checkpoints: dict[str, Path], sample: Image.Image
) -> None:
    engine: Any = load(checkpoints["transformers"], "cpu", "bfloat16")
    seen: list[torch.Tensor] = []
    engine.model.prompt_encoder.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["input_boxes"]), with_kwargs=True
    )
    assert engine.masks(sample, "a", boxes=BOXES)
    assert engine.masks(sample, "a", points=[Point(80, 90)])
    scaled = torch.tensor([[list(box) for box in BOXES]]) * torch.tensor([256 / 300, 256 / 200] * 2)
    assert torch.allclose(seen[0], scaled, atol=1e-3)
    assert engine.model.mask_decoder.iou_token.weight.dtype is torch.bfloat16


def test_the_embedding_cache_counts_as_memory_of_the_model(context: Callable[..., CallContext]) -> None:
    held = context()
    engine = held.lease(*REQUIRES.models)
    weights = sum(each.numel() * each.element_size() for each in engine.model.parameters())
    (loaded,) = held._pool.loaded()
    assert loaded.bytes >= weights + 4 * 4 * EMBEDDING_VALUES


def test_ultralytics_changes_nothing_in_the_process(
    checkpoints: dict[str, Path], sample: Image.Image, small_encoder: None
) -> None:
    program = """
import json, sys
import cv2, torch
from pathlib import Path
from PIL import Image
torch.set_num_threads(3)
cv2.setNumThreads(3)
functions = torch.save, cv2.imread, cv2.imwrite
from promptvision_sam.load import load
load(Path(sys.argv[1]), "cpu", "float32")
same = functions == (torch.save, cv2.imread, cv2.imwrite)
print(json.dumps([torch.get_num_threads(), cv2.getNumThreads(), same]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(checkpoints["ultralytics"])],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [3, 3, True]


def test_a_checkpoint_without_all_weights_is_refused(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(checkpoints["transformers"], tmp_path, dirs_exist_ok=True)
    weights = load_file(tmp_path / "model.safetensors")
    weights.pop(min(name for name in weights if name.startswith("mask_decoder")))
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(SetupError, match="does not contain all weights of the model: 1 missing"):
        load(tmp_path, "cpu", "float32")
