"""Checks of ``promptvision doctor`` that may use the network: planners and stores."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, TypeVar

from promptvision.errors import PromptvisionError, ProviderError
from promptvision.llm.planner import ListingPlanner, ProbingPlanner
from promptvision.models.pool import ModelPool
from promptvision.plugins.specs import Finding, FindingState, ProviderFactory, StoreFactory

if TYPE_CHECKING:
    from promptvision.conversations.store import ConversationStore
    from promptvision.images.store import ImageStore
    from promptvision.llm.planner import Planner
    from promptvision.plugins.registry import Registry
    from promptvision.settings import Settings

__all__ = ["planners", "stores"]

OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"
PROBE_TIMEOUT_S = 30.0
LOCAL_SCHEMES = ("file", "sqlite", "memory")

S = TypeVar("S", "ConversationStore", "ImageStore")


def planners(registry: Registry, settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """The configured planners, and whether each answers."""
    pool = ModelPool(registry.models, settings)
    for factory in registry.providers:
        yield _planner(factory, settings, pool, offline=offline)
    names = [factory.name for factory in registry.providers]
    if settings.planner is not None and settings.planner not in names:
        fix = f"set PROMPTVISION_PLANNER to one of: {', '.join(names)}"
        yield Finding(f"planner {settings.planner}", FAIL, "not installed", fix)


def _planner(factory: ProviderFactory, settings: Settings, pool: ModelPool, *, offline: bool) -> Finding:
    check = f"planner {factory.name}"
    try:
        if missing := factory.unavailable(settings):
            state: FindingState = FAIL if settings.planner == factory.name else OK
            return Finding(check, state, f"not configured: {missing}")
        provider = factory.make(settings, pool)
        if not isinstance(provider, ProbingPlanner):
            return Finding(check, OK, "ready")
        if offline:
            return Finding(check, OK, "configured; not checked (--offline)")
        return asyncio.run(asyncio.wait_for(_ask(check, provider), PROBE_TIMEOUT_S))
    except PromptvisionError as exc:
        return Finding(check, FAIL, exc.message, exc.hint or "")
    except TimeoutError:
        return Finding(check, FAIL, f"no answer within {PROBE_TIMEOUT_S:.0f} s")


async def _ask(check: str, provider: ProbingPlanner) -> Finding:
    """Ask the host for its models, and the model for one small tool call."""
    try:
        listed = await _listed(provider)
        model = await provider.probe()
    finally:
        await provider.close()
    if listed and model not in listed:
        return Finding(check, WARN, f"{model!r} called a tool as asked, but the host does not list it")
    among = f"one of {len(listed)} models that the host lists" if listed else "the host lists no models"
    return Finding(check, OK, f"{model!r}, {among}, called a tool as asked")


async def _listed(provider: Planner) -> list[str]:
    """Names of the host's models; none if it has no list."""
    if not isinstance(provider, ListingPlanner):
        return []
    try:
        return await provider.models()
    except ProviderError as exc:
        if exc.kind in ("auth", "connection", "timeout"):
            raise
        return []


def stores(registry: Registry, settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Whether stored data can be read back and removed."""
    where = _scheme(registry.conversation_stores, settings.conversations, settings)
    if offline and where not in LOCAL_SCHEMES:
        yield Finding("conversations", OK, f"{where}: configured; not checked (--offline)")
    else:
        yield _store("conversations", registry.make_conversation_store, _probe_conversations, where)
    where = _scheme(registry.image_stores, settings.images, settings)
    if offline and where not in LOCAL_SCHEMES:
        yield Finding("images", OK, f"{where}: configured; not checked (--offline)")
    else:
        yield _store("images", registry.make_image_store, _probe_images, where)


def _scheme(factories: list[StoreFactory[Any]], url: str | None, settings: Settings) -> str:
    """Scheme of the URL that the registry will use: the configured one, else the best default."""
    ranked = sorted(factories, key=lambda factory: (-factory.priority, factory.name))
    urls = [url] if url else [factory.default_url(settings) for factory in ranked]
    return next((found.partition(":")[0] for found in urls if found), "")


def _store(name: str, make: Callable[[], S], probe: Callable[[S], str], where: str) -> Finding:
    try:
        with closing(make()) as store:
            return Finding(name, OK, f"{where}: {probe(store)}")
    except PromptvisionError as exc:
        return Finding(name, FAIL, exc.message, exc.hint or "")


def _probe_conversations(store: ConversationStore) -> str:
    """Write, read and delete a conversation with a random id."""
    from promptvision.conversations.turn import TurnKey, TurnStatus

    key = TurnKey("doctor", uuid.uuid4().hex, "probe")
    turn = store.claim_turn(key, prompt="probe", fingerprint="probe", owner="doctor", lease_s=10)
    store.finish_turn(turn, TurnStatus.DONE, {"text_response": "probe"})
    found = store.turn(key.user_id, turn.id)
    store.delete(key.user_id, key.conversation_id)
    if found is None or found.reply != {"text_response": "probe"}:
        raise PromptvisionError("written data cannot be read back")
    return f"a probe was written, read and deleted{_schema(store)}"


def _schema(store: ConversationStore) -> str:
    if not type(store).__module__.startswith("promptvision.builtin.sql"):
        return ""
    from promptvision.builtin.sql.schema import HEAD

    return f"; its tables have schema {HEAD}"  # ensured when the store was opened


def _probe_images(store: ImageStore) -> str:
    """Write, read and delete an image with a random id."""
    from PIL import Image

    from promptvision.images.codec import encode_png

    data = encode_png(Image.frombytes("RGB", (8, 8), os.urandom(192)))
    stored = store.put(data, "image/png")
    is_same = store.get(stored.id) == data
    store.delete(stored.id)
    if not is_same:
        raise PromptvisionError("written data cannot be read back")
    return "a probe was written, read and deleted"
