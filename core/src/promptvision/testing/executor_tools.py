"""Tools that exercise an executor, and tools that crash the process they run in."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from promptvision import errors
from promptvision.plugins.specs import hookimpl
from promptvision.testing.program import write_plugin
from promptvision.tools.context import ToolContext
from promptvision.tools.tool import Args, Operation, Result, Tool
from promptvision.types import ImageRef

__all__ = ["TRIAL", "TrialArgs", "TrialResult", "install_trial_plugin", "promptvision_tools", "trial_tools"]

log = logging.getLogger(__name__)


class TrialArgs(Args):
    """Arguments of every tool here.

    Args:
        image_url: an image to work on.
        text: its meaning depends on the tool.
        seed: for anything random.
    """

    image_url: ImageRef | None = None
    text: str = ""
    seed: int | None = None


class TrialResult(Result):
    """Result of every tool here.

    Args:
        made_url: the image that the tool made.
        seed_used: the seed that the tool got.
        process: id of the process that it ran in.
        text: output of the tool.
    """

    made_url: ImageRef | None = None
    seed_used: int = 0
    process: int = 0
    text: str = ""


class _Jam(Exception):
    """An exception that only this module knows."""


def _echo(args: TrialArgs, context: ToolContext) -> TrialResult:
    return TrialResult(seed_used=context.seed, process=os.getpid(), text=args.text)


def _invert(args: TrialArgs, context: ToolContext) -> TrialResult:
    from PIL import ImageChops

    assert args.image_url is not None
    made = context.save(ImageChops.invert(context.open(args.image_url)))
    return TrialResult(made_url=made, process=os.getpid())


def _report(args: TrialArgs, context: ToolContext) -> TrialResult:
    for done in range(1, 4):
        context.progress(done, 3, f"part {done}")
    log.warning("reported %s", args.text)
    print(args.text)  # noqa: T201  # must not be parsed as an answer
    return TrialResult(text=args.text)


def _fail(args: TrialArgs, context: ToolContext) -> TrialResult:
    """Raise the error named by the text."""
    made: dict[str, Callable[[], Exception]] = {
        "ToolFailed": lambda: errors.ToolFailed("no film", hint="buy some"),
        "StopTurn": lambda: errors.StopTurn("enough for today"),
        "ArgumentsError": lambda: errors.ArgumentsError(["text: too long"]),
        "SetupError": lambda: errors.SetupError("no camera", hint="plug it in"),
        "StoreError": lambda: errors.StoreError("the store is down", retryable=True),
        "Busy": lambda: errors.Busy("too much to do", retry_after_s=3),
        "ValueError": lambda: ValueError("odd"),
        "KeyError": lambda: KeyError("x"),
        "MemoryError": lambda: MemoryError("out of memory"),
        "_Jam": lambda: _Jam("paper"),
    }
    raise made[args.text]()


def _wait(args: TrialArgs, context: ToolContext) -> TrialResult:
    """Wait until cancelled."""
    context.progress(0, 1, "waiting")
    while True:
        context.check_cancelled()
        time.sleep(0.001)


async def _wait_async(args: TrialArgs, context: ToolContext) -> TrialResult:
    """Wait until cancelled, without a check point."""
    context.progress(0, 1, "waiting")
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


def _return_nothing(args: TrialArgs, context: ToolContext) -> Any:
    return None


def _segfault(args: TrialArgs, context: ToolContext) -> TrialResult:
    ctypes.string_at(0)
    raise AssertionError("unreachable")


def _exit(args: TrialArgs, context: ToolContext) -> TrialResult:
    os._exit(3)


def _exhaust(args: TrialArgs, context: ToolContext) -> TrialResult:
    """Allocate memory until none is left."""
    eaten: list[bytearray] = []
    while True:
        eaten.append(bytearray(16 * 2**20))


def _ignore(args: TrialArgs, context: ToolContext) -> TrialResult:
    """Never return, even if cancelled."""
    context.progress(0, 1, "ignoring")
    while True:
        time.sleep(60)


def _segfault_once(args: TrialArgs, context: ToolContext) -> TrialResult:
    """Crash unless the file named by the text exists."""
    mark = Path(args.text)
    if not mark.exists():
        mark.touch()
        _segfault(args, context)
    return TrialResult(text="second time")


def _hold(args: TrialArgs, context: ToolContext) -> TrialResult:
    """Note the call in a file, and return when another file exists; the text is ``file:number``."""
    file, _, number = args.text.rpartition(":")
    with Path(file).open("a") as notes:
        notes.write(f"{number}\n")
    while not Path(f"{file}.end").exists():
        context.check_cancelled()
        time.sleep(0.01)
    return TrialResult(process=os.getpid(), text=number)


def _lose_device(args: TrialArgs, context: ToolContext) -> TrialResult:
    raise RuntimeError(f"CUDA error: an illegal memory access was encountered in process {os.getpid()}")


def _operation(name: str) -> Operation:
    description = f"Try {name.replace('_', ' ')}."
    return Operation(name=name, description=description, args=TrialArgs, result=TrialResult)


TRIAL = _operation("trial")
"""The operation of one tool that crashes and of its fallback tool."""

_RUNS: tuple[Callable[..., Any], ...] = (
    *(_echo, _invert, _report, _fail, _wait, _wait_async, _return_nothing),
    *(_segfault, _exit, _exhaust, _ignore, _segfault_once, _hold, _lose_device),
)


def trial_tools() -> dict[str, Tool]:
    """The tools by name, each with its own operation, as in the registry."""
    return {tool.name: tool.owned_by("trial", "1.0") for tool in promptvision_tools()}


@hookimpl
def promptvision_tools() -> Iterable[Tool]:
    """All tools of this module."""
    tools = [
        Tool(name=name, operation=_operation(name), run=run)
        for run in _RUNS
        for name in [f"trial{run.__name__}"]
    ]
    crashing = Tool(name="trial_best", operation=TRIAL, run=_segfault, priority=90)
    return [*tools, crashing, Tool(name="trial_fallback", operation=TRIAL, run=_echo, priority=10)]


def install_trial_plugin(folder: Path) -> Path:
    """Write a distribution ``promptvision-trial`` with these tools; return the folder to import from."""
    return write_plugin(folder, "trial", f"from {__name__} import promptvision_tools\n")
