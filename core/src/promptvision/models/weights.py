"""Where model weights lie on disk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from promptvision.errors import SetupError
from promptvision.models.placement import gigabytes
from promptvision.models.spec import ModelSpec
from promptvision.settings import Settings

__all__ = ["MissingWeights", "folder_of", "locate", "missing_weights", "override_name", "require"]


@dataclass(frozen=True)
class MissingWeights:
    """Weights that are not here: what is missing and the command that brings it."""

    what: str
    fix: str


def folder_of(spec: ModelSpec, settings: Settings) -> Path:
    """Where the weights of a model are pulled to."""
    return settings.weights_home / spec.id


def override_name(spec: ModelSpec) -> str:
    """The variable that puts other weights in a model's place: ``PROMPTVISION_MODEL_SAM2_1_L``."""
    return "PROMPTVISION_MODEL_" + re.sub(r"[^A-Z0-9]", "_", spec.id.upper())


def locate(spec: ModelSpec, settings: Settings) -> Path | None:
    """The folder (or, when the operator names one, the file) of a model's weights; None when not here.

    The variable :func:`override_name` wins when it names something on disk. Otherwise the weights are here
    when the model's folder has each file of the spec. What is being pulled lies elsewhere until it is whole.
    """
    override = settings.value(override_name(spec))
    if override and (local := Path(override).expanduser()).exists():
        return local
    folder = folder_of(spec, settings)
    return folder if all(_has(folder, file.path) for file in spec.files) and folder.is_dir() else None


def _has(folder: Path, pattern: str) -> bool:
    if "*" not in pattern:
        return (folder / pattern).is_file()
    return any(fnmatchcase(path.relative_to(folder).as_posix(), pattern) for path in folder.rglob("*"))


def missing_weights(spec: ModelSpec, settings: Settings) -> MissingWeights | None:
    """What is missing of a model and the command that pulls it; None when its weights are here."""
    return None if locate(spec, settings) is not None else _missing(spec)


def _missing(spec: ModelSpec) -> MissingWeights:
    size = sum(file.size for file in spec.files) or max(spec.weight_bytes.values(), default=0)
    cost = f" ({gigabytes(size)})" if size else ""
    return MissingWeights(
        f"model {spec.id!r} is not downloaded{cost}", f"run `promptvision models pull {spec.id}`"
    )


def require(spec: ModelSpec, settings: Settings) -> Path:
    """Where a model's weights are.

    Raises:
        SetupError: they are not here; the hint is the command that pulls them.
    """
    if (path := locate(spec, settings)) is not None:
        return path
    lacking = _missing(spec)
    raise SetupError(f"{spec.plugin or 'model'}: {lacking.what}", hint=lacking.fix)
