"""The sets of models that fulfil a lease, and the devices on which each may run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from promptvision.errors import SetupError, ToolFailed
from promptvision.models import devices
from promptvision.models.profiles import machine_profile, preferred
from promptvision.models.spec import ModelSpec, alternatives
from promptvision.models.weights import locate
from promptvision.settings import Settings

__all__ = ["LeaseOption", "LeaseOptions", "PeakBytes"]

PeakBytes = int | Callable[[str], int] | None
"""Bytes, or a function that returns them for the name of a dtype."""


@dataclass(frozen=True, kw_only=True)
class LeaseOption:
    """One set of models that fulfils a lease.

    Args:
        specs: the models, in the order in which the caller named them.
        targets: devices, best first.
        compute_device: the device of computation, if it differs from that of the weights.
        peak_bytes: activation memory of the call, or a function of the dtype of the first model; None for
            what the specs declare.
        operation: names the call in the table of measured peaks; default: its models.
        shape: sizes of the input that determine the activation memory, such as height and width.
        passes: how often the networks run; measured seconds are for one pass.
    """

    specs: tuple[ModelSpec, ...]
    targets: list[str]
    compute_device: str | None
    peak_bytes: PeakBytes
    operation: str = ""
    shape: tuple[int, ...] = ()
    passes: int = 1

    @property
    def names(self) -> str:
        """The models, for messages."""
        return ", ".join(repr(spec.id) for spec in self.specs)


class LeaseOptions:
    """Finds the options of a lease.

    Args:
        specs: model id to spec.
        settings: location of the weights.
        device: preferred device; default: a GPU if there is one.
    """

    def __init__(self, specs: Mapping[str, ModelSpec], settings: Settings, device: str | None) -> None:
        self._specs = specs
        self._settings = settings
        self._device = device

    def find(
        self,
        ids: Sequence[str],
        *,
        device: str | None,
        compute_device: str | None,
        peak_bytes: PeakBytes,
        operation: str = "",
        shape: Sequence[int] = (),
        passes: int = 1,
    ) -> list[LeaseOption]:
        """The options, best first: a smaller model on the GPU goes before a larger one on the CPU.

        Args:
            ids: models, or alternatives of a model.
            device: required device; None for the preferred one, then the CPU.
            compute_device: as in :class:`LeaseOption`.
            peak_bytes: as in :class:`LeaseOption`.
            operation: as in :class:`LeaseOption`.
            shape: as in :class:`LeaseOption`.
            passes: as in :class:`LeaseOption`.

        Raises:
            SetupError: an id is not known.
            ToolFailed: the models have no device in common.
        """
        sets = list(itertools.product(*map(self.usable, ids)))
        found = [
            LeaseOption(
                specs=specs,
                targets=self._targets(specs, device),
                compute_device=compute_device,
                peak_bytes=peak_bytes,
                operation=operation,
                shape=tuple(shape),
                passes=passes,
            )
            for specs in sets
        ]
        if len(found) == 1:
            return found
        single = [replace(option, targets=[target]) for option in found for target in option.targets]
        return sorted(single, key=lambda option: option.targets == ["cpu"])

    def best_device(self) -> str:
        """The preferred device, else a GPU if there is one, else the CPU."""
        return self._device or devices.best_device(("cuda", "cpu"))

    def may_have_gpu(self) -> bool:
        """Whether :meth:`best_device` can be a GPU; does not import torch."""
        return self._device == "cuda" or (self._device is None and devices.has_gpu())

    def spec(self, id_: str) -> ModelSpec:
        """The spec of a model.

        Raises:
            SetupError: the id is not known.
        """
        try:
            return self._specs[id_]
        except KeyError:
            known = ", ".join(sorted(self._specs)) or "none"
            raise SetupError(f"model {id_!r} is not known here; known: {known}") from None

    def usable(self, entry: str) -> list[ModelSpec]:
        """The alternatives of one entry that are on disk, best first; if none is, the one to pull.

        Raises:
            SetupError: no alternative is known.
        """
        ids = alternatives(entry)
        if len(ids) == 1:
            return [self.spec(entry)]
        known = [self._specs[id_] for id_ in ids if id_ in self._specs]
        present = [spec for spec in known if locate(spec, self._settings) is not None]
        return present or [preferred(known, machine_profile()) if known else self.spec(ids[0])]

    def _targets(self, specs: Sequence[ModelSpec], device: str | None) -> list[str]:
        """Devices that all the models run on, best first."""
        common = [name for name in ("cuda", "cpu") if all(name in spec.dtypes for spec in specs)]
        best = device or self._device or devices.best_device(common)
        wanted = [best] if device else [best, "cpu"]
        targets = [name for name in dict.fromkeys(wanted) if name in common]
        if not targets:
            names = ", ".join(repr(spec.id) for spec in specs)
            raise ToolFailed(f"{names}: cannot run together on {device or 'any device of this machine'}")
        return targets
