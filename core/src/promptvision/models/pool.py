"""Loaded models, shared by all tools of a process and kept in memory while they fit.

A tool leases a set of models at once. The set is granted as a whole or not at all, so two tools that wait for
each other's models cannot deadlock. Lock order: load lock, then pool lock. No model is loaded, copied or
called under the pool lock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from promptvision.errors import Busy
from promptvision.instruments import Instruments
from promptvision.models import devices
from promptvision.models.accelerator import Accelerator, CudaAccelerator
from promptvision.models.grants import Check, Grants
from promptvision.models.leases import HeldLease, LeasedModels, LoadedModel
from promptvision.models.ledger import Lease, Ledger
from promptvision.models.loader import ModelLoader, RetryLease
from promptvision.models.loading import import_loader
from promptvision.models.options import LeaseOption, LeaseOptions, PeakBytes
from promptvision.models.peak_table import PeakTable
from promptvision.models.peaks import Peaks
from promptvision.models.placement import DoesNotFit, is_out_of_memory
from promptvision.models.placements import PlacementChoice, Placements, StagePlan
from promptvision.models.spec import ModelSpec, alternatives
from promptvision.models.speeds import Speeds
from promptvision.models.upcoming import Upcoming
from promptvision.models.weights import require
from promptvision.settings import Settings

__all__ = ["ModelPool"]

_WAIT_S = 120.0
_TRIES = 10
"""A lease is retried when a model is larger than declared, or when the load that it waited for failed."""

PEAKS_FILE = "model_peaks.json"
"""Name of the file of measured peaks in ``PROMPTVISION_HOME``."""

PLACEMENTS_FILE = "model_placements.json"
"""Name of the file of the last choices of placements."""


class ModelPool:
    """Loads models once and keeps them while they fit.

    Args:
        specs: model id to spec.
        settings: location of the weights; ``model_memory`` limits the memory of all models,
            ``model_host_memory`` that of copies in main memory, and ``model_headroom`` is kept free on each
            device.
        device: preferred device; default: a GPU if there is one.
        usable_bytes: returns the memory that models may use on a device, given their current use.
        wait_s: how long a lease without a ``check`` waits for memory of other leases, in seconds.
        instruments: entered around each load.
        accelerator: the GPU; default: CUDA by torch.
    """

    def __init__(
        self,
        specs: Mapping[str, ModelSpec],
        settings: Settings,
        *,
        device: str | None = None,
        usable_bytes: Callable[[str, int], int] | None = None,
        wait_s: float = _WAIT_S,
        instruments: Instruments | None = None,
        accelerator: Accelerator | None = None,
    ) -> None:
        self._specs = specs
        self._settings = settings
        self._wait_s = wait_s
        self._usable_bytes = usable_bytes or partial(
            devices.usable_bytes, headroom_bytes=settings.model_headroom
        )
        accelerator = accelerator or CudaAccelerator()
        self.speeds = Speeds()
        self.peaks = Peaks(PeakTable(settings.home / PEAKS_FILE), accelerator)
        host_limit = devices.host_limit(settings.model_host_memory)
        ledger = Ledger(self._usable_bytes, settings.model_memory, host_limit=host_limit)
        self._grants = Grants(ledger, settings, self.peaks)
        self._options = LeaseOptions(specs, settings, device)
        self._placements = Placements(
            self._grants,
            self._options,
            self.peaks,
            self.speeds,
            limit=settings.model_memory,
            host_limit=host_limit,
            path=settings.home / PLACEMENTS_FILE,
        )
        self._loader = ModelLoader(
            self._grants,
            settings,
            accelerator,
            self.peaks,
            self.speeds,
            instruments or Instruments(),
            lambda device: self.free_unused(device=device),
        )
        self._upcoming = Upcoming(self._grants, self._options, self._loader)

    @contextmanager
    def lease(
        self,
        *ids: str,
        device: str | None = None,
        compute_device: str | None = None,
        peak_bytes: PeakBytes = None,
        operation: str = "",
        shape: Sequence[int] = (),
        passes: int = 1,
        check: Check | None = None,
    ) -> Iterator[LeasedModels]:
        """Hold loaded models in a ``with`` block; arguments and errors as :meth:`acquire`."""
        held = self.acquire(
            *ids,
            device=device,
            compute_device=compute_device,
            peak_bytes=peak_bytes,
            operation=operation,
            shape=shape,
            passes=passes,
            check=check,
        )
        failed = ran_out = False
        try:
            yield held.models
        except BaseException as exc:
            failed, ran_out = True, is_out_of_memory(exc)
            raise
        finally:
            held.close(failed=failed, ran_out_of_memory=ran_out)

    def acquire(
        self,
        *ids: str,
        device: str | None = None,
        compute_device: str | None = None,
        peak_bytes: PeakBytes = None,
        operation: str = "",
        shape: Sequence[int] = (),
        passes: int = 1,
        check: Check | None = None,
    ) -> HeldLease:
        """Hold loaded models, in the order of ``ids``, all on one device, until the lease is closed.

        Args:
            ids: models that are used together. One may name alternatives, best first, such as
                ``"sam2.1-l | sam2.1-t"``: the best that is on disk and fits in memory is used, and a smaller
                one on the GPU goes before a larger one on the CPU.
            device: required device; default: the pool's device if all of them fit on it, else the CPU.
            compute_device: the device of computation, if layers are streamed there from ``device``; it
                determines the dtype, and activations are counted there. Run only private views of movable
                models (:func:`~promptvision.models.copies.private_view`): they are shared copies.
            peak_bytes: activation memory of this call, or a function that returns it for the dtype of the
                first model; default: the largest peak that the specs declare.
                Once three calls of the same kind were measured, what they used is reserved instead.
            operation: names the kind of call for the measured peaks; default: the models.
            shape: sizes of the input that determine the activation memory, such as height and width.
            passes: how often the networks run; measured seconds are for one pass.
            check: called while waiting; an exception ends the wait. The wait for memory of other leases is
                then bounded by ``check`` alone, so that a call waits until its own time limit.

        Raises:
            SetupError: an id is unknown, or weights are not downloaded; the hint is the command that pulls
                them.
            DoesNotFit: they do not fit even with every other model evicted.
            Busy: there is no ``check``, and other leases did not release memory in time.
            PluginError: the loader cannot be imported.
            ToolFailed: the loader failed. It leaves nothing behind; models evicted for it are reloaded at
                their next lease.
        """
        options = self._options.find(
            ids,
            device=device,
            compute_device=compute_device,
            peak_bytes=peak_bytes,
            operation=operation,
            shape=shape,
            passes=passes,
        )
        option, lease = self._acquire_first(options, check)
        leased = LeasedModels(lease.slots[spec.id].model for spec in option.specs)
        leased.ids = tuple(spec.id for spec in option.specs)
        self.peaks.begin(lease, option)
        is_second = lease.device == "cpu" and any("cuda" in one.targets for one in options)
        end = partial(self._end, lease, option, time.monotonic())
        return HeldLease(leased, lease.reserved, is_second, end)

    def announce(self, plan: object, ids: Iterable[str]) -> None:
        """Announce what a plan needs next: it is evicted last, and loaded while the GPU has free memory.

        Args:
            plan: identifies the plan; its earlier announcement is replaced.
            ids: models, soonest first; each may name alternatives. Without any, the plan is withdrawn.
        """
        self._upcoming.announce(plan, ids)

    def choose_placement(self, plans: Sequence[StagePlan]) -> PlacementChoice:
        """Where the weights of a pipeline go, by free memory and measured speeds.

        Args:
            plans: the stages of the pipeline, in their order.

        Raises:
            SetupError: a model is not known.
        """
        return self._placements.choose(plans)

    def placements(self) -> dict[str, PlacementChoice]:
        """The last choice of each pipeline, by its models."""
        return self._placements.choices()

    @property
    def specs(self) -> Mapping[str, ModelSpec]:
        """The models that may be leased, by id."""
        return self._specs

    def loaded(self) -> list[LoadedModel]:
        """The models in memory, least recently used first."""
        with self._grants.changed:
            return [
                LoadedModel(
                    id=slot.spec.id,
                    device=slot.device,
                    dtype=slot.dtype,
                    bytes=slot.bytes,
                    leases=slot.leases,
                    load_s=slot.load_s,
                )
                for slot in self._grants.ledger.slots()
                if slot.is_ready
            ]

    def free_unused(self, ids: Collection[str] = (), *, device: str | None = None) -> int:
        """Drop models without a lease.

        Args:
            ids: only these; default: all. One may name alternatives.
            device: only on this device; default: on all.

        Returns:
            The number of freed bytes.
        """
        freed = self._grants.evict({id_ for entry in ids for id_ in alternatives(entry)}, device)
        devices.release_cached()
        return freed

    def close(self) -> None:
        """Drop all models; leased ones when they are released. New leases are refused."""
        has_models = self._grants.close()
        self._upcoming.close()
        self.peaks.close()
        if has_models:  # else there is nothing to collect, which takes long in a large process
            self.free_unused()

    def _acquire_first(self, options: list[LeaseOption], check: Check | None) -> tuple[LeaseOption, Lease]:
        """A lease of the first set that fits."""
        for option in options[:-1]:
            try:
                return option, self._acquire(option, check)
            except DoesNotFit:
                continue
        return options[-1], self._acquire(options[-1], check)

    def _acquire(self, option: LeaseOption, check: Check | None) -> Lease:
        for spec in self._grants.unloaded(option):  # before anything is evicted
            require(spec, self._settings)
            import_loader(spec)
        deadline = math.inf if check else time.monotonic() + self._wait_s
        for _ in range(_TRIES):
            lease = self._grants.wait(option, deadline, check)
            try:
                self._loader.fill(lease, check)
            except RetryLease:
                pass  # released below, once the traceback no longer holds what was loaded
            except BaseException:
                self._grants.release(lease)
                raise
            else:
                return lease
            self._grants.release(lease)
        raise Busy(f"{option.names}: could not be loaded together in {_TRIES} tries", retry_after_s=10)

    def _end(
        self, lease: Lease, option: LeaseOption, started: float, failed: bool, ran_out_of_memory: bool
    ) -> None:
        if option.operation and not failed:
            seconds = (time.monotonic() - started) / max(1, option.passes)
            self.speeds.add_pass(self.peaks.key(option, lease.slots), seconds)
        self.peaks.end(lease, ran_out_of_memory=ran_out_of_memory)
        self._grants.release(lease)
