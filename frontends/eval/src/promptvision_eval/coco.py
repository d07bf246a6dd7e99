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


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise InputError(f"eval: {path} cannot be read: {exc}", hint="give a JSON annotation file") from exc


def open_instances(data: Path) -> tuple[Path, Any]:
    """The file of a data set that labels instances, and its content as a ``COCO`` of faster-coco-eval.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    from faster_coco_eval.core.coco import COCO  # type: ignore[import-untyped]

    path = find_annotations(data, ("instances",))
    if path is None:
        raise InputError(f"eval: {data} holds no instances_*.json", hint="give the COCO folder")
    return path, COCO(read_json(path))


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
        return Path(options[IMAGES])
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
