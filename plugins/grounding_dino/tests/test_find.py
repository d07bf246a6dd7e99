from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torchvision.ops import box_iou, clip_boxes_to_image, nms  # type: ignore[import-untyped]

from promptvision.plugin import ArgumentsError, PretrainedModel, SetupError, ToolFailed, split_labels
from promptvision_grounding_dino.find import MAX_IOU, _merge_same, find
from promptvision_grounding_dino.load import load
from promptvision_grounding_dino.prompt import join_labels, label_spans

LABELS = ["lion", "melon zucchini", "quokka"]


def run_reference(detector: PretrainedModel, image: Image.Image, text: str) -> tuple[Any, Any]:
    """transformers' own pipeline, no thresholds: its post-processed result, and queries x tokens."""
    inputs = detector.processor(images=image, text=text, return_tensors="pt")
    with torch.inference_mode():
        output = detector.model(**inputs)
    size = [(image.height, image.width)]
    result = detector.processor.post_process_grounded_object_detection(
        output, inputs["input_ids"], threshold=-1, text_threshold=0.3, target_sizes=size
    )[0]
    return result, (inputs["input_ids"][0].tolist(), output.logits[0].sigmoid())


@pytest.mark.parametrize("threshold", [0.1, 0.45, 0.9])
def test_boxes_and_scores_are_those_of_the_reference(
    detector: PretrainedModel, image: Image.Image, threshold: float
) -> None:
    reference, (ids, probabilities) = run_reference(detector, image, join_labels(LABELS))
    scores, labels = [], []
    for row in probabilities.tolist():  # the rule again, in plain Python
        per_label = [max(row[start:stop]) for start, stop in label_spans(ids)]
        scores.append(max(per_label))
        labels.append(LABELS[per_label.index(max(per_label))])
    boxes = clip_boxes_to_image(reference["boxes"], (image.height, image.width))
    alive = [i for i, score in enumerate(scores) if score > threshold]
    order = nms(boxes[alive], torch.tensor(scores)[alive], MAX_IOU).tolist()
    expected = [alive[i] for i in order]
    found = find(detector, image, LABELS, threshold)
    assert len(found) == len(expected) > 0
    for finding, i in zip(found, expected, strict=True):
        assert finding.box == pytest.approx(boxes[i].tolist(), abs=0.006)
        assert finding.score == pytest.approx(scores[i])
        assert finding.score <= reference["scores"][i] + 1e-6  # which also includes dots and [SEP]
        assert finding.label == labels[i]


def test_labels_are_always_requested_ones_unlike_the_reference(
    detector: PretrainedModel, image: Image.Image
) -> None:
    reference, _ = run_reference(detector, image, join_labels(LABELS))
    made_up = [label for label in reference["text_labels"] if label not in LABELS]
    assert any("." in label or "##" in label for label in made_up)
    assert {finding.label for finding in find(detector, image, LABELS, 0.0)} <= set(LABELS)


def test_spelling_of_the_prompt_does_not_matter(detector: PretrainedModel, image: Image.Image) -> None:
    results = [
        find(detector, image, split_labels(prompt), 0.3)
        for prompt in ("lion. tree.", "Lion. Tree", " LION ,tree. lion.", "lion;tree?")
    ]
    assert results[0]
    assert all(result == results[0] for result in results)


def test_reference_reads_a_prompt_without_final_dot_differently(
    detector: PretrainedModel, image: Image.Image
) -> None:
    plain = detector.processor(images=image, text="lion. tree", return_tensors="pt")["input_ids"][0].tolist()
    ours = detector.processor(images=image, text=join_labels(split_labels("lion. tree")), return_tensors="pt")
    assert len(label_spans(plain)) == 1
    assert len(label_spans(ours["input_ids"][0].tolist())) == 2


def test_boxes_lie_in_the_image_and_hardly_overlap(detector: PretrainedModel, image: Image.Image) -> None:
    boxes = [finding.box for finding in find(detector, image, LABELS, 0.0)]
    assert all(0 <= x1 < x2 <= 400 and 0 <= y1 < y2 <= 300 for x1, y1, x2, y2 in boxes)
    overlaps = box_iou(torch.tensor(boxes), torch.tensor(boxes)).fill_diagonal_(0)
    assert overlaps.max() <= MAX_IOU


def test_a_label_without_tokens_is_never_found(detector: PretrainedModel, image: Image.Image) -> None:
    found = find(detector, image, ["\u200b", "lion"], 0.0)
    assert {finding.label for finding in found} == {"lion"}


def test_too_long_prompt_is_refused_with_its_length(detector: PretrainedModel, image: Image.Image) -> None:
    labels = [f"{first}{second}" for first in "abcdefghij" for second in "abcdefghij"]
    with pytest.raises(ArgumentsError, match="302 tokens, Grounding DINO reads 256"):
        find(detector, image, labels, 0.3)


def test_non_finite_values_are_an_error(detector: PretrainedModel, image: Image.Image) -> None:
    class Broken(torch.nn.Module):
        config = detector.model.config
        device = torch.device("cpu")
        dtype = torch.float16

        def forward(self, **inputs: torch.Tensor) -> Any:
            output = detector.model(**{**inputs, "pixel_values": inputs["pixel_values"].float()})
            output.pred_boxes = output.pred_boxes * torch.inf
            return output

    with pytest.raises(ToolFailed, match="float16 returned values that are not finite"):
        find(replace(detector, model=Broken()), image, ["lion"], 0.3)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_returns_requested_labels(checkpoint: Path, image: Image.Image, dtype: str) -> None:
    found = find(load(checkpoint, "cpu", dtype), image, LABELS, 0.3)
    assert found
    assert {finding.label for finding in found} <= set(LABELS)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_images_of_any_mode_are_accepted(detector: PretrainedModel, image: Image.Image, mode: str) -> None:
    assert find(detector, image.convert(mode), ["lion"], 0.1)


def test_calls_in_parallel_do_not_interfere(detector: PretrainedModel, image: Image.Image) -> None:
    prompts = [["lion"], ["tree", "sky"], ["a red ball"], ["ball"]]
    alone = [find(detector, image, labels, 0.3) for labels in prompts]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda labels: find(detector, image, labels, 0.3), prompts))
    assert together == alone


def test_only_equal_labels_or_nearly_equal_boxes_are_duplicates() -> None:
    boxes = torch.tensor([[0, 0, 100, 100], [0, 0, 100, 99], [0, 0, 100, 90], [0, 0, 100, 85]]).float()
    assert _merge_same(boxes, [0, 1, 1, 2]) == {0: {1}, 2: set(), 3: set()}


def test_a_checkpoint_without_all_weights_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoint, tmp_path, dirs_exist_ok=True)
    weights = load_file(tmp_path / "model.safetensors")
    lost = next(name for name in sorted(weights) if "query_position_embeddings" in name)
    weights.pop(lost)
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(SetupError, match=rf"does not contain all weights of the model: 1 missing.*{lost}"):
        load(tmp_path, "cpu", "float32")
