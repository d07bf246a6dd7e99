"""Locate model weights on disk, and report missing ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from promptvision.errors import PluginError, SetupError
from promptvision.models.manifest import MANIFEST, read_manifest
from promptvision.models.placement import gigabytes
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.needs import NeedsSetup
from promptvision.settings import Settings

__all__ = [
    "MissingWeights",
    "effective_spec",
    "files_of",
    "folder_of",
    "local_override",
    "locate",
    "missing_weights",
    "override_name",
    "pull_bytes",
    "pull_command",
    "require",
]

_MODEL_ID = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}")
_HUB_ID = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?")


@dataclass(frozen=True)
class MissingWeights:
    """Weights that are not downloaded: what is missing, the command that pulls it, and its size in bytes."""

    what: str
    fix: str
    bytes: int = 0


def override_name(spec: ModelSpec) -> str:
    """The variable that replaces a model's weights, such as ``PROMPTVISION_MODEL_SAM2_1_L``."""
    return "PROMPTVISION_MODEL_" + re.sub(r"[^A-Z0-9]", "_", spec.id.upper())


def local_override(spec: ModelSpec, settings: Settings) -> Path | None:
    """The file or folder that replaces a model's weights, if configured."""
    named = settings.value(override_name(spec))
    path = Path(named).expanduser() if named else None
    return path if path is not None and path.exists() else None


def effective_spec(spec: ModelSpec, settings: Settings) -> ModelSpec:
    """The spec with the hub repository that :func:`override_name` names, if any.

    Such a repository may be written ``owner/name`` or ``owner/name@revision``. Its files are those
    that the spec names for such repositories; the digests of the spec do not apply to them.

    Raises:
        SetupError: the variable names neither something on disk nor a hub repository.
    """
    named = settings.value(override_name(spec))
    if not named or local_override(spec, settings) is not None:
        return spec
    if (match := _HUB_ID.fullmatch(named)) is None:
        raise SetupError(
            f"{override_name(spec)}: {named!r} is neither a path on this machine nor a hub repository",
            hint="name a folder, a file, or a repository as owner/name",
        )
    names = spec.hub_files or tuple(file.path for file in spec.files)
    files = tuple(map(WeightFile, names))
    return replace(spec, source=match[1], revision=match[2] or "main", files=files)


def folder_of(spec: ModelSpec, settings: Settings) -> Path:
    """The folder that a model's weights are pulled to; each source has its own folder.

    Raises:
        PluginError: the id cannot be a folder name.
    """
    if not _MODEL_ID.fullmatch(spec.id):
        raise PluginError(spec.plugin, f"model id {spec.id!r} does not match {_MODEL_ID.pattern}")
    wanted = effective_spec(spec, settings)
    suffix = "" if wanted is spec else "@" + wanted.source.replace("/", "--")
    return settings.weights_home / (spec.id + suffix)


def files_of(spec: ModelSpec, folder: Path) -> Iterator[str]:
    """Relative names, with forward slashes, of the files in the folder that the spec names."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name != MANIFEST and path.is_file() and any(fnmatchcase(name, file.path) for file in spec.files):
            yield name


def locate(spec: ModelSpec, settings: Settings) -> Path | None:
    """The folder of a model's weights, or the configured file; None if they are not downloaded.

    The folder must contain each file of the spec and not be pulled from another revision. A pull in progress
    uses another folder. Files may also be copied into the folder by hand.

    Raises:
        SetupError: the value of :func:`override_name` cannot be used.
    """
    if (own := local_override(spec, settings)) is not None:
        return own
    spec, folder = effective_spec(spec, settings), folder_of(spec, settings)
    if not folder.is_dir():
        return None
    manifest = read_manifest(folder)
    if manifest and (manifest.source, manifest.revision) != (spec.source, spec.revision):
        return None
    return folder if all(_has(folder, file.path) for file in spec.files) else None


def _has(folder: Path, pattern: str) -> bool:
    if "*" not in pattern:
        return (folder / pattern).is_file()
    return any(fnmatchcase(path.relative_to(folder).as_posix(), pattern) for path in folder.rglob("*"))


def pull_bytes(spec: ModelSpec) -> int:
    """Size of the download: the sum of its files if each states its own, else what the spec declares."""
    sizes = [file.size for file in spec.files]
    if sizes and all(sizes):
        return sum(sizes)
    return max(sum(sizes), spec.download_bytes) or max(spec.weight_bytes.values(), default=0)


def pull_command(models: Iterable[str]) -> str:
    """The command that downloads models."""
    return f"promptvision models pull {' '.join(models)}"


def missing_weights(spec: ModelSpec, settings: Settings) -> MissingWeights | None:
    """The missing weights of a model with the command that pulls them; None if they are present."""
    return None if locate(spec, settings) is not None else _missing(spec)


def _missing(spec: ModelSpec) -> MissingWeights:
    cost = f" ({gigabytes(size)})" if (size := pull_bytes(spec)) else ""
    return MissingWeights(
        f"model {spec.id!r} is not downloaded{cost}", f"run `{pull_command([spec.id])}`", size
    )


def require(spec: ModelSpec, settings: Settings) -> Path:
    """The path of a model's weights.

    Raises:
        SetupError: they are not downloaded; the hint is the command that pulls them.
    """
    if (path := locate(spec, settings)) is not None:
        return path
    missing = _missing(spec)
    needs = NeedsSetup(models=[spec.id], bytes=missing.bytes, command=pull_command([spec.id]))
    raise SetupError(f"{spec.plugin or 'model'}: {missing.what}", hint=missing.fix, needs=needs)
