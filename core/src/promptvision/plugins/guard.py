"""Run a plugin's code at load time, with a time limit and with stdout redirected to stderr."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stdout

__all__ = ["GIVE_UP_S", "WARN_S", "run_guarded"]

log = logging.getLogger(__name__)

WARN_S = 2.0
"""Loading time after which a warning names the plugin."""
GIVE_UP_S = 10.0
"""Loading time after which a plugin is abandoned; its thread keeps running."""


def run_guarded(work: Callable[[], None], label: str) -> None:
    """Run code of a plugin in a thread, with its output redirected to stderr.

    The thread allows a time limit, and distinguishes a ``KeyboardInterrupt`` raised by a plugin from the
    user's Ctrl-C, which reaches the main thread.

    Args:
        work: the function to run.
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
