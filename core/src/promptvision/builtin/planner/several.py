"""Requests about several images: "put img_1 and img_2 side by side", "combine these two"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from promptvision.builtin.planner.patterns import HANDLE
from promptvision.builtin.planner.slots import MISFIT, fitted, is_list
from promptvision.llm.messages import Message
from promptvision.llm.planner import PlannerFunction

__all__ = ["has_several", "image_arguments", "listed_images", "name_several", "named_count"]

_BETWEEN = re.compile(
    r"\s*(?:,|\b(?:and|with|plus|to|und|mit|y|con|et|avec)\b|&|\+|\u548c|\u4e0e|\u8ddf|\s)\s*", re.IGNORECASE
)
_NOUN = r"(?:images|pictures|photos|photographs|pics|shots|ones)"
_NUMBERS = {"two": 2, "three": 3, "four": 4, "2": 2, "3": 3, "4": 4}
_SEVERAL = re.compile(
    rf"\b(?:(?P<both>both(?: of (?:them|these|those))?(?: (?:the|these|my) )?(?: {_NOUN})?)"
    rf"|(?:the |these |those |my )(?:last )?(?P<count>{'|'.join(_NUMBERS)})(?: {_NOUN})?"
    rf"|(?:all )?(?:these|those|the|my) {_NOUN}|all of (?:them|these|those)|them all)(?!\w)",
    re.IGNORECASE,
)
_IMAGES = re.compile(rf"\b{_NOUN}\b", re.IGNORECASE)
_COUNT = re.compile(rf"\b(?:both|pair|(?P<count>{'|'.join(_NUMBERS)}))\b", re.IGNORECASE)
_TOGETHER = re.compile(
    r"\b(?:combin|merg|join|stitch|stack|side by side|beside|collage|grid|montage|mosaic|together|next "
    r"to|blend|past"
    r"|overlay|superimpos|one above|in a row|compare|kombin|verbind|neben|junta|une\b|fusion|assembl)"
    r"|合并|拼",
    re.IGNORECASE,
)
_ROW = re.compile(r"^img_([1-9]\d*) (?:input|edit) ", re.MULTILINE)
"""A line of the image table that names an image to work on, not a mask or an annotated copy."""


def has_several(text: str) -> bool:
    """Whether a text names more than one image by its handle."""
    return "_" in text and len(HANDLE.findall(text)) > 1


def listed_images(messages: Sequence[Message]) -> list[str]:
    """The handles of the images that can be worked on; the last message holds their table."""
    return [f"img_{number}" for number in _ROW.findall(messages[-1].content)] if messages else []


def named_count(words: str) -> int | None:
    """How many images a request speaks of: "these two", "all four photos"."""
    found = _COUNT.search(words)
    return None if found is None else _NUMBERS.get((found["count"] or "two").lower(), 2)


def name_several(words: str, messages: Sequence[Message]) -> str:
    """Replace "these two", "both images" and the like by handles, where the image table has as many.

    Args:
        words: the request.
        messages: the last one holds the image table.
    """
    if not messages or _SEVERAL.search(words) is None:
        return words
    handles = listed_images(messages)
    is_about_images = _TOGETHER.search(words) is not None

    def named(found: re.Match[str]) -> str:
        if not is_about_images and not _IMAGES.search(found[0]):
            return found[0]  # "erase all of them" is about things
        count = 2 if found["both"] else _NUMBERS.get((found["count"] or "").lower(), len(handles))
        return " and ".join(handles[-count:]) if 2 <= count <= len(handles) else found[0]

    return _SEVERAL.sub(named, words)


def image_arguments(function: PlannerFunction, values: Mapping[str, str]) -> dict[str, Any] | None:
    """The arguments of a call on several images; None if the values of the slots are not images.

    The first image of a list is the one to work on, unless another slot names that.

    Args:
        function: one with an argument that is a list of images.
        values: slot to the words in it.
    """
    image = str(function.image)
    made: dict[str, Any] = {}
    for name, value in values.items():
        handles = _handles(value)
        if is_list(function, name) and handles:
            made[name] = handles
        elif name == image and len(handles) == 1:
            made[name] = handles[0]
        elif (fit := fitted(function, name, value)) != MISFIT and not is_list(function, name):
            made[name] = fit.value
        else:
            return None
    listed = next((name for name in made if is_list(function, name)), None)
    if listed is None:
        return None
    if image not in made:
        made[image], *made[listed] = made[listed]
    return made if made[listed] else None


def _handles(value: str) -> list[str]:
    """The handles in words that hold nothing else."""
    if _BETWEEN.sub("", HANDLE.sub("", value)).strip():
        return []
    return [f"img_{number}" for number in HANDLE.findall(value)]
