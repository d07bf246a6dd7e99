"""The conversation of an MCP client: its images by handle, and its calls as turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from promptvision.plugin import ImageRecord, ImageRef, InputError, MaskRef, NotFound, image_fields, link_types
from promptvision_mcp.fixed_plan import FixedPlan
from promptvision_mcp.sources import ImageSources, is_handle

if TYPE_CHECKING:
    from promptvision import Agent, Reply

__all__ = ["Conversation", "Follow", "ImageHandles", "image_arguments"]

Follow = Callable[[Any], Any]
"""Awaits the reply of a running turn; reports its progress and stops it when the client cancels."""

_SUBJECTS = ("input", "edit")
_LOCKS: WeakValueDictionary[tuple[asyncio.AbstractEventLoop, str, str], asyncio.Lock] = WeakValueDictionary()


@dataclass(frozen=True)
class ImageHandles:
    """The images of a conversation, by number."""

    records: tuple[ImageRecord, ...]

    @property
    def current(self) -> ImageRecord | None:
        """The image that "this" refers to: the newest input or edited one."""
        return next((record for record in reversed(self.records) if record.kind in _SUBJECTS), None)

    def find(self, handle: str) -> ImageRecord:
        """The image of a handle.

        Raises:
            NotFound: the handle is unknown; the message lists the existing ones.
        """
        wanted = handle.strip().strip("[] ").lower()
        for record in self.records:
            if record.handle == wanted:
                return record
        known = ", ".join(record.handle for record in self.records[-20:]) or "there are none yet"
        raise NotFound(f"no image {handle[:40]!r} in this conversation", hint=f"its images: {known}")

    def show(self, image_id: str) -> str:
        """The newest handle of an image; its id if it is not in the conversation."""
        found = (record.handle for record in reversed(self.records) if record.image_id == image_id)
        return next(found, image_id)

    def before(self, record: ImageRecord) -> ImageRecord | None:
        """The image that an image was made from, by its first record if it was added again."""
        for one in self.records:
            if one.image_id == record.image_id and one.parent is not None:
                return next((other for other in self.records if other.number == one.parent), None)
        return None


class Conversation:
    """One client's conversation with the agent.

    Calls run one after the other, since each may use the image that the previous one made.

    Args:
        agent: runs the turns.
        user_id: the owner.
        conversation_id: the conversation.
        sources: reads images that are not given by a handle.
    """

    def __init__(self, agent: Agent, user_id: str, conversation_id: str, sources: ImageSources) -> None:
        self._agent = agent
        self._user = user_id
        self._id = conversation_id
        self._sources = sources

    async def images(self) -> ImageHandles:
        """The current images of the conversation."""
        return ImageHandles(tuple(await self._agent.services.conversations.images(self._user, self._id)))

    async def check_owner(self, image_id: str) -> None:
        """Raise NotFound unless the image belongs to the user."""
        await self._agent.check_owner(self._user, image_id)

    async def do(self, prompt: str, image: str | None, follow: Follow) -> Reply:
        """Run the agent on a sentence.

        Raises:
            PromptvisionError: the prompt or the image cannot be used, or a store failed.
        """
        async with self._lock():
            source = None if image is None else await self._subject(image)
            return await self._turn(prompt, None, follow, image=source)

    async def call(self, operation: str, arguments: dict[str, Any], follow: Follow) -> Reply:
        """Run one operation; its images may be given in any form.

        Raises:
            PromptvisionError: an image cannot be used, or a store failed.
        """
        async with self._lock():
            values, image, mask = await self._read_images(operation, arguments)
            plan = FixedPlan(operation, values)
            return await self._turn(plan.prompt, plan, follow, image=image, mask=mask)

    async def undo(self, follow: Follow) -> ImageRecord:
        """Make the image before the current one the current one.

        Raises:
            NotFound: the current image was not made from another one.
        """
        async with self._lock():
            images = await self.images()
            if images.current is None:
                raise NotFound("there is no image yet")
            before = images.before(images.current)
            if before is None:
                raise NotFound(f"{images.current.handle} was not made from another image: nothing to undo")
            await self._enter(ImageRef(before.image_id), f"undo: back to {before.handle}", follow)
            current = (await self.images()).current
            return before if current is None else current

    async def _read_images(
        self, operation: str, arguments: dict[str, Any]
    ) -> tuple[dict[str, Any], Any, Any]:
        """Arguments with images by handle only; the image and the mask that are sent with the turn."""
        values, image, mask = dict(arguments), None, None
        tools = self._agent.registry.candidates(operation)
        fields = image_arguments(tools[0].args) if tools else {}
        given = {name: values[name] for name in fields if values.get(name) not in (None, "")}
        for name, value in given.items():
            if not isinstance(value, str):
                raise InputError(f"{name}: give an image as text: {self._sources.forms}")
        first = next((name for name, kind in fields.items() if kind is ImageRef), None)
        masks = [name for name in given if fields[name] is MaskRef and not is_handle(given[name])]
        others = [name for name in given if fields[name] is ImageRef and name != first]
        for name in (*others, *masks[1:]):  # one image and one mask enter with the turn; others before it
            if not is_handle(given[name]):
                values[name] = await self._add(given[name])
        if first in given and (masks or not is_handle(given[first])):
            image = await self._subject(given[first])
            del values[first]
        if masks:
            mask = await self._sources.read(given[masks[0]])
            del values[masks[0]]
        return values, image, mask

    async def _subject(self, text: str) -> Any:
        """The image of a turn, to send with it; None if it is the current one."""
        if not is_handle(text):
            return await self._sources.read(text)
        images = await self.images()
        record = images.find(text)
        return None if record == images.current else ImageRef(record.image_id)

    async def _add(self, text: str) -> str:
        """Add an image that is not the subject of the call; return its handle.

        The current image does not change: it is added again afterwards.
        """
        current = (await self.images()).current
        await self._enter(await self._sources.read(text), "add an image", _wait)
        handle = (await self.images()).records[-1].handle
        if current is not None:
            await self._enter(ImageRef(current.image_id), f"back to {current.handle}", _wait)
        return handle

    async def _enter(self, source: Any, what: str, follow: Follow) -> None:
        await self._turn(what, FixedPlan(answer=what), follow, image=source)

    async def _turn(
        self, prompt: str, plan: FixedPlan | None, follow: Follow, *, image: Any = None, mask: Any = None
    ) -> Reply:
        running = self._agent.start(
            prompt,
            image=image,
            mask=mask,
            user_id=self._user,
            conversation_id=self._id,
            allow_paths=False,
            planner=plan,
        )
        reply: Reply = await follow(running)
        return reply

    def _lock(self) -> asyncio.Lock:
        key = (asyncio.get_running_loop(), self._user, self._id)
        lock = _LOCKS.get(key)
        if lock is None:
            lock = _LOCKS[key] = asyncio.Lock()
        return lock


def image_arguments(args: Any) -> dict[str, type[ImageRef]]:
    """Arguments that hold one image or one mask, in the order of the model."""
    masks = {name for name, kind in link_types(args).items() if kind is MaskRef}
    images = image_fields(args)
    return {
        name: MaskRef if name in masks else ImageRef
        for name in args.model_fields
        if name in masks or name in images
    }


async def _wait(running: Any) -> Any:
    return await running.reply()
