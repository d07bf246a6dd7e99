"""Whether the requirements of a tool are met on this machine, with these settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from promptvision.models.profiles import machine_profile, preferred
from promptvision.models.spec import ModelSpec, alternatives
from promptvision.models.weights import missing_weights
from promptvision.settings import Settings
from promptvision.tools.requirements import Missing, Requirements, missing_requirements

__all__ = ["Readiness", "Requiring"]


class Requiring(Protocol):
    """The part of a tool that the check reads."""

    @property
    def name(self) -> str:
        """Name of the tool."""

    @property
    def plugin(self) -> str:
        """Its plugin."""

    @property
    def requires(self) -> Requirements:
        """What it needs."""


T = TypeVar("T", bound=Requiring)


class Readiness(Generic[T]):
    """Checks the requirements of tools: modules, programs, variables, GPU, and weights on disk.

    Args:
        models: the admitted models, by id.
        shadowed: models that lost a clash, as ``plugin:model``, to what is wrong and the fix.
        settings: location of weights, and variables.
        is_remote: whether a tool runs on other machines; then only its settings are checked.
    """

    def __init__(
        self,
        models: Mapping[str, ModelSpec],
        shadowed: Mapping[str, Missing],
        settings: Settings,
        is_remote: Callable[[T], bool],
    ) -> None:
        self._is_remote = is_remote
        self._models = models
        self._shadowed = shadowed
        self._settings = settings

    def missing(self, tool: T) -> list[Missing]:
        """The requirements of a tool that are not met here."""
        try:
            requires = tool.requires
            if self._is_remote(tool):
                requires = Requirements(settings=requires.settings)
            return [
                *self._shadowed_models(tool),
                *missing_requirements(
                    requires,
                    has_model=self._missing_model,
                    setting=self._settings.value,
                    choose=self._choose,
                ),
            ]
        except Exception as exc:  # noqa: BLE001  # isolation: one tool must not stop the others
            what = f"the requirements of tool {tool.name!r} cannot be checked: {type(exc).__name__}: {exc}"
            return [
                Missing(what, f"correct the setting, or report it to the author of plugin {tool.plugin!r}")
            ]

    def _shadowed_models(self, tool: Requiring) -> list[Missing]:
        if not self._shadowed:
            return []
        entries = tool.requires.chosen_models(self._settings.value)
        names = [f"{tool.plugin}:{model}" for entry in entries for model in alternatives(entry)]
        return [self._shadowed[name] for name in names if name in self._shadowed]

    def _missing_model(self, model: str) -> Missing | None:
        spec = self._models.get(model)
        if spec is None:
            return Missing(
                f"model {model!r} is not declared by any plugin", "report it to the plugin's author"
            )
        absent = missing_weights(spec, self._settings)
        return Missing(absent.what, absent.fix, model, absent.bytes) if absent else None

    def _choose(self, models: Sequence[str]) -> str:
        """Of alternatives, the one that suits this machine."""
        known = [self._models[model] for model in models if model in self._models]
        return preferred(known, machine_profile()).id if known else models[0]
