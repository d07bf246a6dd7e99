"""Store the images of requests, and check who may use a stored image."""

from __future__ import annotations

import asyncio
from pathlib import Path

from promptvision.agent.image_input import ImageInput, to_source
from promptvision.agent.services import AgentServices
from promptvision.errors import InputError, NotFound
from promptvision.images.ingest import IngestedImage, ingest
from promptvision.types import ImageRef

__all__ = ["ImageIntake"]


class ImageIntake:
    """Turns the images of requests into stored images.

    Args:
        services: the stores to use.
    """

    def __init__(self, services: AgentServices) -> None:
        self._services = services

    async def upload(self, image: ImageInput, *, user_id: str, allow_paths: bool) -> IngestedImage:
        """Store an image and note its owner.

        Raises:
            InputError: it is not an image that can be used, or a reference to a stored one.
        """
        source = await to_source(image)
        if source is None or isinstance(source, ImageRef):
            raise InputError("image: a reference cannot be uploaded", hint="give the image itself")
        with self._services.in_flight.request():
            stored = await self._store(source, allow_paths=allow_paths, keeps_decoded=False)
            await self._services.conversations.add_image(user_id, stored.id)
        return stored

    async def admit(
        self, image: ImageInput | None, *, user_id: str, allow_paths: bool
    ) -> IngestedImage | None:
        """Store the image of a request, or look up the stored one that it refers to.

        Raises:
            InputError: it is not an image that can be used.
            NotFound: the reference is unknown, or belongs to another user.
        """
        source = await to_source(image)
        if source is None:
            return None
        if not isinstance(source, ImageRef):
            return await self._store(source, allow_paths=allow_paths, keeps_decoded=True)
        if self._services.settings.api_keys:  # without keys users are not authenticated: the id is the secret
            await self.check_owner(user_id, source.id)
        width, height = (await asyncio.to_thread(self._services.open_image, source.id)).size
        stat = await self._services.images.stat(source.id)
        return IngestedImage(id=source.id, media_type=stat.media_type, width=width, height=height)

    async def check_owner(self, user_id: str, image_id: str) -> None:
        """Raise NotFound unless the image belongs to the user."""
        if not await self._services.conversations.owns_image(user_id, image_id):
            raise NotFound("no such image")

    async def _store(
        self, source: bytes | str | Path, *, allow_paths: bool, keeps_decoded: bool
    ) -> IngestedImage:
        services = self._services
        # The first step of a turn probably opens its image; an upload may never be opened.
        keep = services.runtime.images.keep if keeps_decoded else None
        store, settings = services.images.store, services.settings
        return await ingest(source, store, allow_paths=allow_paths, settings=settings, keep=keep)
