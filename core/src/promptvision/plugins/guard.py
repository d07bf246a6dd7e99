"""Run a plugin's code at load: with a time limit, without output on stdout, and whatever it raises."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stdout

__all__ = ["GIVE_UP_S", "WARN_S", "run_guarded"]

log = logging.getLogger(__name__)

WARN_S = 2.0
"""A plugin that loads for longer is named in a warning."""
GIVE_UP_S = 10.0
"""A plugin that loads for longer is given up; its thread is left behind."""


def run_guarded(work: Callable[[], None], label: str) -> None:
    """Run some code of a plugin in a thread, with what it prints sent to stderr.

    A thread makes the time limit possible, and distinguishes a ``KeyboardInterrupt`` that a plugin
    raises from the user's Ctrl-C, which reaches the main thread.

    Args:
        work: what to run.
        label: distribution and version, for the warning.

    Raises:
        TimeoutError: it takes longer than :data:`GIVE_UP_S`.
        BaseException: whatever the code raises.
    """
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as exc:  # noqa: BLE001  # isolation: handed to the caller below
            raised.append(exc)

    thread = threading.Thread(target=run, name=f"load {label}", daemon=True)
    with redirect_stdout(sys.stderr):
        thread.start()
        thread.join(WARN_S)
        if thread.is_alive():
            log.warning("%s has been loading for %g s; waiting for up to %g s", label, WARN_S, GIVE_UP_S)
            thread.join(max(GIVE_UP_S - WARN_S, 0))
    if thread.is_alive():
        raise TimeoutError(f"it was not loaded within {GIVE_UP_S:g} s")
    if raised:
        raise raised[0]
