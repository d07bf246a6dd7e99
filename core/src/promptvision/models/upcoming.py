"""What running plans need next: evicted last, and loaded in the background while memory is free."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from promptvision.errors import PromptvisionError
from promptvision.models.devices import choose_dtype
from promptvision.models.grants import Grants
from promptvision.models.loader import ModelLoader, RetryLease
from promptvision.models.options import LeaseOptions
from promptvision.models.placement import is_out_of_memory
from promptvision.models.slot import HOST
from promptvision.models.spec import ModelSpec, alternatives

__all__ = ["Upcoming"]

logger = logging.getLogger(__name__)

_MAX_PLANS = 1000


class Upcoming:
    """The announcements of plans, and one thread that loads what they name. Safe across threads.

    Only a GPU is filled ahead: on the CPU a load would slow down the computation that runs. Nothing is
    evicted for it, and the memory of running calls stays free. Once a model does not fit, those that are
    needed later are only loaded to main memory: on the GPU they would be evicted for it before their use.

    Args:
        grants: the ledger behind its lock.
        options: knows the specs and the preferred device.
        loader: loads.
    """

    def __init__(self, grants: Grants, options: LeaseOptions, loader: ModelLoader) -> None:
        self._grants = grants
        self._options = options
        self._loader = loader
        self._lock = threading.Lock()
        self._plans: dict[object, tuple[str, ...]] = {}
        self._queue: dict[str, None] = {}
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._is_gpu_full = False

    def announce(self, plan: object, ids: Iterable[str]) -> None:
        """Replace what a plan needs next; see :meth:`~promptvision.models.pool.ModelPool.announce`."""
        wanted = tuple(dict.fromkeys(ids))
        if not wanted and plan not in self._plans:
            return
        with self._lock:
            if self._plans.get(plan, ()) == wanted:
                return
            self._plans.pop(plan, None)
            if wanted and len(self._plans) < _MAX_PLANS:
                self._plans[plan] = wanted
            needed = self._soonest_first()
            self._queue = dict.fromkeys(needed)
            self._is_gpu_full = False
            self._grants.announce([id_ for entry in needed for id_ in alternatives(entry)])
            if needed and self._thread is None and not self._is_closed and self._options.may_have_gpu():
                self._thread = threading.Thread(target=self._run, name="model-prefetch", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop loading; a load that has begun is finished."""
        with self._lock:
            self._is_closed = True
            self._queue.clear()

    def join(self, timeout_s: float) -> None:
        """Wait until everything that is wanted was tried."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _soonest_first(self) -> list[str]:
        """The models of all plans: the first of each plan, then the second of each, and so on."""
        longest = max(map(len, self._plans.values()), default=0)
        ranked = (ids[rank] for rank in range(longest) for ids in self._plans.values() if rank < len(ids))
        return list(dict.fromkeys(ranked))

    def _run(self) -> None:
        while (entry := self._next()) is not None:
            try:
                self._load(self._options.usable(entry)[0])
            except PromptvisionError as exc:
                logger.debug("%s is not loaded ahead: %s", entry, exc)
            except Exception as exc:
                if not is_out_of_memory(exc):
                    logger.exception("%s could not be loaded ahead", entry)

    def _next(self) -> str | None:
        with self._lock:
            entry = next(iter(self._queue), None)
            if entry is None:
                self._thread = None
            else:
                del self._queue[entry]
            return entry

    def _load(self, spec: ModelSpec) -> None:
        """To the GPU if there is free memory for it, else to main memory if it can be copied from there."""
        if "cuda" not in spec.dtypes or self._options.best_device() != "cuda":
            return
        dtype = choose_dtype(spec.dtypes, "cuda")
        devices = ["cuda", HOST] if spec.movable else ["cuda"]
        if self._is_gpu_full:
            devices.remove("cuda")
        for device in devices:
            held = self._grants.try_hold(spec, device, dtype)
            if held is None:
                self._is_gpu_full |= device == "cuda"
                continue
            try:
                self._loader.fill(held, None, may_free=False)
            except RetryLease:
                continue
            finally:
                self._grants.release(held)
            return
