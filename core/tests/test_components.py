"""Which specs name the same weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from promptvision.models.components import component_of
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.settings import Settings

DIGEST = "ab" * 32


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def spec(
    id_: str, *, digest: str | None = DIGEST, load: str = "a_package:load", share_key: str = ""
) -> ModelSpec:
    return ModelSpec(
        id=id_,
        source="someone/vae",
        revision="0" * 40,
        files=(WeightFile("vae.safetensors", sha256=digest),),
        license="MIT",
        load=load,
        share_key=share_key,
        plugin=id_,
    )


def test_the_same_files_and_loader_are_one_component(settings: Settings) -> None:
    assert component_of(spec("one"), settings) == component_of(spec("two"), settings)


@pytest.mark.parametrize(
    "other",
    [
        spec("two", digest="cd" * 32),
        spec("two", load="b_package:load"),
        replace(spec("two"), revision="1" * 40),
        replace(spec("two"), source="else/vae"),
    ],
)
def test_other_weights_or_another_loader_are_another_component(settings: Settings, other: ModelSpec) -> None:
    assert component_of(spec("one"), settings) != component_of(other, settings)


def test_files_without_digests_are_not_compared(settings: Settings) -> None:
    assert component_of(spec("one", digest=None), settings) == "one"


def test_a_share_key_joins_models_of_different_distributions(settings: Settings) -> None:
    one = spec("one", share_key="sdxl-vae-fp16-fix")
    two = spec("two", digest=None, load="b_package:load", share_key="sdxl-vae-fp16-fix")
    assert component_of(one, settings) == component_of(two, settings)


def test_a_replaced_model_is_only_the_same_as_one_that_is_replaced_alike(tmp_path: Path) -> None:
    one, two = spec("one", share_key="vae"), spec("two", share_key="vae")
    (tmp_path / "mine").mkdir()
    mine = {"PROMPTVISION_MODEL_ONE": str(tmp_path / "mine")}
    apart = Settings.from_mapping(mine)
    assert component_of(one, apart) != component_of(two, apart)
    alike = Settings.from_mapping({**mine, "PROMPTVISION_MODEL_TWO": str(tmp_path / "mine")})
    assert component_of(one, alike) == component_of(two, alike)
    hub = Settings.from_mapping({"PROMPTVISION_MODEL_ONE": "other/vae"})
    assert component_of(one, hub) != component_of(two, hub)
