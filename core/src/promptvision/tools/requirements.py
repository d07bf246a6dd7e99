"""What a tool needs before it can run, checked without importing anything heavy."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

__all__ = ["Gpu", "Missing", "Requirements", "has_gpu", "missing_requirements"]


class Gpu(StrEnum):
    """How much a tool cares for a GPU."""

    NONE = "none"
    PREFERRED = "preferred"
    REQUIRED = "required"


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What must be there before a tool can run.

    Args:
        models: ids of model specs whose weights must be on disk.
        chosen_by: model id to the variable that may name another model in its place.
        gpu: whether a GPU is needed, liked or ignored.
        binaries: program name to the command that installs it.
        modules: top-level Python module to the command that installs it.
        settings: variable name to what it is for; each must be set.
    """

    models: tuple[str, ...] = ()
    chosen_by: Mapping[str, str] = field(default_factory=dict)
    gpu: Gpu = Gpu.NONE
    binaries: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    def chosen_models(self, setting: Callable[[str], str | None]) -> tuple[str, ...]:
        """The ids of ``models``, each replaced by what its variable names, if that is set.

        Args:
            setting: returns the value of a variable, or None.
        """
        chosen = {model: setting(name) for model, name in self.chosen_by.items()}
        return tuple(chosen.get(model) or model for model in self.models)


@dataclass(frozen=True)
class Missing:
    """One requirement that is not met: what is missing and the command that mends it."""

    what: str
    fix: str


def has_gpu() -> bool:
    """Whether an NVIDIA GPU is visible, judged without importing torch."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def _has_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # the parent of a dotted name is missing; a half-made module
        return False


def missing_requirements(
    requires: Requirements,
    *,
    has_model: Callable[[str], Missing | None],
    setting: Callable[[str], str | None],
) -> Iterator[Missing]:
    """Yield what is not met.

    Args:
        requires: what to check.
        has_model: returns None when the weights of a model id are here, else what is missing.
        setting: returns the value of a variable, or None.
    """
    for module, command in requires.modules.items():
        if not _has_module(module):
            yield Missing(f"Python module {module!r} is not installed", command)
    for binary, command in requires.binaries.items():
        if shutil.which(binary) is None:
            yield Missing(f"program {binary!r} is not on the PATH", command)
    for name, purpose in requires.settings.items():
        if setting(name) is None:
            yield Missing(f"{name} is not set", f"set {name} ({purpose})")
    if requires.gpu is Gpu.REQUIRED and not has_gpu():
        yield Missing("no GPU is visible", "run it on a machine with an NVIDIA GPU")
    for model in requires.chosen_models(setting):
        if (lacking := has_model(model)) is not None:
            yield lacking
