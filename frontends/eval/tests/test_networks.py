"""FID, CLIP score and LPIPS equal their reference implementations, on real networks with random weights."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_networks import build_alexnet, build_clip, make_inception

from promptvision.plugin import Settings
from promptvision_eval.models import ALEXNET, CLIP, INCEPTION
from promptvision_eval.networks import ClipScore, FrechetDistance, Lpips, what_is_missing

COUNT = 12


def noise(seed: int, side: int = 32) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8))


def darker(image: Image.Image) -> Image.Image:
    return image.point(lambda value: value // 3)


def replaced(spec: Any, path: Path) -> Settings:
    """Settings with other weights for a model."""
    name = "PROMPTVISION_MODEL_" + spec.id.upper().replace("-", "_")
    return Settings.from_mapping({name: str(path)})


def test_missing_weights_name_the_command(tmp_path: Path) -> None:
    settings = Settings.from_mapping({"PROMPTVISION_HOME": str(tmp_path)})
    for spec in (INCEPTION, CLIP, ALEXNET):
        assert f"`promptvision models pull {spec.id}`" in what_is_missing(spec, settings)


def test_fid_equals_torch_fidelity(tmp_path: Path) -> None:
    from torch_fidelity import metric_fid  # type: ignore[import-untyped]

    network = make_inception(["64"])
    weights = tmp_path / "inception.pth"
    torch.save(network.state_dict(), weights)
    distance = FrechetDistance(INCEPTION, replaced(INCEPTION, weights), features=64)
    sets = [
        [noise(seed) for seed in range(COUNT)],
        [darker(noise(seed)) for seed in range(100, 100 + COUNT)],
    ]
    for images, are_real in zip(sets, (True, False), strict=True):
        distance.add(images, are_real=are_real)
    statistics = []
    for images in sets:
        batch = torch.stack([torch.from_numpy(np.array(image)).permute(2, 0, 1) for image in images])
        with torch.inference_mode():
            statistics.append(metric_fid.fid_features_to_statistics(network(batch)[0]))
    wanted = metric_fid.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert distance.compute() == pytest.approx(float(wanted), rel=1e-6, abs=1e-6)


def test_weights_that_hold_code_are_not_loaded(tmp_path: Path) -> None:
    import pickle

    class Harmful:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "made"),)

    weights = tmp_path / "weights.pth"
    torch.save({"layer": Harmful()}, weights)
    for spec, metric in ((INCEPTION, FrechetDistance), (ALEXNET, Lpips)):
        with pytest.raises(pickle.UnpicklingError):
            metric(spec, replaced(spec, weights))
    assert not (tmp_path / "made").exists()


def test_lpips_equals_torchmetrics(tmp_path: Path) -> None:
    from torchmetrics.functional.image.lpips import _NoTrainLpips

    weights = build_alexnet(tmp_path / "alexnet.pth")
    reference = _NoTrainLpips(net="alex", pnet_rand=True)
    state = torch.load(weights)
    for name, tensor in reference.net.state_dict().items():
        tensor.copy_(state[f"features.{name.split('.', 1)[1]}"])
    one, two = (
        torch.from_numpy(np.array(noise(seed, 64))).permute(2, 0, 1)[None].float() / 127.5 - 1
        for seed in (1, 2)
    )
    with torch.inference_mode():
        wanted = float(reference(one, two))
    ours = Lpips(ALEXNET, replaced(ALEXNET, weights))
    assert ours.score(noise(1, 64), noise(2, 64)) == pytest.approx(wanted, abs=1e-6)
    assert ours.score(noise(1, 64), noise(1, 64)) == 0


def test_clip_score_equals_torchmetrics(tmp_path: Path) -> None:
    from torchmetrics.functional.multimodal.clip_score import clip_score

    folder = build_clip(tmp_path / "clip")
    ours = ClipScore(CLIP, replaced(CLIP, folder))
    loaded: Any = ours._model
    # transformers 5 returns an object where torchmetrics 1.9 expects the embeddings
    adapted: Any = SimpleNamespace(
        config=loaded.config,
        to=lambda device: adapted,
        get_image_features=lambda pixels: loaded.get_image_features(pixels).pooler_output,
        get_text_features=lambda ids, mask: loaded.get_text_features(ids, mask).pooler_output,
    )
    for seed, text in (
        (1, "caf\u00e9 \u65e5\u672c"),
        (2, "caf\u00e9 \u65e5\u672c"),
        (2, "a red ball"),
        (3, ""),
    ):
        tensor = torch.from_numpy(np.array(noise(seed))).permute(2, 0, 1)
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = float(clip_score(tensor, text, lambda: (adapted, ours._processor)))
        assert ours.score(noise(seed), text) == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    assert ours.score(noise(1), "ball " * 200) >= 0
