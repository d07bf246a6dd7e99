"""Make a tool ready on a node: pull its weights once, and check its other requirements."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from promptvision.plugin import (
    Busy,
    Missing,
    SetupError,
    alternatives,
    missing_requirements,
    missing_weights,
    pull,
)

if TYPE_CHECKING:
    from promptvision.plugin import CancelToken, ModelSpec, Settings, Worker

__all__ = ["prepare_tool"]

PAUSE_S = 1.0
"""Pause between checks while another process of the node pulls the same weights."""


def prepare_tool(
    worker: Worker, call: dict[str, Any], cancel: CancelToken, send: Callable[[dict[str, Any]], None]
) -> None:
    """Pull the weights of a call's tool if this node has none, and check its requirements.

    Args:
        worker: the worker of this process.
        call: the call as JSON.
        cancel: ends the download.
        send: called with the messages of its progress.

    Raises:
        SetupError: a requirement is not met on this node.
        Cancelled: cancellation was requested.
    """
    tool = worker.tools.get(f"{call['plugin']}:{call['tool']}") or worker.tools.get(call["tool"])
    if tool is None:
        return  # the worker reports it
    settings, specs = worker.settings, worker.pool.specs

    def report(done: int, total: int, name: str) -> None:
        cancel.check()
        send({"type": "progress", "done": done, "total": total, "message": f"downloading {name}"})

    def has_model(model: str) -> Missing | None:
        absent = missing_weights(specs[model], settings) if model in specs else None
        return Missing(absent.what, absent.fix, model, absent.bytes) if absent else None

    for entry in tool.requires.chosen_models(settings.value):
        named = [specs[model] for model in alternatives(entry) if model in specs]
        if named and all(missing_weights(spec, settings) for spec in named):
            _pull_once(named, settings, cancel, report)
    for missing in missing_requirements(tool.requires, has_model=has_model, setting=settings.value):
        raise SetupError(f"{tool.plugin}: tool {tool.name!r}: {missing.what} on this node", hint=missing.fix)


def _pull_once(
    specs: Sequence[ModelSpec],
    settings: Settings,
    cancel: CancelToken,
    report: Callable[[int, int, str], None],
) -> None:
    """Pull the best of the alternatives; if another process of this node pulls it, wait for that one."""
    while True:
        try:
            pull(specs[0], settings, report)
        except Busy:
            cancel.check()
            time.sleep(PAUSE_S)
        else:
            return
