"""Read the annotation files of COCO, and find their images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promptvision.plugin import InputError
from promptvision_eval.layouts import find_annotations

__all__ = ["find_images", "open_instances", "read_json"]

IMAGES = "images"
"""Option that names the folder of the images."""
MEMBERS = {
    "images": ("id", "file_name", "height", "width"),
    "annotations": ("id", "image_id", "category_id", "bbox", "area"),
    "categories": ("id", "name"),
}
"""What each row of a file of instances must have."""


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise InputError(f"eval: {path} cannot be read: {exc.strerror}", hint="check the path") from exc
    except ValueError as exc:
        raise InputError(f"eval: {path} is not JSON: {exc}", hint="give an annotation file of COCO") from exc


def open_instances(data: Path) -> tuple[Path, Any]:
    """The file of a data set that labels instances, and its content as a ``COCO`` of faster-coco-eval.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    from faster_coco_eval.core.coco import COCO  # type: ignore[import-untyped]

    path = find_annotations(data, ("instances",))
    if path is None:
        raise InputError(f"eval: {data} holds no instances_*.json", hint="give the COCO folder")
    content = read_json(path)
    if problem := _problem(content):
        hint = "give a file of COCO instances, such as instances_val2017.json"
        raise InputError(f"eval: {path}: {problem}", hint=hint)
    return path, COCO(content)


def _problem(content: Any) -> str:
    """What is wrong with the content of a file of instances; empty if it can be used."""
    if not isinstance(content, dict):
        return "the file is not a JSON object"
    for list_name, members in MEMBERS.items():
        rows = content.get(list_name)
        if not isinstance(rows, list):
            return f"{list_name!r} is not a list"
        for at, row in enumerate(rows):
            absent = [name for name in members if not isinstance(row, dict) or name not in row]
            if absent:
                return f"{list_name}[{at}] has no {absent[0]!r}"
    return ""


def find_images(annotations: Path, first: str, options: Mapping[str, str]) -> Path:
    """The folder that the file names of an annotation file start from.

    Args:
        annotations: such as ``coco/annotations/instances_val2017.json``; its images are in ``coco/val2017``.
        first: the file name of one image.
        options: ``images`` names the folder instead.

    Raises:
        InputError: the image is in none of the usual folders.
    """
    if IMAGES in options:
        folder = Path(options[IMAGES])
        if not (folder / first).is_file():
            raise InputError(f"eval: {folder} does not hold {first}", hint="correct -o images=DIR")
        return folder
    split = annotations.stem.rpartition("_")[2]
    parents = (annotations.parent, annotations.parent.parent)
    folders = [parent / name for parent in parents for name in (split, "images", ".")]
    for folder in folders:
        if (folder / first).is_file():
            return folder
    raise InputError(
        f"eval: {annotations.name} names the image {first}, which is in none of "
        f"{', '.join(sorted({str(folder) for folder in folders}))}",
        hint="name its folder with -o images=DIR",
    )
