"""``promptvision doctor``: what works here, what is missing, and the command that mends it."""

from __future__ import annotations

import asyncio
import platform
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from promptvision.cli.output import echo_json, echo_table
from promptvision.errors import PromptvisionError

if TYPE_CHECKING:
    from promptvision.conversations.store import ConversationStore
    from promptvision.images.store import ImageStore
    from promptvision.llm.provider import LLMProvider
    from promptvision.plugins.registry import Registry
    from promptvision.settings import Settings

__all__ = ["Finding", "doctor"]

OK, WARN, FAIL = "ok", "warn", "fail"
PROBE_TIMEOUT_S = 20.0

S = TypeVar("S", "ConversationStore", "ImageStore")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ``ok``, ``warn`` or ``fail``, what was seen, and how to mend it."""

    check: str
    state: str
    seen: str
    fix: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--offline", is_flag=True, help="Ask no host on the network.")
def doctor(as_json: bool, offline: bool) -> int:
    """Check what works here; exits 1 if something is broken."""
    from promptvision.plugins.registry import Registry
    from promptvision.settings import load_settings

    settings = load_settings().model_copy(update={"strict_plugins": False})
    registry = Registry.load(settings)
    findings = list(examine(registry, settings, offline=offline))
    if as_json:
        echo_json({"findings": [asdict(finding) for finding in findings]})
    else:
        rows = [(one.state, one.check, f"{one.seen}; {one.fix}" if one.fix else one.seen) for one in findings]
        echo_table(("STATE", "CHECK", "SEEN"), rows)
    return 1 if any(finding.state == FAIL for finding in findings) else 0


def examine(registry: Registry, settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """All findings, in the order in which one would mend them."""
    yield _machine()
    yield _gpu()
    yield _home(settings)
    yield from _plugins(registry)
    yield from _operations(registry)
    yield from _planners(registry, settings, offline=offline)
    yield from _stores(registry)
    yield _port()


def _machine() -> Finding:
    from promptvision import __version__

    seen = f"promptvision {__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}"
    return Finding("machine", OK if sys.version_info >= (3, 11) else FAIL, seen)


def _gpu() -> Finding:
    from promptvision.models import devices
    from promptvision.tools.requirements import has_gpu

    if has_gpu():
        return Finding("gpu", OK, "an NVIDIA GPU is visible")
    free = devices.usable_bytes("cpu", 0) / 1e9
    return Finding("gpu", OK, f"none; models run on the CPU, which has {free:.1f} GB of memory free")


def _home(settings: Settings) -> Finding:
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = settings.home / ".doctor"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as exc:
        return Finding(
            "home", FAIL, f"{settings.home}: {exc.strerror}", "set PROMPTVISION_HOME to a folder of yours"
        )
    free = shutil.disk_usage(settings.home).free / 1e9
    state = OK if free > 1 else WARN
    return Finding("home", state, f"{settings.home} is writable, {free:.1f} GB free")


def _plugins(registry: Registry) -> Iterator[Finding]:
    for plugin in registry.plugins:
        state = {"loaded": OK, "disabled": OK}.get(str(plugin.state), FAIL)
        seen = f"{plugin.distribution} {plugin.version} is {plugin.state}"
        fix = "`promptvision plugins --details` shows the traceback" if plugin.details else ""
        yield Finding(
            f"plugin {plugin.name}", state, f"{seen}: {plugin.cause}" if plugin.cause else seen, fix
        )


def _operations(registry: Registry) -> Iterator[Finding]:
    for name in sorted(registry.operations):
        tools = registry.candidates(name)
        ready = registry.runnable(name)
        lacking = [missing for tool in tools for missing in registry.missing(tool)]
        fixes = "; ".join(dict.fromkeys(f"{missing.what}: {missing.fix}" for missing in lacking))
        if not ready:
            yield Finding(f"operation {name}", WARN, "no tool can run here", fixes)
        elif ready[0] is not tools[0]:
            seen = f"done by the stand-in {ready[0].name!r}, since {tools[0].name!r} cannot run yet"
            yield Finding(f"operation {name}", WARN, seen, fixes)
        else:
            yield Finding(f"operation {name}", OK, f"done by {ready[0].name!r} of {ready[0].plugin}")


def _planners(registry: Registry, settings: Settings, *, offline: bool) -> Iterator[Finding]:
    for factory in registry.providers:
        check = f"planner {factory.name}"
        if lacking := factory.unavailable(settings):
            yield Finding(check, OK, f"not configured: {lacking}")
            continue
        provider = factory.create(settings)
        probe = getattr(provider, "probe", None)
        if probe is None or offline:
            yield Finding(check, OK, "ready" if probe is None else "configured; not asked (--offline)")
            continue
        try:
            yield Finding(check, OK, asyncio.run(asyncio.wait_for(_probe(provider, probe), PROBE_TIMEOUT_S)))
        except (PromptvisionError, TimeoutError) as exc:
            yield Finding(check, FAIL, str(exc) or f"no answer within {PROBE_TIMEOUT_S:.0f} s")


async def _probe(provider: LLMProvider, probe: Callable[[], Awaitable[object]]) -> str:
    try:
        return str(await probe())
    finally:
        await provider.close()


def _stores(registry: Registry) -> Iterator[Finding]:
    yield _store("conversations", registry.make_conversation_store, _probe_conversations)
    yield _store("images", registry.make_image_store, _probe_images)


def _store(name: str, make: Callable[[], S], probe: Callable[[S], str]) -> Finding:
    try:
        with closing(make()) as store:
            return Finding(name, OK, probe(store))
    except PromptvisionError as exc:
        return Finding(name, FAIL, exc.message, exc.hint or "")


def _probe_conversations(store: ConversationStore) -> str:
    """Write, read and delete a conversation that nobody else can have."""
    import uuid

    from promptvision.conversations.turn import TurnKey, TurnStatus

    key = TurnKey("doctor", uuid.uuid4().hex, "probe")
    turn = store.claim_turn(key, prompt="probe", fingerprint="probe", owner="doctor", lease_s=10)
    store.finish_turn(turn, TurnStatus.DONE, {"text_response": "probe"})
    found = store.turn(key.user_id, turn.id)
    store.delete(key.user_id, key.conversation_id)
    if found is None or found.reply != {"text_response": "probe"}:
        raise PromptvisionError("what was written cannot be read back")
    return "a probe was written, read and deleted"


def _probe_images(store: ImageStore) -> str:
    """Write, read and delete a picture that nobody else can have."""
    import os

    from PIL import Image

    from promptvision.images.codec import encode_png

    data = encode_png(Image.frombytes("RGB", (8, 8), os.urandom(192)))
    stored = store.put(data, "image/png")
    is_same = store.get(stored.id) == data
    store.delete(stored.id)
    if not is_same:
        raise PromptvisionError("what was written cannot be read back")
    return "a probe was written, read and deleted"


def _port() -> Finding:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", 5000))
        except OSError:
            return Finding("port", WARN, "port 5000 is taken", "use `promptvision serve --port 5001`")
    return Finding("port", OK, "port 5000 is free")
