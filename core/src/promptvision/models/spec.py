"""Model specs: one set of weights, its source, licence and memory need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from promptvision.declarations import IMPORT_STRING, check_names, check_type

__all__ = ["ModelSpec", "Tier", "WeightFile", "alternatives"]

Tier = Literal["", "light", "full"]
"""The profile of ``promptvision setup`` that a model belongs to: ``light`` suits a laptop without a GPU,
``full`` a machine with one; a model without a tier is pulled by its name only."""


def alternatives(requirement: str) -> tuple[str, ...]:
    """The ids of models of which one is needed, best first: ``"sam2.1-l | sam2.1-t"`` names two."""
    return tuple(id_.strip() for id_ in requirement.split("|"))


@dataclass(frozen=True)
class WeightFile:
    """One file of a model.

    Args:
        path: relative to the model's folder, with forward slashes.
        sha256: of its bytes; None if the source does not publish one.
        size: in bytes; 0 if unknown.
        url: where to download it from, if it is not in the model's hub repository.

    Raises:
        TypeError: a field has the wrong type.
    """

    path: str
    sha256: str | None = None
    size: int = 0
    url: str | None = None

    def __post_init__(self) -> None:
        owner = f"WeightFile {self.path!r}"
        check_type(owner, "path", self.path, str, "a str")
        check_type(owner, "sha256", self.sha256, (str, type(None)), "a str or None")
        check_type(owner, "size", self.size, int, "an int (bytes)")
        check_type(owner, "url", self.url, (str, type(None)), "a str or None")


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One set of weights.

    Args:
        id: short name, such as ``sam2.1-l``; unique in one installation.
        source: hub repository id, such as ``IDEA-Research/grounding-dino-base``, or an https URL.
        revision: commit of the hub repository, pinned.
        files: names may contain ``*`` for hub repositories.
        hub_files: files of another hub repository configured by the operator; default: those of ``files``.
        download_bytes: size of the download, if not all files state theirs.
        license: of the weights, as an SPDX id or a name.
        license_url: of its text.
        weight_bytes: bytes by dtype name, such as ``{"float16": 447_000_000}``; used until the first
            load.
        peak_bytes: activation memory of one typical call, in addition to the weights, by dtype; an estimate.
        dtypes: device type (``cpu``, ``cuda``) to dtype names, best first.
        load: ``"package.module:callable"``; called with ``(folder_or_file: Path, device: str, dtype: str)``,
            returns the loaded model. Imported at the first lease.
        tier: the profile that it belongs to, see :data:`Tier`.
        share_key: names the weights, if models of other plugins have the same ones and their loaders return
            the same kind of object; models with equal keys are loaded once for each dtype. Default: models
            with the same source, revision, files, digests and loader are the same.
        movable: whether a copy of the loaded object on another device works as the object does: it consists
            of torch modules in dataclasses, containers or plain objects, and does not store its device. The
            pool then keeps a copy in main memory, from which it makes the one on the GPU.
        plugin: entry-point name of the owner; filled in by the registry.

    Raises:
        TypeError: a field has the wrong type.
        ValueError: ``id`` is empty or names alternatives, ``load`` is not an import string, or ``tier`` is
            not known.
    """

    id: str
    source: str
    revision: str
    files: tuple[WeightFile, ...]
    license: str
    license_url: str = ""
    hub_files: tuple[str, ...] = ()
    download_bytes: int = 0
    weight_bytes: Mapping[str, int] = field(default_factory=dict)
    peak_bytes: Mapping[str, int] = field(default_factory=dict)
    dtypes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"cpu": ("float32",)})
    load: str = ""
    tier: Tier = ""
    share_key: str = ""
    movable: bool = False
    plugin: str = ""

    def __post_init__(self) -> None:
        owner = f"model {self.id!r}"
        for name in ("id", "source", "revision", "license", "license_url", "load", "share_key", "plugin"):
            check_type(owner, name, getattr(self, name), str, "a str")
        check_type(owner, "movable", self.movable, bool, "a bool")
        if not self.id:
            raise ValueError("ModelSpec: id is empty; give a short name such as 'sam2.1-l'")
        if "|" in self.id:
            raise ValueError(f"{owner}: id must not hold '|', which separates alternatives in a requirement")
        if self.tier not in get_args(Tier):
            raise ValueError(f"{owner}: tier must be one of {', '.join(map(repr, get_args(Tier)))}")
        check_type(owner, "files", self.files, (tuple, list), "a tuple of WeightFile")
        for file in self.files:
            check_type(owner, "files", file, WeightFile, "a tuple of WeightFile")
        object.__setattr__(self, "files", tuple(self.files))
        for name in ("weight_bytes", "peak_bytes"):
            check_type(owner, name, getattr(self, name), Mapping, "a dict of dtype name to bytes")
            for size in getattr(self, name).values():
                check_type(owner, name, size, int, "a dict of dtype name to bytes")
        check_type(owner, "dtypes", self.dtypes, Mapping, "a dict of device to a tuple of dtype names")
        for device, names in self.dtypes.items():
            check_names(owner, f"dtypes[{device!r}]", names)
        if self.load and not IMPORT_STRING.fullmatch(self.load):
            raise ValueError(f"{owner}: load must have the form 'package.module:callable', not {self.load!r}")

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """A spec from the values of :func:`dataclasses.asdict`, after JSON."""
        files = tuple(WeightFile(**file) for file in values["files"])
        dtypes = {device: tuple(names) for device, names in values["dtypes"].items()}
        return cls(**{**values, "files": files, "dtypes": dtypes, "hub_files": tuple(values["hub_files"])})
