"""Recognise data layouts by names of files and folders, without reading data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "IMAGE_SUFFIXES",
    "find_annotations",
    "find_pairs",
    "image_files",
    "is_coco_captions",
    "is_coco_instances",
    "is_edit_list",
    "is_icdar",
    "is_image_text_pairs",
    "is_mask_pairs",
    "is_sentences",
]

IMAGE_SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))
MASK_FOLDERS = ("masks", "mask", "gt")
IMAGE_FOLDERS = ("images", "image", "im")
CAPTION_FILES = ("captions_", "dataset_coco", "coco_karpathy")


def is_coco_instances(data: Path) -> bool:
    """``instances_*.json``, or a folder that has one in it or in its folder ``annotations``."""
    return find_annotations(data, ("instances",)) is not None


def is_coco_captions(data: Path) -> bool:
    """COCO captions, or the Karpathy split in either of its two forms."""
    return find_annotations(data, CAPTION_FILES) is not None


def is_mask_pairs(data: Path) -> bool:
    """A folder with images and masks of the same name, in two folders or next to each other."""
    return data.is_dir() and next(find_pairs(data), None) is not None


def is_icdar(data: Path) -> bool:
    """A folder with ``gt_NAME.txt`` for each image, next to it or in a folder ``gt``."""
    return data.is_dir() and any(any(folder.glob("gt_*.txt")) for folder in (data, data / "gt"))


def is_image_text_pairs(data: Path) -> bool:
    """A folder with ``NAME.txt`` next to each image."""
    return data.is_dir() and any(file.with_suffix(".txt").exists() for file in image_files(data))


def is_edit_list(data: Path) -> bool:
    """A file of JSON lines, or a folder that has ``list.jsonl``."""
    return data.suffix == ".jsonl" or (data / "list.jsonl").is_file()


def is_sentences(data: Path) -> bool:
    """A text file with labelled sentences, or a folder of such files."""
    files = [data] if data.is_file() else sorted(data.glob("*.txt"))
    return any(file.suffix == ".txt" for file in files)


def find_annotations(data: Path, prefixes: tuple[str, ...]) -> Path | None:
    """The JSON file of a data set, one of a validation or test split first.

    Args:
        data: the file itself, or a folder of the COCO layout.
        prefixes: how its name begins.
    """
    if data.is_file():
        return data if data.suffix == ".json" and data.name.startswith(prefixes) else None
    found = [
        file
        for folder in (data, data / "annotations")
        for file in sorted(folder.glob("*.json"))
        if file.name.startswith(prefixes)
    ]
    found.sort(key=lambda file: not any(word in file.stem for word in ("val", "test", "dataset_coco")))
    return next(iter(found), None)


def image_files(folder: Path) -> Iterator[Path]:
    """Images directly in a folder, by name."""
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if file.suffix.lower() in IMAGE_SUFFIXES:
            yield file


def find_pairs(data: Path, images: str = "", masks: str = "") -> Iterator[tuple[Path, Path]]:
    """Images with their masks: ``images/a.jpg`` with ``masks/a.png``, or ``a.jpg`` with ``a.png``.

    Args:
        data: the folder.
        images, masks: names of the two folders in it; default: one of the usual names.
    """
    image_folder = _first_folder(data, (images,) if images else IMAGE_FOLDERS)
    mask_folder = _first_folder(data, (masks,) if masks else MASK_FOLDERS)
    if image_folder is not None and mask_folder is not None:
        by_stem = {file.stem: file for file in image_files(mask_folder)}
        for file in image_files(image_folder):
            if file.stem in by_stem:
                yield file, by_stem[file.stem]
        return
    for file in image_files(data):
        if file.suffix.lower() in (".jpg", ".jpeg") and (mask := file.with_suffix(".png")).exists():
            yield file, mask


def _first_folder(data: Path, names: tuple[str, ...]) -> Path | None:
    return next((data / name for name in names if (data / name).is_dir()), None)
