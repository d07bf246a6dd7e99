"""Call observers without letting them fail the turn."""

from __future__ import annotations

import logging
from collections.abc import Callable

from promptvision.conversations.turn import Event, Turn
from promptvision.plugins.specs import Observer

__all__ = ["guarded"]

log = logging.getLogger(__name__)


def guarded(observer: Observer, turn: Turn) -> Callable[[Event], None]:
    """An event listener that calls an observer and logs its exceptions."""

    def notify(event: Event) -> None:
        try:
            observer(turn, event)
        except Exception:  # isolation: the turn is stored, whatever an observer does
            log.exception("observer %r failed on %s of turn %s", observer, event.kind, turn.id)

    return notify
