"""The reply to a turn: the document of ``POST /chat`` and ``promptvision run --json``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict

from pydantic import BaseModel

from promptvision.conversations.turn import TurnStatus
from promptvision.errors import InputError
from promptvision.images.handles import ImageKind
from promptvision.llm.messages import PlannerFallback
from promptvision.needs import NeedsSetup
from promptvision.tools.context import EDIT
from promptvision.types import ImageRef

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MadeImage", "OpenImage", "Reply", "Step", "StepStatus", "image_ids", "show_ids"]

OpenImage = Callable[[str], "Image"]
WriteImage = Callable[[str, str | Path], None]

_NOT_STORED = ("open_image", "write_image")
"""Returns the decoded image of an id."""

StepStatus = Literal["done", "failed", "cancelled", "interrupted"]

_PLAIN_TYPES = (str, int, float, bool, type(None))
_HIDDEN_FIELDS = ("success", "message")
_LISTS = ("models", "details", "image_ids")
_HIDDEN_MEMBERS = ("needs_setup", "setup", "image_ids")


class MadeImage(TypedDict):
    """An image that a turn made: its id, its handle in the conversation, and its kind."""

    id: str
    handle: str
    kind: ImageKind


@dataclass(frozen=True, kw_only=True)
class Step:
    """One tool call, prerequisites included. Images appear as image ids.

    Args:
        operation: the operation that was requested.
        tool: the tool that ran.
        plugin: the plugin that the tool belongs to.
        status: how the step ended.
        arguments: the arguments of the tool.
        result: the result of the tool; None unless ``status`` is ``done``.
        seconds: wall-clock time.
        cached: whether the result comes from an earlier equal call.
        message: a message for the user, such as why the step failed.
        models: ids of the models that it used.
        details: how it ran, such as where its models were and why, and what it did when memory ran out.
        needs_setup: whether it failed because something must be installed or configured.
        setup: what that is, where it is known.
        image_ids: ids of the images in arguments and result.
    """

    operation: str
    tool: str
    plugin: str
    status: StepStatus
    arguments: dict[str, Any]
    result: dict[str, Any] | None = None
    seconds: float = 0.0
    cached: bool = False
    message: str | None = None
    models: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    needs_setup: bool = False
    setup: NeedsSetup | None = None
    image_ids: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The step as plain JSON; shares its arguments and result."""
        shown = {name: value for name, value in vars(self).items() if name not in _HIDDEN_MEMBERS}
        return {**shown, "models": list(self.models), "details": list(self.details)}

    def stored(self) -> dict[str, Any]:
        """The step in the form that a conversation store saves."""
        return {
            **vars(self),
            "models": list(self.models),
            "details": list(self.details),
            "image_ids": list(self.image_ids),
        }

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """The step that :meth:`stored` was made from; other keys are ignored."""
        known = {name: value for name, value in stored.items() if name in cls.__dataclass_fields__}
        lists = {name: tuple(known.get(name, ())) for name in _LISTS}
        return cls(**{**known, **lists})


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The reply to one turn. Images appear as image ids; :meth:`document` can replace them.

    Args:
        text_response: the answer as text.
        image_url: the image that the turn started from.
        steps: the tool calls, in order.
        images: the images that the turn made, in order.
        turn_id, conversation_id, prompt_id: the turn; empty for a single tool call.
        status: how the turn ended.
        planner: name of the planner that gave the answer.
        notes: warnings, such as that another planner answered.
        fallbacks: planners that failed in the turn and were replaced by the next one.
        open_image: reads the images; None for a reply that no agent gave.
        write_image: writes one to a file, likewise.
    """

    text_response: str
    image_url: str | None
    steps: tuple[Step, ...]
    images: tuple[MadeImage, ...]
    turn_id: str
    conversation_id: str
    prompt_id: str
    status: TurnStatus
    planner: str
    notes: tuple[str, ...] = field(default=())
    fallbacks: tuple[PlannerFallback, ...] = ()
    open_image: OpenImage | None = field(default=None, repr=False, compare=False)
    write_image: WriteImage | None = field(default=None, repr=False, compare=False)

    @property
    def fields(self) -> dict[str, Any]:
        """Result fields of all finished steps; a later field replaces an earlier one of the same name."""
        flat: dict[str, Any] = {}
        for step in self.steps:
            for name, value in (step.result or {}).items():
                if name not in _HIDDEN_FIELDS and value is not None:
                    flat[name] = value
        return flat

    @property
    def needs_setup(self) -> bool:
        """Whether the turn failed because something must be installed or configured."""
        return self.status is TurnStatus.FAILED and bool(self.steps) and self.steps[-1].needs_setup

    @property
    def setup(self) -> NeedsSetup | None:
        """What must be downloaded, installed or configured first; None if nothing, or if it is not known."""
        return self.steps[-1].setup if self.needs_setup else None

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
        if self.image_id is None or self.write_image is None:
            raise InputError(f"{path}: not written, the reply has no image", hint=self.text_response[:200])
        self.write_image(self.image_id, path)

    def _repr_png_(self) -> bytes | None:
        """The image as PNG, for notebooks."""
        from promptvision.images.codec import encode_png

        image = self.image
        return None if image is None else encode_png(image)

    def with_images(self, open_image: OpenImage, write_image: WriteImage) -> Reply:
        """The same reply with functions that open and write its images."""
        return Reply(**{**vars(self), "open_image": open_image, "write_image": write_image})

    def document(self, show: Callable[[str], str] | None = None) -> dict[str, Any]:
        """The reply as plain JSON.

        Args:
            show: maps an image id to what the reader sees, such as a URL.
        """
        contract: dict[str, Any] = {
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
        if self.setup is not None:
            contract["needs_setup"] = self.setup
        whole = {**self.fields, **contract}
        if show is None:
            return whole
        ids = {image["id"] for image in self.images}
        ids.update(image_id for step in self.steps for image_id in step.image_ids)
        if self.image_url is not None:
            ids.add(self.image_url)
        return {name: show_ids(value, ids, show) for name, value in whole.items()}

    def stored(self) -> dict[str, Any]:
        """The reply in the form that a conversation store saves."""
        stored = {
            **vars(self),
            "steps": [step.stored() for step in self.steps],
            "images": list(self.images),
            "fallbacks": list(self.fallbacks),
            "status": str(self.status),
        }
        for name in _NOT_STORED:
            del stored[name]
        return stored

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Reply:
        """The reply that :meth:`stored` was made from."""
        values = dict(stored)
        values["steps"] = tuple(Step.from_stored(step) for step in values["steps"])
        values["images"] = tuple(values["images"])
        values["notes"] = tuple(values.get("notes", ()))
        values["fallbacks"] = tuple(values.get("fallbacks", ()))
        values["status"] = TurnStatus(values["status"])
        return cls(**values)


def image_ids(value: Any) -> list[str]:
    """Ids of the image references in a value: a model, a reference, or a container of either."""
    if isinstance(value, BaseModel):
        items: Iterable[Any] = vars(value).values()
    elif isinstance(value, ImageRef):
        return [value.id]
    elif isinstance(value, dict):
        items = value.values()
    elif isinstance(value, list | tuple):
        items = value
    else:
        return []
    return [found for item in items if type(item) not in _PLAIN_TYPES for found in image_ids(item)]


def show_ids(node: Any, ids: set[str], show: Callable[[str], str]) -> Any:
    """A copy of plain JSON in which ``show`` replaces each string that is one of ``ids``."""
    if isinstance(node, str):
        return show(node) if node in ids else node
    if isinstance(node, dict):
        return {name: show_ids(value, ids, show) for name, value in node.items()}
    if isinstance(node, list | tuple):
        return [show_ids(value, ids, show) for value in node]
    return node
