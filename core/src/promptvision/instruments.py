"""Instruments: hooks that plugins attach around activities of a process, to trace, measure or log them.

An activity is a turn, a planner request, a step, a tool run, a model load, a store call or an HTTP request.
Without instruments no activity is created.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import TracebackType
from typing import Any, ParamSpec, Protocol, TypeVar, cast

__all__ = ["Activity", "Instrument", "Instruments", "StoreActivity", "instrument_store"]

log = logging.getLogger(__name__)

A = TypeVar("A", bound="Activity")
P = ParamSpec("P")
S = TypeVar("S")
_NOTHING = nullcontext()


class Activity:
    """Base class of activities; the subclasses document which fields are set when."""


class Instrument(Protocol):
    """Attached around activities by a plugin. Its methods may be called from any thread."""

    def around(self, activity: Activity) -> AbstractContextManager[object]:
        """A context manager that is entered before an activity and left after it.

        Its ``__exit__`` gets the error of the activity, if there is one. Context variables that it sets apply
        to all activities inside, in tasks and threads too. It must not block. If it raises, the error is
        logged and the activity continues. It cannot suppress the error of the activity.
        """

    def headers(self) -> Mapping[str, str]:
        """Headers that connect activities of another process to the current one, such as ``traceparent``."""

    def close(self) -> None:
        """Deliver pending data and release connections. May block for a few seconds."""


class Instruments:
    """All instruments of a process.

    Args:
        instruments: in the order in which they are entered.
    """

    def __init__(self, instruments: Sequence[Instrument] = ()) -> None:
        self._instruments = tuple(instruments)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._instruments)

    def around(
        self, kind: Callable[P, A], *args: P.args, **kwargs: P.kwargs
    ) -> AbstractContextManager[A | None]:
        """A context manager that enters all instruments and logs their errors.

        Args:
            kind: the class of the activity.
            args: its arguments.
            kwargs: likewise.

        Returns:
            A context manager that yields the activity; None if there are no instruments.
        """
        if not self._instruments:
            return _NOTHING
        activity = kind(*args, **kwargs)
        if len(self._instruments) == 1:
            return _Guard(self._instruments[0], activity)
        return _around(self._instruments, activity)

    def headers(self) -> dict[str, str]:
        """Headers that connect activities of another process to the current one."""
        found: dict[str, str] = {}
        for instrument in self._instruments:
            try:
                found.update(instrument.headers())
            except Exception:  # isolation: an instrument must not prevent a call
                log.exception("instrument %r failed", instrument)
        return found

    def close(self) -> None:
        """Close all instruments."""
        for instrument in self._instruments:
            try:
                instrument.close()
            except Exception:  # isolation: close the others too
                log.exception("instrument %r failed", instrument)


@contextmanager
def _around(instruments: Sequence[Instrument], activity: A) -> Iterator[A]:
    with ExitStack() as stack:
        for instrument in instruments:
            stack.enter_context(_Guard(instrument, activity))
        yield activity


class _Guard(AbstractContextManager[A]):
    """Enters and leaves one instrument, and logs its errors."""

    def __init__(self, instrument: Instrument, activity: A) -> None:
        self._instrument = instrument
        self._activity = activity
        self._entered: AbstractContextManager[object] | None = None

    def __enter__(self) -> A:
        try:
            entered = self._instrument.around(self._activity)
            entered.__enter__()
            self._entered = entered
        except Exception:  # isolation: an instrument must not stop an activity
            log.exception("instrument %r failed before %s", self._instrument, type(self._activity).__name__)
        return self._activity

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._entered is None:
            return
        try:
            self._entered.__exit__(kind, error, traceback)
        except Exception as exc:  # isolation: as above; a generator raises the error of the activity again
            if exc is not error:
                name = type(self._activity).__name__
                log.exception("instrument %r failed after %s", self._instrument, name)


class StoreActivity(Activity):
    """One call of a store.

    Args:
        store: ``images`` or ``conversations``.
        method: such as ``put``.
    """

    def __init__(self, store: str, method: str) -> None:
        self.store = store
        self.method = method


def instrument_store(store: S, name: str, instruments: Instruments) -> S:
    """A store whose calls are activities; the store itself if there are no instruments."""
    return cast("S", _InstrumentedStore(store, name, instruments)) if instruments else store


class _InstrumentedStore:
    """A proxy that makes an activity of each call of a store."""

    def __init__(self, store: object, name: str, instruments: Instruments) -> None:
        self._store = store
        self._name = name
        self._instruments = instruments

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._store, name)
        if name.startswith("_") or not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            with self._instruments.around(StoreActivity, self._name, name):
                return value(*args, **kwargs)

        return call
