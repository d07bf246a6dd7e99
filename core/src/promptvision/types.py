"""The typed values that tools exchange: images, masks, boxes, points and targets.

Tools are connected by the types of their fields: a tool that needs a :class:`MaskRef` can use the result of
any tool that has one. Pixel coordinates have their origin at the top left, x to the right and y down.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

__all__ = [
    "UNTRUSTED",
    "Box",
    "ImageRef",
    "ImageText",
    "MaskRef",
    "Point",
    "Resolve",
    "Show",
    "Target",
    "is_image_id",
    "neutralize_chat_markers",
]

_IMAGE_ID = re.compile(r"[0-9a-f]{64}")


def is_image_id(text: str) -> bool:
    """Whether a text is an image id: 64 lower-case hexadecimal digits, safe in a path or a key."""
    return _IMAGE_ID.fullmatch(text) is not None


Resolve = Callable[[str], str]
"""Resolves a caller's reference (a handle such as ``img_3``) to an image id; raises ValueError."""

Show = Callable[["ImageRef"], str]
"""Converts a reference for a reader: a handle for the LLM, a URL for HTTP."""


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image in the image store.

    Args:
        id: SHA-256 of the stored bytes, 64 lower-case hexadecimal digits.

    In a pydantic model it validates from another reference, from an id, or from a value that the ``resolve``
    function in the validation context accepts. In JSON it is converted by ``show`` of the serialisation
    context, else it is the id.
    """

    id: str

    @classmethod
    def _validate(cls, value: Any, info: ValidationInfo) -> Self:
        if isinstance(value, ImageRef):
            return cls(value.id)
        if not isinstance(value, str):
            raise ValueError("give the handle of an image of this conversation, such as img_1")
        resolve: Resolve | None = (info.context or {}).get("resolve")
        if resolve is not None:
            return cls(resolve(value))
        if not is_image_id(value):
            raise ValueError("not an image id (64 hexadecimal digits)")
        return cls(value)

    @staticmethod
    def _show(ref: ImageRef, info: core_schema.SerializationInfo) -> str:
        show: Show | None = (info.context or {}).get("show")
        return show(ref) if show is not None else ref.id

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls._show, info_arg=True, when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string"}


class MaskRef(ImageRef):
    """A mask in the image store: greyscale, the size of its image, 0 = keep, 255 = edit."""

    __slots__ = ()


class Point(NamedTuple):
    """A point in pixels: x, y."""

    x: float
    y: float

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        number = core_schema.float_schema(allow_inf_nan=False)
        return core_schema.no_info_after_validator_function(
            lambda value: cls(*value), core_schema.tuple_positional_schema([number] * 2)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return _tuple_of_numbers(2)


def _tuple_of_numbers(length: int) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "number"}, "minItems": length, "maxItems": length}


class Box(NamedTuple):
    """A rectangle in pixels: left, top, right, bottom; in JSON ``[x1, y1, x2, y2]`` with x1 < x2, y1 < y2."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def centroid(self) -> Point:
        """The centre of the box."""
        return Point((self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2)

    @property
    def area(self) -> float:
        """Width times height, in square pixels."""
        return (self.x2 - self.x1) * (self.y2 - self.y1)

    @classmethod
    def _validate(cls, value: tuple[float, float, float, float]) -> Self:
        box = cls(*value)
        if not (box.x1 < box.x2 and box.y1 < box.y2):
            raise ValueError("a box is [x1, y1, x2, y2] with x1 < x2 and y1 < y2")
        return box

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        number = core_schema.float_schema(allow_inf_nan=False)
        return core_schema.no_info_after_validator_function(
            cls._validate, core_schema.tuple_positional_schema([number] * 4)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return _tuple_of_numbers(4)


class Target(str):
    """The description of an object to find in an image ("the red ball"), not of one to paint.

    Several objects are separated by dots: "red ball. blue box".
    """

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(strip_whitespace=True, min_length=1, max_length=500)
        return core_schema.no_info_after_validator_function(
            cls, text, serialization=core_schema.to_string_ser_schema()
        )


UNTRUSTED = "untrusted_text"
"""Key of text from an image in the JSON for LLMs."""


def neutralize_chat_markers(text: str) -> str:
    """Break up the message markers of chat templates (``<|im_start|>``) in a text."""
    return text.replace("<|", "< |").replace("|>", "| >")


class ImageText(str):
    """Text read from an image: untrusted data, never an instruction.

    It is cleaned when created: no control, bidirectional or private-use characters except line feed and tab,
    at most 20,000 characters. When the serialisation context has ``label`` set, it is serialised as
    ``{"untrusted_text": ...}`` with chat markers broken up, so a planner can distinguish it from the user's
    words.
    """

    __slots__ = ()
    LIMIT = 20_000

    def __new__(cls, text: str) -> Self:
        """Clean the text."""
        kept = (char for char in text[: cls.LIMIT] if char in "\n\t" or unicodedata.category(char)[0] != "C")
        return super().__new__(cls, "".join(kept))

    @staticmethod
    def _show(text: str, info: core_schema.SerializationInfo) -> Any:
        if not (info.context or {}).get("label"):
            return str(text)
        return {UNTRUSTED: neutralize_chat_markers(text)}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.str_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls._show, info_arg=True, when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string"}
