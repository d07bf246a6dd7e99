"""Hook implementations of promptvision-ray."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptvision.plugin import Command, ExecutorFactory, Finding, Section, Settings, hookimpl
from promptvision_ray.settings import RaySettings

if TYPE_CHECKING:
    from promptvision.plugin import Check, Executor, Worker

PLUGIN_API = 1


@hookimpl
def promptvision_executors() -> list[ExecutorFactory]:
    """The actors of a Ray cluster."""
    return [ExecutorFactory(name="ray", create=_make_executor, is_remote=True)]


@hookimpl
def promptvision_settings() -> list[type[Section]]:
    """Settings of the cluster."""
    return [RaySettings]


@hookimpl
def promptvision_commands() -> list[Command]:
    """``promptvision ray``."""
    return [Command("ray", "Show the Ray cluster that runs tools.", "promptvision_ray.commands:ray_group")]


@hookimpl
def promptvision_checks() -> list[Check]:
    """The versions on all nodes."""
    return [_check_nodes]


def _make_executor(worker: Worker) -> Executor:
    from promptvision_ray.executor import RayExecutor

    return RayExecutor(worker)


def _check_nodes(settings: Settings) -> Finding:
    if "ray" not in (settings.executor, *settings.executors.values()):
        return Finding("ray", "ok", "not in use")
    from promptvision_ray.versions import check_nodes

    return check_nodes(settings)
