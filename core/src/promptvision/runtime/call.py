"""One tool call and its output, as objects and as data."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from promptvision.errors import ArgumentsError, SetupError, ToolFailed
from promptvision.runtime.context import SavedImage
from promptvision.tools.tool import Args, RemoteResult, Result, Tool
from promptvision.types import ImageRef

__all__ = ["PROTOCOL", "Call", "CallData", "CallOutput", "OutputData", "image_ids_of"]

PROTOCOL = 3
"""Version of the messages between processes. It is incremented with each incompatible change."""


class CallData(BaseModel):
    """A call as JSON, for another process.

    Args:
        protocol: :data:`PROTOCOL` of the sender.
        tool, plugin, version: the tool to run, its plugin, and the version of the plugin's distribution.
        arguments: the argument model as JSON; images by id.
        image_ids: the images among the arguments, which the worker reads from the image store.
        seed: for anything random.
        parent: id of the image that the call works on.
        timeout_s: remaining time of the call in seconds.
        limit_s: how long the tool may run, in seconds, without the time the call waited before.
        settings: digest of the sender's settings.
        headers: W3C headers with which the worker continues the trace of the step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: int
    tool: str
    plugin: str
    version: str
    arguments: dict[str, Any]
    image_ids: tuple[str, ...] = ()
    seed: int
    parent: str | None = None
    timeout_s: float = Field(gt=0)
    limit_s: float | None = Field(None, gt=0)
    settings: str = ""
    headers: dict[str, str] = Field(default_factory=dict, max_length=16)


class OutputData(BaseModel):
    """The output of a call as JSON, for another process.

    Args:
        result: the result model as JSON; images by id.
        saved: the images that the call made, in order.
        summary: the result in one sentence.
        models: ids of the models that it used.
        notes: how it ran, such as on which device and why.
        is_degraded: whether the result differs from what the call would give otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    result: dict[str, Any]
    saved: tuple[SavedImage, ...] = ()
    summary: str = ""
    models: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_degraded: bool = False


@dataclass(frozen=True, kw_only=True)
class Call:
    """One tool call, with the tool and the arguments as objects of this process; see :meth:`to_data`.

    Args:
        tool: the tool to run. args: its validated arguments.
        seed: for anything random.
        parent: id of the image that the call works on.
        deadline: ``time.monotonic()`` by which the call must end.
        limit_s: how long the tool may run, in seconds, without the time the call waited before.
        headers: W3C headers with which another process continues the trace of the step.
        user: whose step it is, for the queue in front of the executor; not part of the data.
    """

    tool: Tool
    args: Args
    seed: int
    parent: str | None
    deadline: float
    limit_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    user: str = ""

    @property
    def label(self) -> str:
        """The plugin and the tool, for messages."""
        return f"{self.tool.plugin}: tool {self.tool.name!r}"

    def to_data(self, settings_digest: str = "") -> CallData:
        """The call as data.

        Args:
            settings_digest: digest of the settings that the worker must have.
        """
        return CallData(
            protocol=PROTOCOL,
            tool=self.tool.name,
            plugin=self.tool.plugin,
            version=self.tool.version,
            arguments=self.args.model_dump(mode="json"),
            image_ids=image_ids_of(self.args),
            seed=self.seed,
            parent=self.parent,
            timeout_s=max(0.001, self.deadline - time.monotonic()),
            limit_s=self.limit_s,
            settings=settings_digest,
            headers=dict(self.headers),
        )

    @classmethod
    def from_data(cls, data: CallData, tools: Mapping[str, Tool], settings_digest: str = "") -> Self:
        """The call that another process sent.

        Args:
            data: the received call.
            tools: the tools of this process by name, shadowed ones by qualified name.
            settings_digest: digest of the settings of this process.

        Raises:
            SetupError: the two processes have different versions or settings.
            ArgumentsError: the arguments do not fit the tool's model.
            ToolFailed: the tool does not accept these arguments.
        """
        tool = _find_tool(data, tools)
        if data.settings != settings_digest:
            raise SetupError(
                "worker: its settings differ from those of the process that sent the call",
                hint="restart the workers",
            )
        try:
            args = tool.args.model_validate(data.arguments)
        except ValidationError as exc:
            problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in exc.errors()]
            raise ArgumentsError(problems) from exc
        if tool.accepts is not None and not tool.accepts(args):
            raise ToolFailed(f"{tool.plugin}: tool {tool.name!r}: {tool.limits or 'wrong arguments'}")
        return cls(
            tool=tool,
            args=args,
            seed=data.seed,
            parent=data.parent,
            deadline=time.monotonic() + data.timeout_s,
            limit_s=data.limit_s,
            headers=data.headers,
        )


@dataclass(frozen=True)
class CallOutput:
    """What a call returned, the images it made, in order, the ids of the models it used, and how it ran."""

    result: Result
    saved: tuple[SavedImage, ...]
    models: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_degraded: bool = False
    """Whether the result differs from what the call would give otherwise, such as for want of memory."""

    def to_data(self) -> OutputData:
        """The output as data."""
        result = self.result.model_dump(mode="json")
        return OutputData(
            result=result,
            saved=self.saved,
            summary=self.result.summary(),
            models=self.models,
            notes=self.notes,
            is_degraded=self.is_degraded,
        )

    @classmethod
    def from_data(cls, data: OutputData, tool: Tool) -> Self:
        """The output of a tool that another process sent."""
        result = tool.result.model_validate(data.result)
        if isinstance(result, RemoteResult):
            result.keep_summary(data.summary)
        return cls(result, data.saved, data.models, data.notes, data.is_degraded)


def image_ids_of(args: Args) -> tuple[str, ...]:
    """Ids of the images among the arguments, each once, lists included."""
    ids: dict[str, None] = {}
    for value in vars(args).values():
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, ImageRef):
                ids[item.id] = None
    return tuple(ids)


def _find_tool(data: CallData, tools: Mapping[str, Tool]) -> Tool:
    if data.protocol != PROTOCOL:
        raise SetupError(
            f"worker: it speaks version {PROTOCOL} of the call protocol, and the call has version "
            f"{data.protocol}",
            hint="install the same version of promptvision for the server and its workers",
        )
    tool = tools.get(data.tool)
    if tool is None or tool.plugin != data.plugin:
        tool = tools.get(f"{data.plugin}:{data.tool}")
    if tool is None:
        raise SetupError(
            f"worker: it has no tool {data.tool!r} of plugin {data.plugin!r}",
            hint="install the plugin where the worker runs",
        )
    if tool.version != data.version:
        raise SetupError(
            f"worker: plugin {tool.plugin!r} has version {tool.version} there, and the call was made for "
            f"{data.version}",
            hint="install the same version for the server and its workers, and restart both",
        )
    return tool
