"""Keys of cached stages: what they cover, and how a tool asks for a stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from promptvision.errors import Cancelled, SetupError
from promptvision.models.manifest import MANIFEST, Manifest, PulledFile, write_manifest
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import CallContext
from promptvision.runtime.stage_key import pixel_digest, stage_digest
from promptvision.settings import Settings
from promptvision.testing.context import make_context

SPEC = ModelSpec(
    id="toy",
    source="toys/toy",
    revision="1",
    files=(WeightFile("toy.pt"),),
    license="MIT",
    dtypes={"cuda": ("float16",), "cpu": ("float32",)},
)

Digest = Callable[..., str]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder of pulled weights."""
    folder = tmp_path / "weights" / "toy"
    folder.mkdir(parents=True)
    (folder / "toy.pt").write_bytes(b"weights")
    _pulled(folder, "a" * 64)
    return folder


def _pulled(folder: Path, sha256: str, commit: str = "c1") -> None:
    file = PulledFile(path="toy.pt", size=7, sha256=sha256)
    write_manifest(
        folder, Manifest(source="toys/toy", revision="1", commit=commit, license="MIT", files=(file,))
    )


@pytest.fixture
def digest(tmp_path: Path, weights: Path) -> Digest:
    """The digest of a stage with some parts changed."""
    settings = Settings(home=tmp_path)
    whole: dict[str, Any] = {
        "version": "1.0",
        "specs": [SPEC],
        "settings": settings,
        "device": "cpu",
        "pixels": ["p"],
        "libraries": ("numpy",),
        "parameters": {"prompt": "a cat", "guided": True, "scale": 0.1},
    }
    return lambda stage="toys/text", **parts: stage_digest(stage, **{**whole, **parts})


def test_equal_parts_have_one_key(digest: Digest) -> None:
    assert digest() == digest(parameters={"scale": 0.1, "guided": True, "prompt": "a cat"})
    assert len(digest()) == 64


def test_each_part_changes_the_key(digest: Digest) -> None:
    keys = [
        digest(),
        digest(stage="toys/other"),
        digest(version="1.1"),
        digest(specs=[]),
        digest(device="cuda"),
        digest(pixels=["q"]),
        digest(pixels=["p", "p"]),
        digest(libraries=("numpy", "pillow")),
        digest(parameters={"prompt": "a dog", "guided": True, "scale": 0.1}),
        digest(parameters={"prompt": "a cat", "guided": True, "scale": 0.1 + 2**-56}),
        digest(parameters={"prompt": "a cat", "guided": 1, "scale": 0.1}),
        digest(parameters={"prompt": "a cat", "guided": True, "scale": 0.1, "more": None}),
    ]
    assert len(set(keys)) == len(keys)


def test_dtype_of_the_device_is_part_of_the_key(digest: Digest) -> None:
    other = replace(SPEC, dtypes={"cuda": ("float16",), "cpu": ("float16",)})
    assert digest(specs=[other]) != digest()


def test_other_weights_change_the_key(digest: Digest, weights: Path) -> None:
    keys = [digest()]
    _pulled(weights, "b" * 64)
    keys.append(digest())
    _pulled(weights, "b" * 64, commit="c2")
    keys.append(digest())
    (weights / MANIFEST).unlink()
    keys.append(digest())
    (weights / "toy.pt").write_bytes(b"other weights")
    keys.append(digest())
    assert len(set(keys)) == 5


def test_missing_weights_are_named(digest: Digest, weights: Path) -> None:
    (weights / "toy.pt").unlink()
    with pytest.raises(SetupError, match="model 'toy' is not downloaded"):
        digest()


def test_parameter_that_is_not_json_is_an_error(digest: Digest) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        digest(parameters={"image": object()})


def test_pixels_decide_not_the_file() -> None:
    image = Image.new("RGB", (4, 2), (1, 2, 3))
    assert pixel_digest(image) == pixel_digest(image.copy())
    others = [image.resize((2, 4)), image.convert("L"), Image.new("RGB", (4, 2), (1, 2, 4))]
    assert len({pixel_digest(each) for each in (image, *others)}) == 4


def compute(context: CallContext, image: Image.Image, calls: list[int], **options: Any) -> Any:
    """Ask for a stage of an image as a tool does."""

    def run() -> dict[str, Any]:
        calls.append(1)
        return {"mean": np.asarray(context.open(ref)).mean(axis=(0, 1))}

    ref = context.save(image, kind="input")
    return context.cached("mean", run, images=(ref,), **options)["mean"]


def test_context_computes_a_stage_once_for_the_same_pixels(tmp_path: Path) -> None:
    image, calls = Image.new("RGB", (4, 2), (1, 2, 3)), list[int]()
    first = compute(context := make_context(), image, calls)
    assert np.array_equal(compute(context, image.copy(), calls), first)
    assert len(calls) == 1
    compute(context, image, calls, parameters={"scale": 2})
    compute(context, image.rotate(90, expand=True), calls)
    assert len(calls) == 3


def test_context_takes_the_leased_one_of_alternatives(tmp_path: Path, weights: Path) -> None:
    context = make_context(models=[SPEC], home=tmp_path)
    context.models["toy"] = None
    image, calls = Image.new("RGB", (4, 2)), list[int]()
    compute(context, image, calls, models=("large | toy",))
    compute(context, image, calls, models=("toy",))
    assert len(calls) == 1
    with pytest.raises(SetupError, match="model 'large' is not known"):
        compute(context, image, calls, models=("large",))


def test_context_of_a_cancelled_call_computes_nothing() -> None:
    cancel = CancelToken()
    context = make_context(cancel=cancel)
    ref = context.save(Image.new("L", (2, 2)), kind="input")
    cancel.cancel("the user left")
    with pytest.raises(Cancelled, match="the user left"):
        context.cached("mean", dict, images=(ref,))
