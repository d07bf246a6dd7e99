"""Calls of observers that never fail the turn they observe."""

from __future__ import annotations

import logging
from collections.abc import Callable

from promptvision.conversations.turn import Event, Turn
from promptvision.plugins.specs import Observer

__all__ = ["guarded"]

log = logging.getLogger(__name__)


def guarded(observer: Observer, turn: Turn) -> Callable[[Event], None]:
    """A listener to the events of a turn that calls an observer and logs what it raises."""

    def notify(event: Event) -> None:
        try:
            observer(turn, event)
        except Exception:  # isolation: the turn is stored, whatever an observer does
            log.exception("observer %r failed on %s of turn %s", observer, event.kind, turn.id)

    return notify
