"""Location, overrides and sizes of model weights."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from promptvision.errors import SetupError
from promptvision.models.pull import pull, remove, verify
from promptvision.models.spec import WeightFile
from promptvision.models.weights import locate, missing_weights, override_name, pull_bytes, require
from promptvision.settings import Settings
from promptvision.testing.faulty_hub import BIG, SPEC, FaultyHub, hub_settings, silent


@pytest.fixture
def settings(tmp_path: Path, hub: FaultyHub) -> Settings:
    return hub_settings(tmp_path, HF_ENDPOINT=hub.url)


def test_a_missing_model_says_how_large_it_is_and_how_to_get_it(settings: Settings) -> None:
    unmet = missing_weights(SPEC, settings)
    assert unmet is not None
    assert unmet.what == "model 'toy-1.0' is not downloaded (3.00 GB)"
    with pytest.raises(SetupError) as caught:
        require(SPEC, settings)
    assert str(caught.value) == f"toy: {unmet.what}; run `promptvision models pull toy-1.0`"


def test_the_manifest_is_not_a_file_of_the_model(settings: Settings, hub: FaultyHub) -> None:
    spec = replace(SPEC, files=(WeightFile("*.json"), WeightFile("*.safetensors")))
    pull(spec, settings, silent)
    assert verify(spec, settings) == []


def test_an_incomplete_folder_counts_as_missing(settings: Settings) -> None:
    shutil.rmtree(pull(SPEC, settings, silent) / "model.safetensors", ignore_errors=True)
    (settings.weights_home / SPEC.id / "model.safetensors").unlink()
    assert locate(SPEC, settings) is None
    assert (pull(SPEC, settings, silent) / "model.safetensors").read_bytes() == BIG


@pytest.mark.parametrize("name", ["folder", "folder/model.pt"])
def test_local_override_of_the_operator_is_used(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "model.pt").write_bytes(b"mine")
    settings = hub_settings(tmp_path / "home", PROMPTVISION_MODEL_TOY_1_0=str(tmp_path / name))
    assert override_name(SPEC) == "PROMPTVISION_MODEL_TOY_1_0"
    assert locate(SPEC, settings) == tmp_path / name
    assert pull(SPEC, settings, silent) == tmp_path / name
    assert verify(SPEC, settings) == []
    assert remove(SPEC, settings) == 0
    assert (tmp_path / "folder" / "model.pt").read_bytes() == b"mine"


def test_another_repository_of_the_operators_choice(settings: Settings, hub: FaultyHub) -> None:
    theirs = replace(SPEC, source="someone/else", revision="1" * 40)
    settings = hub_settings(settings.home, HF_ENDPOINT=hub.url, PROMPTVISION_MODEL_TOY_1_0="owner/name@v1")
    folder = pull(theirs, settings, silent)
    assert folder.name == "toy-1.0@owner--name"
    assert hub.asked[0][0].startswith("/api/models/owner/name/revision/v1")
    assert locate(theirs, settings) == folder
    assert locate(theirs, hub_settings(settings.home)) is None


def test_an_override_that_names_nothing(tmp_path: Path) -> None:
    settings = hub_settings(tmp_path, PROMPTVISION_MODEL_TOY_1_0="/no/such/folder")
    with pytest.raises(SetupError, match="PROMPTVISION_MODEL_TOY_1_0: '/no/such/folder' is neither"):
        locate(SPEC, settings)


def test_the_size_of_a_download_is_that_of_the_files_if_each_states_its_own_else_the_declared_one() -> None:
    assert pull_bytes(SPEC) == 3_000_000_000
    half = replace(SPEC, download_bytes=1_500_000_000)
    assert pull_bytes(half) == 1_500_000_000
    assert pull_bytes(replace(half, files=(WeightFile("a", size=7), WeightFile("b", size=2)))) == 9
    assert pull_bytes(replace(half, files=(WeightFile("a", size=7), WeightFile("b")))) == 1_500_000_000
    assert pull_bytes(replace(SPEC, files=(WeightFile("a", size=7), WeightFile("b")), weight_bytes={})) == 7
