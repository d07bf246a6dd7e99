"""Checks of ``promptvision doctor`` for this machine and the installed packages."""

from __future__ import annotations

import platform
import shutil
import socket
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from promptvision.cli.masking import masked_url
from promptvision.errors import PromptvisionError, SetupError
from promptvision.models.placement import gigabytes
from promptvision.plugins.dependencies import unmet_requirements
from promptvision.plugins.first_party import INSTALL_TOOLS
from promptvision.plugins.specs import Finding, FindingState
from promptvision.plugins.variables import find_misspelt
from promptvision.settings import PREFIX

if TYPE_CHECKING:
    from promptvision.plugins.registry import Registry
    from promptvision.settings import Settings

__all__ = [
    "devices",
    "home",
    "machine",
    "of_plugins",
    "operations",
    "plugins",
    "port",
    "shown_settings",
    "weights",
]

OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"
LOW_DISK_BYTES = 10**9
PORT = 5000
_URLS = ("PROMPTVISION_CONVERSATIONS", "PROMPTVISION_IMAGES")


def machine() -> Finding:
    """Versions and platform."""
    import PIL

    from promptvision import __version__

    seen = (
        f"promptvision {__version__}, Python {platform.python_version()}, Pillow {PIL.__version__}, "
        f"SQLite {sqlite3.sqlite_version}, {platform.platform(terse=True)}"
    )
    return Finding("machine", OK if sys.version_info >= (3, 11) else FAIL, seen)


def devices() -> Finding:
    """The devices that models can run on, and the memory that they may use."""
    from promptvision.models import devices

    cpu = f"CPU with {gigabytes(devices.usable_bytes('cpu'))} of memory for models"
    if not devices.has_gpu():
        return Finding("devices", OK, f"{cpu}; no NVIDIA GPU")
    if not devices.has_cuda():
        return Finding(
            "devices",
            WARN,
            f"{cpu}; there is an NVIDIA GPU, but torch cannot use it",
            "install torch with CUDA",
        )
    return Finding("devices", OK, f"GPU with {gigabytes(devices.usable_bytes('cuda'))}, {cpu}")


def home(settings: Settings) -> Finding:
    """Whether local data can be written."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = settings.home / ".doctor"
        probe.write_bytes(b"x")
        probe.unlink()
        free = shutil.disk_usage(settings.home).free
    except OSError as exc:
        return Finding(
            "home", FAIL, f"{settings.home}: {exc.strerror}", "set PROMPTVISION_HOME to a writable folder"
        )
    state: FindingState = OK if free > LOW_DISK_BYTES else WARN
    return Finding("home", state, f"{settings.home} is writable, {gigabytes(free)} free")


def shown_settings(registry: Registry, settings: Settings) -> Iterator[Finding]:
    """Settings of the core and of plugins that differ from the default, invalid ones and unknown names."""
    names = [PREFIX + name.upper() for name in type(settings).model_fields]
    yield Finding("settings", OK, _set_variables(names, settings) or "all defaults")
    for plugin, sections in registry.sections.items():
        for section in sections:
            try:
                settings.section(section)
            except SetupError as exc:
                yield Finding(f"settings {plugin}", FAIL, exc.message, exc.hint or "")
                continue
            if found := _set_variables(section.variables(), settings):
                yield Finding(f"settings {plugin}", OK, found)
    for line in find_misspelt(registry):
        yield Finding("settings", WARN, *line.removeprefix("settings: ").split("; ", 1))


def _set_variables(names: Iterable[str], settings: Settings) -> str:
    set_ones = {name: value for name in names if (value := settings.value(name)) is not None}
    return ", ".join(
        f"{name}={masked_url(value) if name in _URLS or '://' in value else value}"
        for name, value in set_ones.items()
    )


def plugins(registry: Registry) -> Iterator[Finding]:
    """The state of each plugin."""
    for plugin in registry.plugins:
        states: dict[str, FindingState] = {"loaded": WARN if plugin.cause else OK, "disabled": OK}
        state = states.get(str(plugin.state), FAIL)
        seen = f"{plugin.distribution} {plugin.version} is {plugin.state}"
        fix = "`promptvision plugins --details` shows the traceback" if plugin.details else ""
        yield Finding(
            f"plugin {plugin.name}", state, f"{seen}: {plugin.cause}" if plugin.cause else seen, fix
        )
        if unmet := unmet_requirements(plugin.distribution):
            seen = f"{plugin.distribution} needs {', '.join(unmet)}"
            yield Finding(f"plugin {plugin.name}", FAIL, seen, f"pip install {plugin.distribution}")


def of_plugins(registry: Registry, settings: Settings) -> Iterator[Finding]:
    """The checks that plugins provide."""
    for check in registry.checks():
        try:
            yield check(settings)
        except Exception as exc:  # noqa: BLE001  # isolation: a plugin's check may raise anything
            yield Finding(
                getattr(check, "__module__", "check"), FAIL, f"the check failed: {type(exc).__name__}: {exc}"
            )


def weights(registry: Registry, settings: Settings) -> Iterator[Finding]:
    """Whether the downloaded weights are complete and intact."""
    from promptvision.models.pull import is_partial, verify
    from promptvision.models.weights import locate

    absent = []
    for name, spec in sorted(registry.models.items()):
        pull = f"`promptvision models pull {name}`"
        if locate(spec, settings) is None:
            if is_partial(spec, settings):
                yield Finding(f"model {name}", WARN, "its download was not finished", f"continue with {pull}")
            else:
                absent.append(name)
            continue
        try:
            problems = verify(spec, settings)
        except PromptvisionError as exc:
            yield Finding(f"model {name}", FAIL, exc.message, exc.hint or "")
            continue
        wrong = "; ".join(f"{problem.path} {problem.what}" for problem in problems)
        fix = f"`promptvision models rm {name}`, then {pull}" if wrong else ""
        yield Finding(f"model {name}", FAIL if wrong else OK, wrong or "downloaded and intact", fix)
    if absent:
        yield Finding("models", OK, f"not downloaded: {', '.join(absent)}")


def operations(registry: Registry) -> Iterator[Finding]:
    """The tool that runs each operation here, and what a better tool needs."""
    if not any(registry.runnable(name) for name in registry.operations):
        yield Finding(
            "tools",
            WARN,
            "no installed tool can run here, so no request can be fulfilled",
            f"install tools: `{INSTALL_TOOLS}`",
        )
    for name in sorted(registry.operations):
        tools, ready = registry.candidates(name), registry.runnable(name)
        missing_parts = [missing for tool in tools for missing in registry.missing(tool)]
        fixes = "; ".join(dict.fromkeys(f"{missing.what}: {missing.fix}" for missing in missing_parts))
        if not ready:
            yield Finding(f"operation {name}", WARN, "no tool can run here", fixes)
        elif ready[0] is not tools[0]:
            seen = f"done by the fallback tool {ready[0].name!r}, since {tools[0].name!r} cannot run yet"
            yield Finding(f"operation {name}", WARN, seen, fixes)
        else:
            yield Finding(f"operation {name}", OK, f"done by {ready[0].name!r} of {ready[0].plugin}")


def port() -> Finding:
    """Whether the port of `promptvision serve` is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return Finding(
                "port", WARN, f"port {PORT} is in use", f"use `promptvision serve --port {PORT + 1}`"
            )
    return Finding("port", OK, f"port {PORT} is free")
