"""Hook implementations of promptvision-sam: one tool, a model in four sizes, two engines that can run it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from promptvision.plugin import (
    Gpu,
    ModelSpec,
    PointSegmentArgs,
    Requirements,
    Tier,
    Tool,
    WeightFile,
    hookimpl,
    operations,
)

__all__ = ["MODELS", "PLUGIN_API", "REQUIRES", "model_spec", "segment_tool"]

PLUGIN_API = 1

_LICENSE_URL = "https://github.com/facebookresearch/sam2/blob/main/LICENSE"
_LOAD = "promptvision_sam.load:load"


def has_ultralytics() -> bool:
    """Whether the ultralytics engine is installed, without importing it."""
    return importlib.util.find_spec("ultralytics") is not None


def _engine(ultralytics: bool) -> str:
    return "ultralytics, AGPL-3.0" if ultralytics else "transformers, Apache-2.0"


@dataclass(frozen=True, kw_only=True)
class _Size:
    """One size of SAM 2.1 as it is published.

    Args:
        name: of Meta's checkpoint and, with hyphens, of the hub repository.
        revision: commit of the hub repository.
        weights: size and digest of ``model.safetensors``.
        config: size and digest of ``config.json``.
        checkpoint: size and digest of Meta's ``.pt`` file.
        parameters: how many.
        peak_bytes: memory of one call beside the weights, in float32.
        tier: the profile that it belongs to.
    """

    name: str
    revision: str
    weights: tuple[int, str]
    config: tuple[int, str]
    checkpoint: tuple[int, str]
    parameters: int
    peak_bytes: int
    tier: Tier = ""


_SIZES = {
    "sam2.1-l": _Size(
        name="large",
        revision="665f8e2ad61cf5f53d65644ff27c8ee525124610",
        weights=(897_897_416, "dc407dce21301fd94abb395c5099b4f2c455fdc8a8f261ac3d0ea6d4cd197230"),
        config=(5_705, "00446988cf4d617118d2d347eabe2c46aebed744628facdd540508be30b69ec3"),
        checkpoint=(898_083_611, "2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318"),
        parameters=224_400_000,
        peak_bytes=700_000_000,
        tier="full",
    ),
    "sam2.1-b+": _Size(
        name="base_plus",
        revision="b7320756a13354e7530a63935656d35b2f91a290",
        weights=(323_476_296, "2012733a0de5d03efd1bba550a2847c4551be9ef2e0d497c83074df66189f780"),
        config=(5_705, "8e24a93b6a40d4dad86eaec383ce7b4044f37ec6360136460f5ff2ce55f87390"),
        checkpoint=(323_606_802, "a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5"),
        parameters=80_900_000,
        peak_bytes=600_000_000,
    ),
    "sam2.1-s": _Size(
        name="small",
        revision="ee5bba1d82bb8749febdf90f45e84b687142ba03",
        weights=(184_305_280, "0a4067b11ce1e23d5229203f11c718a823060d15a4b23fa2372a7d4b77cbbc60"),
        config=(5_698, "97ff9f65b76d107acda4247885f0a5555d0048850ae3c5f97183df289aaecde9"),
        checkpoint=(184_416_285, "6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38"),
        parameters=46_100_000,
        peak_bytes=500_000_000,
    ),
    "sam2.1-t": _Size(
        name="tiny",
        revision="de431c4043854a71d8101e17995dfe596bf101a5",
        weights=(155_908_064, "48c14467e5cf9e51870511feb72c89688e82dd74523142c0538b663e193ac2a7"),
        config=(5_695, "860aff9751b139d83a4ad7df1e5535416fded533e0ead02625edbefcb9953cce"),
        checkpoint=(156_008_466, "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69"),
        parameters=39_000_000,
        peak_bytes=500_000_000,
        tier="light",
    ),
}
"""By model id, best first. Digests and sizes as several public projects pin them. ``peak_bytes`` of large:
0.65 GB measured in float32 on a CPU with the architecture at full size, one image and ten boxes; those of the
others are estimates, not measured."""

_PROCESSOR = (
    WeightFile(
        "preprocessor_config.json",
        sha256="6ebf229ee259368ce4a8d4f2fe893a72b053023710853e257253939e601f583d",
        size=683,
    ),
    WeightFile(
        "processor_config.json",
        sha256="f8a68e865cfad115c1c2763f3d93eca7b1c622da06da2a9273eb437fb2389b6d",
        size=95,
    ),
)
"""The same two files in each hub repository."""

MODELS = tuple(_SIZES)
"""Ids of the models, best first."""

REQUIRES = Requirements(models=(" | ".join(MODELS),), gpu=Gpu.PREFERRED)


def model_spec(id_: str = MODELS[0], *, ultralytics: bool) -> ModelSpec:
    """The weights of one size of SAM 2.1 in the file layout of an engine.

    Args:
        id_: one of :data:`MODELS`.
        ultralytics: whether that engine reads them, else transformers does.
    """
    size = _SIZES[id_]
    half, peak = 2 * size.parameters, size.peak_bytes
    common: dict[str, Any] = {
        "id": id_,
        "license": f"Apache-2.0; engine {_engine(ultralytics)}",
        "license_url": _LICENSE_URL,
        "hub_files": ("model.safetensors", "*.json"),
        "load": _LOAD,
        "weight_bytes": {"float32": 2 * half, "float16": half, "bfloat16": half},
        "peak_bytes": {"float32": peak, "float16": peak // 2, "bfloat16": peak // 2},
        "tier": size.tier,
    }
    if ultralytics:
        url = f"https://dl.fbaipublicfiles.com/segment_anything_2/092824/sam2.1_hiera_{size.name}.pt"
        letter = id_.removeprefix("sam2.1-")[0]
        length, digest = size.checkpoint
        file = WeightFile(f"sam2.1_{letter}.pt", sha256=digest, size=length, url=url)
        dtypes = {"cuda": ("float32", "float16"), "cpu": ("float32",)}
        return ModelSpec(source=url, revision="092824", files=(file,), dtypes=dtypes, **common)
    files = (
        WeightFile("model.safetensors", sha256=size.weights[1], size=size.weights[0]),
        WeightFile("config.json", sha256=size.config[1], size=size.config[0]),
        *_PROCESSOR,
    )
    return ModelSpec(
        source=f"facebook/sam2.1-hiera-{size.name.replace('_', '-')}",
        revision=size.revision,
        files=files,
        dtypes={"cuda": ("float32", "bfloat16"), "cpu": ("float32",)},
        **common,
    )


def segment_tool(*, ultralytics: bool) -> Tool:
    """The tool, with its engine and licences in the limits."""
    engine = _engine(ultralytics)
    return Tool(
        name="sam",
        operation=operations.SEGMENT,
        args=PointSegmentArgs,
        run="promptvision_sam.segment:segment",
        requires=REQUIRES,
        takes_complements=True,
        limits=f"It does not know names: boxes come from a detector. Engine: {engine}; weights: Apache-2.0.",
    )


@hookimpl
def promptvision_tools() -> Iterable[Tool]:
    """Segmentation with SAM 2.1."""
    return [segment_tool(ultralytics=has_ultralytics())]


@hookimpl
def promptvision_models() -> Iterable[ModelSpec]:
    """The four sizes in the layout that the installed engine reads."""
    return [model_spec(id_, ultralytics=has_ultralytics()) for id_ in MODELS]
