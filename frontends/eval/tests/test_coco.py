"""Files of COCO instances that cannot be used are errors that say where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eval_data import make_labels

from promptvision.plugin import InputError
from promptvision_eval.coco import open_instances


def write(folder: Path, text: str) -> Path:
    path = folder / "instances_val.json"
    path.write_text(text)
    return path


def test_a_file_of_instances_is_opened(tmp_path: Path) -> None:
    path, truth = open_instances(write(tmp_path, json.dumps(make_labels(2))))
    assert path.name == "instances_val.json"
    assert sorted(truth.imgs) == [1, 2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1, 2], "the file is not a JSON object"),
        ({}, "'images' is not a list"),
        ({"images": [{"id": 1}], "annotations": []}, r"images\[0\] has no 'file_name'"),
        ({"images": [], "annotations": [{"id": 1}]}, r"annotations\[0\] has no 'image_id'"),
        ({"images": [], "annotations": ["x"]}, r"annotations\[0\] has no 'id'"),
        ({"images": [], "annotations": [], "categories": [{"id": 1}]}, r"categories\[0\] has no 'name'"),
    ],
)
def test_error_names_what_is_wrong(tmp_path: Path, content: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        open_instances(write(tmp_path, json.dumps(content)))


def test_text_that_is_not_json_and_a_folder_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not JSON: Expecting"):
        open_instances(write(tmp_path, "{bad"))
    with pytest.raises(InputError, match="holds no instances_"):
        open_instances(tmp_path / "other")
