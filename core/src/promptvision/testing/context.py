"""Run one tool in a test, with real parts and in-memory stores."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.images.store import ImageStore
from promptvision.models.pool import ModelPool
from promptvision.models.spec import ModelSpec
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import CallContext, Progress
from promptvision.runtime.image_cache import ImageCache
from promptvision.runtime.stage_cache import StageCache
from promptvision.runtime.stage_files import StageFiles
from promptvision.runtime.worker import Worker
from promptvision.settings import Settings
from promptvision.tools.artifacts import image_fields
from promptvision.tools.decorator import ToolLike, as_tool
from promptvision.tools.tool import Tool

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["make_context", "make_worker", "run_tool"]


def make_context(
    *,
    models: Iterable[ModelSpec] = (),
    variables: dict[str, Any] | None = None,
    home: Path | None = None,
    seed: int = 0,
    cancel: CancelToken | None = None,
    deadline: float | None = None,
    on_progress: Progress | None = None,
) -> CallContext:
    """A context for tool calls, the same class that the agent uses, over stores in memory.

    Args:
        models: model specs that the tool may lease.
        variables: settings by variable name, such as ``{"PROMPTVISION_MODEL_SAM2_1_L": path}``.
        home: ``PROMPTVISION_HOME``; needed by tools with weights, and to keep stages on disk.
        seed: the seed that the tool sees.
        cancel: set it to stop the tool at its next check point.
        deadline: ``time.monotonic()`` by which the call must end.
        on_progress: called with done, total and a message.
    """
    values = dict(variables or {})
    if home is not None:
        values["PROMPTVISION_HOME"] = str(home)
    settings = Settings.from_mapping(values)
    files = StageFiles(settings.cache_home, settings.cache_disk) if home is not None else None
    return CallContext(
        images=ImageCache(MemoryImageStore()),
        pool=ModelPool({spec.id: spec for spec in models}, settings),
        settings=settings,
        seed=seed,
        cancel=cancel,
        deadline=deadline,
        on_progress=on_progress,
        stages=StageCache(settings.cache_memory, files),
        plugin="test",
    )


def make_worker(
    settings: Settings | None = None, *, tools: Iterable[Tool] = (), images: ImageStore | None = None
) -> Worker:
    """A worker of this process.

    Args:
        settings: default: the defaults of the class.
        tools: the tools that calls may name.
        images: default: in memory.
    """
    settings = settings or Settings()
    named = {tool.name: tool for tool in tools}
    return Worker(settings, images or MemoryImageStore(), ModelPool({}, settings), named)


def run_tool(
    tool: ToolLike,
    image: Image | None = None,
    /,
    *,
    context: CallContext | None = None,
    **args: Any,
) -> Any:
    """Run a tool once, as the agent does: validate arguments, release leases, check the result.

    Args:
        tool: the tool or decorated function to run.
        image: the value of the first image argument.
        context: default: a fresh :func:`make_context`.
        args: further arguments, by name.

    Returns:
        The result model of the tool.
    """
    tool = as_tool(tool)
    context = context or make_context()
    if image is not None:
        args[image_fields(tool.args)[0]] = context.save(image, kind="input")
    with context:
        result = tool.load()(tool.args.model_validate(args), context)
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
    if not isinstance(result, tool.result):
        raise TypeError(f"tool {tool.name!r} returned {type(result).__name__}, not {tool.result.__name__}")
    return result
