"""The metrics that need a neural network: FID, CLIP score and LPIPS.

Weights come through ``promptvision models pull``; a file is loaded only if it holds tensors and nothing else.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptvision.plugin import ModelSpec, Settings, best_device, flat_rgb, missing_weights, require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

__all__ = ["MODULES", "ClipScore", "FrechetDistance", "Lpips", "what_is_missing"]

MODULES = ("lpips", "torch_fidelity", "torchmetrics", "torchvision", "transformers")
INSTALL = 'pip install "promptvision-eval[images]"'


def what_is_missing(spec: ModelSpec, settings: Settings) -> str:
    """What to run before a metric can be computed; empty if nothing is missing."""
    from importlib.util import find_spec

    if any(find_spec(module) is None for module in MODULES):
        return f"needs more packages; run `{INSTALL}`"
    missing = missing_weights(spec, settings)
    return f"{missing.what}; {missing.fix}" if missing is not None else ""


class FrechetDistance:
    """Fréchet inception distance of two sets of images, with the pooled features of Inception v3.

    Images are resized as in the original implementation, without antialiasing.

    Source: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
    Equilibrium", NeurIPS 2017.

    Args:
        spec: the weights of Inception v3 as torch-fidelity publishes them.
        settings: say where they are.
        features: which features; 2048 are the usual ones.

    Raises:
        SetupError: the weights are not downloaded.
    """

    def __init__(self, spec: ModelSpec, settings: Settings, features: int = 2048) -> None:
        import torch
        from torchmetrics.image.fid import FrechetInceptionDistance

        path = _file(spec, settings)
        torch.load(path, map_location="cpu", weights_only=True)  # raises if it holds anything but tensors
        self._device = _device()
        metric = FrechetInceptionDistance(
            feature=features, feature_extractor_weights_path=str(path), antialias=False
        )
        self._metric = metric.to(self._device)

    def add(self, images: Iterable[Image], *, are_real: bool) -> None:
        """Add images to one of the two sets, one at a time."""
        import torch

        with torch.inference_mode():
            for image in images:
                self._metric.update(_bytes(image)[None].to(self._device), real=are_real)

    def compute(self) -> float:
        """The distance; both sets need at least two images."""
        return float(self._metric.compute())


class ClipScore:
    """100 times the cosine of the CLIP embeddings of an image and a text, at least 0.

    Source: Hessel et al., "CLIPScore: A Reference-free Evaluation Metric for Image Captioning", EMNLP 2021;
    without its factor of 2.5, as torchmetrics and MLPerf compute it.

    Args:
        spec: the weights of a CLIP model.
        settings: say where they are.

    Raises:
        SetupError: the weights are not downloaded.
    """

    def __init__(self, spec: ModelSpec, settings: Settings) -> None:
        from transformers import CLIPModel, CLIPProcessor

        folder = require(spec, settings)
        self._device = _device()
        model: Any = CLIPModel.from_pretrained(folder, local_files_only=True)
        self._model = model.to(self._device).eval()
        self._processor = CLIPProcessor.from_pretrained(folder, local_files_only=True)

    def score(self, image: Image, text: str) -> float:
        """The score of one image; a text that is too long is cut."""
        import torch

        inputs = self._processor(
            text=[text], images=[flat_rgb(image)], return_tensors="pt", truncation=True
        ).to(self._device)
        with torch.inference_mode():
            output = self._model(**inputs)
        cosine = torch.nn.functional.cosine_similarity(output.image_embeds, output.text_embeds)
        return max(100 * float(cosine), 0.0)


class Lpips:
    """Learned perceptual distance of two images of the same size, with AlexNet.

    Source: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
    version 0.1.

    Args:
        spec: the weights of AlexNet as torchvision publishes them.
        settings: say where they are.

    Raises:
        SetupError: the weights are not downloaded.
    """

    def __init__(self, spec: ModelSpec, settings: Settings) -> None:
        import torch
        from lpips import LPIPS  # type: ignore[import-untyped]

        weights = torch.load(_file(spec, settings), map_location="cpu", weights_only=True)
        with _deprecated_calls_of_lpips():
            network = LPIPS(net="alex", pnet_rand=True, verbose=False)
        for name, tensor in network.net.state_dict().items():
            _, layer = name.split(".", 1)  # slice1.0.weight is features.0.weight of torchvision
            tensor.copy_(weights[f"features.{layer}"])
        self._device = _device()
        self._network = network.to(self._device).eval()

    def score(self, image: Image, other: Image) -> float:
        """The distance of two images."""
        import torch

        one, two = ((_bytes(each)[None].float() / 127.5 - 1).to(self._device) for each in (image, other))
        with torch.inference_mode():
            return float(self._network(one, two))


def _file(spec: ModelSpec, settings: Settings) -> Path:
    path = require(spec, settings)
    return path / spec.files[0].path if path.is_dir() else path


def _bytes(image: Image) -> Any:
    import numpy as np
    import torch

    return torch.from_numpy(np.array(flat_rgb(image))).permute(2, 0, 1)


def _device() -> str:
    return best_device(("cuda", "cpu"))


@contextmanager
def _deprecated_calls_of_lpips() -> Iterator[None]:
    """lpips 0.1.4 calls torchvision in the way of its versions before 0.13."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")
        yield
