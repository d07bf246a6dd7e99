"""The requirements of a tool, checked without imports."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from promptvision.declarations import check_mapping, check_names, check_type
from promptvision.models.devices import gpu_memory_bytes, has_gpu
from promptvision.models.spec import alternatives

__all__ = ["Gpu", "Missing", "Requirements", "has_module", "missing_requirements"]


class Gpu(StrEnum):
    """Whether a tool needs a GPU."""

    NONE = "none"
    PREFERRED = "preferred"
    REQUIRED = "required"


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What a tool needs before it can run.

    Args:
        models: ids of model specs whose weights must be on disk. One may name alternatives, best first, such
            as ``"sam2.1-l | sam2.1-t"``; lease them by the same text, and the best that is on disk and fits
            in memory is used.
        chosen_by: model id, the best one of alternatives, to the variable that selects another model instead.
        gpu: whether a GPU is required, preferred or not used.
        gpu_bytes: memory of the GPU below which the tool is slow; it runs all the same, with the
            ``slow_priority`` of its :class:`~promptvision.tools.tool.Tool`.
        binaries: program name to the command that installs it.
        modules: top-level Python module to the command that installs it.
        settings: variable name to its purpose; each must be set.

    Raises:
        TypeError: a field has the wrong type.
        ValueError: one of ``models`` is empty.
    """

    models: tuple[str, ...] = ()
    chosen_by: Mapping[str, str] = field(default_factory=dict)
    gpu: Gpu = Gpu.NONE
    gpu_bytes: int = 0
    binaries: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", check_names("Requirements", "models", self.models))
        if not all(all(alternatives(entry)) for entry in self.models):
            raise ValueError(f"Requirements: models: a name is empty in {self.models!r}")
        check_mapping("Requirements", "chosen_by", self.chosen_by, '{"model-id": "PROMPTVISION_MODEL"}')
        check_type("Requirements", "gpu", self.gpu, Gpu, "a Gpu, such as Gpu.PREFERRED")
        check_type("Requirements", "gpu_bytes", self.gpu_bytes, int, "an int (bytes)")
        check_mapping("Requirements", "binaries", self.binaries, '{"tesseract": "apt install tesseract-ocr"}')
        check_mapping("Requirements", "modules", self.modules, '{"cv2": "pip install opencv-python"}')
        check_mapping("Requirements", "settings", self.settings, '{"API_URL": "address of the service"}')

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Requirements from the values of :func:`dataclasses.asdict`, after JSON."""
        return cls(**{**values, "models": tuple(values["models"]), "gpu": Gpu(values["gpu"])})

    @property
    def has_fast_gpu(self) -> bool:
        """Whether this machine's GPU has ``gpu_bytes``; also if its driver does not say how much it has."""
        found = gpu_memory_bytes() if self.gpu_bytes else None
        return found is None or found >= self.gpu_bytes

    def chosen_models(self, setting: Callable[[str], str | None]) -> tuple[str, ...]:
        """The entries of ``models``, each replaced by what its variable names, if that is set.

        Args:
            setting: returns the value of a variable, or None.
        """
        chosen = {model: setting(name) for model, name in self.chosen_by.items()}
        return tuple(chosen.get(alternatives(entry)[0]) or entry for entry in self.models)


@dataclass(frozen=True)
class Missing:
    """One requirement that is not met.

    Args:
        what: what is missing.
        fix: the command that fixes it.
        model: id of the model that is missing; empty if something else is.
        bytes: size of its download; 0 if unknown.
    """

    what: str
    fix: str
    model: str = ""
    bytes: int = 0


def has_module(name: str) -> bool:
    """Whether a top-level module can be imported, found without importing it."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # the parent package is missing, or the module has no spec
        return False


def _first(models: Sequence[str]) -> str:
    return models[0]


def missing_requirements(
    requires: Requirements,
    *,
    has_model: Callable[[str], Missing | None],
    setting: Callable[[str], str | None],
    choose: Callable[[Sequence[str]], str] = _first,
) -> Iterator[Missing]:
    """Yield the requirements that are not met.

    Args:
        requires: the requirements to check.
        has_model: returns None when the weights of a model id are on disk, else what is missing.
        setting: returns the value of a variable, or None.
        choose: of alternatives that are all missing, returns the one to report; default: the best.
    """
    for module, command in requires.modules.items():
        if not has_module(module):
            yield Missing(f"Python module {module!r} is not installed", command)
    for binary, command in requires.binaries.items():
        if shutil.which(binary) is None:
            yield Missing(f"program {binary!r} is not on the PATH", command)
    for name, purpose in requires.settings.items():
        if setting(name) is None:
            yield Missing(f"{name} is not set", f"set {name} ({purpose})")
    if requires.gpu is Gpu.REQUIRED and not has_gpu():
        yield Missing("no GPU is visible", "run it on a machine with an NVIDIA GPU")
    for entry in requires.chosen_models(setting):
        absent = {model: has_model(model) for model in alternatives(entry)}
        if (missing := absent[choose(tuple(absent))]) is not None and all(absent.values()):
            yield missing
