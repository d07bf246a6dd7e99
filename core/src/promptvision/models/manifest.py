"""The manifest of pulled weights: the source and digest of each file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

__all__ = ["MANIFEST", "Manifest", "PulledFile", "file_sha256", "read_manifest", "write_manifest"]

MANIFEST = "promptvision.json"


class PulledFile(BaseModel):
    """One file as it was when pulled: name relative to the folder, size in bytes, digest."""

    model_config = ConfigDict(frozen=True)

    path: str
    size: int
    sha256: str


class Manifest(BaseModel):
    """Where a folder of weights was pulled from. ``commit`` is what ``revision`` resolved to."""

    model_config = ConfigDict(frozen=True)

    source: str
    revision: str
    commit: str
    license: str
    files: tuple[PulledFile, ...]


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder; None if it has none that can be read."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a folder."""
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
