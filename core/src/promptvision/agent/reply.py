"""What a turn answers: the document of ``POST /chat`` and ``promptvision run --json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptvision.conversations.turn import TurnStatus
from promptvision.errors import InputError
from promptvision.tools.context import EDIT

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["OpenImage", "Reply", "Step", "show_ids"]

OpenImage = Callable[[str], "Image"]
"""Returns the decoded image of an id."""

_UNSHOWN = ("success", "message")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One tool call, prerequisites included. Images appear as image ids.

    Args:
        operation: what was asked for.
        tool: which tool did it.
        plugin: whose tool that is.
        status: ``done``, ``failed``, ``cancelled`` or ``interrupted``.
        arguments: as the tool got them.
        result: as the tool returned it; None unless ``status`` is ``done``.
        seconds: wall-clock time.
        cached: whether an equal call had been made before.
        message: what the user should know, such as why it failed.
        needs_setup: whether it failed for want of something that must be installed or configured.
    """

    operation: str
    tool: str
    plugin: str
    status: str
    arguments: dict[str, Any]
    result: dict[str, Any] | None = None
    seconds: float = 0.0
    cached: bool = False
    message: str | None = None
    needs_setup: bool = False

    def document(self) -> dict[str, Any]:
        """The step as readers see it; shares its arguments and result, which nobody changes."""
        shown = self.stored()
        del shown["needs_setup"]
        return shown

    def stored(self) -> dict[str, Any]:
        """The step as a conversation store keeps it."""
        return dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The answer to one turn. Images appear as image ids until :meth:`document` shows them.

    Args:
        text_response: the answer in words.
        image_url: the image that the turn started from.
        steps: what was done, in order.
        images: images made, as ``{"id", "handle", "kind"}``, in order.
        turn_id, conversation_id, prompt_id: whose answer it is.
        status: how the turn ended.
        planner: who planned it.
        notes: warnings, such as that another planner answered.
        open_image: reads the images; None for a reply that no agent gave.
    """

    text_response: str
    image_url: str | None
    steps: tuple[Step, ...]
    images: tuple[dict[str, str], ...]
    turn_id: str
    conversation_id: str
    prompt_id: str
    status: TurnStatus
    planner: str
    notes: tuple[str, ...] = field(default=())
    open_image: OpenImage | None = field(default=None, repr=False, compare=False)

    @property
    def fields(self) -> dict[str, Any]:
        """Result fields of all finished steps in one; where two have the same name the later one counts."""
        flat: dict[str, Any] = {}
        for step in self.steps:
            for name, value in (step.result or {}).items():
                if name not in _UNSHOWN and value is not None:
                    flat[name] = value
        return flat

    @property
    def needs_setup(self) -> bool:
        """Whether the turn failed for want of something that must be installed or configured."""
        return self.status is TurnStatus.FAILED and bool(self.steps) and self.steps[-1].needs_setup

    @property
    def image_id(self) -> str | None:
        """Id of the image to show: the last edit, else the last image made."""
        edits = [image["id"] for image in self.images if image["kind"] == EDIT]
        made = [image["id"] for image in self.images]
        return next(reversed(edits or made), None)

    @property
    def image(self) -> Image | None:
        """The image to show, decoded: the last edit, else the last image made; None when there is none.

        The decoded image is shared: copy it before changing it.

        Raises:
            NotFound: the image was deleted.
            StoreError: the image store failed.
        """
        if self.image_id is None or self.open_image is None:
            return None
        return self.open_image(self.image_id)

    def save(self, path: str | Path) -> None:
        """Write the image to a file, in the format of its extension; a JPEG is flattened onto white.

        Raises:
            InputError: the reply has no image, or the file cannot be written.
        """
        from promptvision.images.output import save_image

        image = self.image
        if image is None:
            raise InputError(f"{path}: not written, the reply has no image", hint=self.text_response[:200])
        save_image(image, path)

    def _repr_png_(self) -> bytes | None:
        """The image as PNG: how notebooks display a reply."""
        from promptvision.images.codec import encode_png

        image = self.image
        return None if image is None else encode_png(image)

    def with_images(self, open_image: OpenImage) -> Reply:
        """The same reply, able to open its images."""
        return replace(self, open_image=open_image)

    def document(self, show: Callable[[str], str] | None = None) -> dict[str, Any]:
        """The reply as plain JSON.

        Args:
            show: turns an image id into what the reader should see, such as a URL.
        """
        contract = {
            "text_response": self.text_response,
            "image_url": self.image_url,
            "steps": [step.document() for step in self.steps],
            "turn_id": self.turn_id,
            "conversation_id": self.conversation_id,
            "prompt_id": self.prompt_id,
            "status": str(self.status),
            "planner": self.planner,
            "notes": list(self.notes),
        }
        whole = {**self.fields, **contract}
        if show is None:
            return whole
        ids = {image["id"] for image in self.images}
        ids.update(_images_in(whole))
        return {name: show_ids(value, ids, show) for name, value in whole.items()}

    def stored(self) -> dict[str, Any]:
        """The reply as a conversation store keeps it."""
        stored = {name: value for name, value in vars(self).items() if name != "open_image"}
        steps = [step.stored() for step in self.steps]
        return {**stored, "steps": steps, "images": list(self.images), "status": str(self.status)}

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Reply:
        """The reply that :meth:`stored` was made of."""
        values = dict(stored)
        values["steps"] = tuple(Step(**step) for step in values["steps"])
        values["images"] = tuple(values["images"])
        values["notes"] = tuple(values.get("notes", ()))
        values["status"] = TurnStatus(values["status"])
        return cls(**values)


def _images_in(node: Any) -> set[str]:
    """Ids in fields whose names are those of images: ``image_url``, ``mask_urls`` and the like."""
    found: set[str] = set()
    if isinstance(node, dict):
        for name, value in node.items():
            if name.endswith(("_url", "_urls", "image", "images", "mask", "masks")):
                found.update(text for text in _strings(value) if _is_id(text))
            else:
                found |= _images_in(value)
    elif isinstance(node, list):
        for value in node:
            found |= _images_in(value)
    return found


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _is_id(text: str) -> bool:
    return len(text) == 64 and all(char in "0123456789abcdef" for char in text)


def show_ids(node: Any, ids: set[str], show: Callable[[str], str]) -> Any:
    """A copy of plain JSON with each string that is one of ``ids`` replaced by what ``show`` makes of it."""
    if isinstance(node, str):
        return show(node) if node in ids else node
    if isinstance(node, dict):
        return {name: show_ids(value, ids, show) for name, value in node.items()}
    if isinstance(node, list | tuple):
        return [show_ids(value, ids, show) for value in node]
    return node
