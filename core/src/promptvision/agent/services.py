"""The services that the modules of the agent share."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from promptvision.agent.in_flight import InFlight
from promptvision.agent.planning.selection import make_planner
from promptvision.conversations.async_store import AsyncConversationStore
from promptvision.conversations.store import ConversationStore
from promptvision.images.async_store import AsyncImageStore
from promptvision.images.store import ImageStore
from promptvision.instruments import Instruments, instrument_store
from promptvision.llm.planner import Planner, PreparingPlanner
from promptvision.models.pool import ModelPool
from promptvision.plugins.middleware import Middleware
from promptvision.plugins.registry import Registry
from promptvision.runtime.runtime import Runtime
from promptvision.runtime.worker import Worker
from promptvision.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

__all__ = ["AgentServices"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class AgentServices:
    """The services passed to the modules below :mod:`promptvision.agent.agent` instead of the agent.

    Args:
        settings: the active settings.
        registry: the installed plugins and tools.
        planner: decides the next step.
        conversations: where turns are journaled.
        images: where images are stored.
        runtime: runs single tool calls.
        owner: name of this process, which conversation stores save with a claimed turn.
        instruments: entered around the work of this process.
        middleware: called around turns, requests to the planner and steps, in this order.
        in_flight: the requests that are running.
    """

    settings: Settings
    registry: Registry
    planner: Planner
    conversations: AsyncConversationStore
    images: AsyncImageStore
    runtime: Runtime
    owner: str
    instruments: Instruments = field(default_factory=Instruments)
    middleware: tuple[Middleware, ...] = ()
    in_flight: InFlight = field(default_factory=InFlight)

    @classmethod
    def create(
        cls,
        settings: Settings,
        registry: Registry,
        *,
        planner: Planner | None,
        conversations: ConversationStore | None,
        images: ImageStore | None,
        middleware: Sequence[Middleware] = (),
    ) -> Self:
        """Create the services that are not passed from the settings."""
        instruments = registry.make_instruments()
        pool = ModelPool(registry.models, settings, instruments=instruments)
        planner = planner or make_planner(registry, pool)
        images = instrument_store(images or registry.make_image_store(), "images", instruments)
        conversations = conversations or registry.make_conversation_store()
        conversations = instrument_store(conversations, "conversations", instruments)
        worker = Worker(settings, images, pool, registry.tools_by_name(), instruments)
        return cls(
            settings=settings,
            registry=registry,
            planner=planner,
            conversations=AsyncConversationStore(conversations),
            images=AsyncImageStore(images),
            runtime=Runtime(worker, registry.make_executor(worker)),
            instruments=instruments,
            middleware=(*registry.middleware, *middleware),
            owner=f"{socket.gethostname()}:{os.getpid()}",
        )

    async def prepare_planner(self) -> None:
        """Let the planner prepare for the operations that are available now, in a thread.

        Without it, the first requests do what is needed. A failure is logged.
        """
        if isinstance(self.planner, PreparingPlanner):
            await asyncio.to_thread(self._prepare, self.planner)

    def _prepare(self, planner: PreparingPlanner) -> None:
        try:
            planner.prepare(self.registry.functions(), self.registry.unavailable())
        except Exception:  # isolation: the planner can answer without
            log.exception("planner %s: cannot prepare for requests", self.planner.name)

    def open_image(self, image_id: str) -> Image:
        """The decoded image; shared, so copy it before changing it. May wait for the image store.

        Raises:
            NotFound: there is no such image.
            StoreError: the image store failed.
        """
        return self.runtime.images.open(image_id)

    def save_image(self, image_id: str, path: str | Path) -> None:
        """Write an image to a file in the format of its extension; as it is stored, if that is its format.

        Raises:
            InputError: the name has no known extension, or the file cannot be written.
            NotFound: there is no such image.
            StoreError: the image store failed.
        """
        from promptvision.images.output import save_stored

        stored = self.images.store.stat(image_id)
        data = self.images.store.get(image_id)
        save_stored(data, stored.media_type, path, lambda: self.open_image(image_id))

    async def close(self) -> None:
        """Release threads, connections and models."""
        await self.planner.close()
        await self.runtime.executor.close()
        self.runtime.pool.close()
        await asyncio.to_thread(self.runtime.stages.close)
        self.conversations.store.close()
        self.images.store.close()
        if self.instruments:
            await asyncio.to_thread(self.instruments.close)
