"""Model specs: fields of the wrong type are refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from promptvision.models.spec import ModelSpec, WeightFile

FIELDS: dict[str, Any] = {
    "id": "tiny",
    "source": "a/b",
    "revision": "0",
    "files": (WeightFile("model.safetensors"),),
    "license": "MIT",
}


def test_files_may_be_a_list() -> None:
    assert ModelSpec(**{**FIELDS, "files": list(FIELDS["files"])}).files == FIELDS["files"]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"id": 3}, "model 3: id must be a str, not int 3"),
        ({"revision": None}, "model 'tiny': revision must be a str, not NoneType None"),
        ({"files": "model.safetensors"}, "model 'tiny': files must be a tuple of WeightFile, not str"),
        ({"files": ("model.safetensors",)}, "model 'tiny': files must be a tuple of WeightFile, not str"),
        ({"weight_bytes": 5}, "model 'tiny': weight_bytes must be a dict of dtype name to bytes"),
        (
            {"peak_bytes": {"float16": "2 GB"}},
            "model 'tiny': peak_bytes must be a dict of dtype name to",
        ),
        ({"dtypes": ("cpu",)}, "model 'tiny': dtypes must be a dict of device to a tuple of dtype names"),
        (
            {"dtypes": {"cpu": "float32"}},
            r"dtypes\['cpu'\] is one string; write .*=\('float32',\)",
        ),
    ],
)
def test_field_of_the_wrong_type_is_named(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(TypeError, match=fault):
        ModelSpec(**{**FIELDS, **fields})


def test_empty_id_and_a_bad_import_string_are_refused() -> None:
    with pytest.raises(ValueError, match="id is empty"):
        ModelSpec(**{**FIELDS, "id": ""})
    with pytest.raises(ValueError, match=r"model 'tiny': load must have the form 'package\.module:callable'"):
        ModelSpec(**{**FIELDS, "load": "package.module.load"})


@pytest.mark.parametrize("fields", [{"path": 1}, {"sha256": b"0"}, {"size": 1.5}, {"size": True}, {"url": 2}])
def test_weight_file_field_of_the_wrong_type_is_named(fields: dict[str, Any]) -> None:
    (name,) = fields
    with pytest.raises(TypeError, match=f"WeightFile .*: {name} must be"):
        WeightFile(**{"path": "a", **fields})
